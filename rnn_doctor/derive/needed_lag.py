"""How far back the task must remember, as far as that is known."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

LAST = 0.99
"""Share of the loss's gradient at the last step from which on the loss reads that step alone."""

NO_LAG = "how far back the task must remember is not known (say it with --lag)"


@signal(unit="steps", by="module", reads=())
def needed_lag(view: View) -> dict[str, Measurement]:
    """How many time steps back the task must remember: what the user says.

    Reads: the option --lag. Unit: time steps. None if: it was not given; `lag_bound` may know the most.
    """
    return {
        name: unknown(NO_LAG) if view.lag is None else known(view.lag) for name in view.module_names.values()
    }


@signal(unit="steps", by="module", reads=("readouts", "state_flows"))
def lag_bound(view: View) -> dict[str, Measurement]:
    """The longest lag that the loss can ask for, where it reads the last step alone.

    Reads: `log.readouts[i].last_share`, `.time`, `log.state_flows[i].length`. Unit: time steps.
    None if: the loss reads other steps too, so that it singles out no lag, or the read-out was not seen.
    """
    return {name: bound(view, number) for number, name in view.module_names.items()}


def bound(view: View, module: int) -> Measurement:
    """The bound of one module."""
    location = view.log.modules[module].location
    readouts = [r for r in view.log.readouts if r.module == module]
    lengths = [f.length for f in view.log.state_flows if f.module == module]
    if not readouts:
        return unknown("how the loss reads its output was not seen", location=location)
    if any(r.last_share <= LAST for r in readouts):
        return unknown("the loss reads many steps, so that no lag is singled out", location=location)
    longest = max([*lengths, *(r.time for r in readouts)])
    return known(longest - 1, n=len(readouts), location=location)


@signal(unit="text", by="module", reads=("readouts",))
def read_out(view: View) -> dict[str, Measurement]:
    """Which time steps of a module's output the loss reads: the last step, or others too.

    Reads: `log.readouts[i].last_share`. Unit: text. None if: the read-out was not seen.
    """
    found = {}
    for number, name in view.module_names.items():
        shares = [r.last_share for r in view.log.readouts if r.module == number]
        found[name] = (
            known("the last step" if min(shares) > LAST else "many steps", n=len(shares))
            if shares
            else unknown("how the loss reads its output was not seen")
        )
    return found
