"""How far back the task must remember, as far as that is known."""

from typing import NamedTuple

from rnn_doctor.derive.data_lag import data_lag_test, informative
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import DataLag
from rnn_doctor.schema.signals import Measurement

LAST = 0.99
"""Share of the loss's gradient at the last step from which on the loss reads that step alone."""

_JOINED = "it is called several times for a sequence, and which of these calls the loss reads was not seen"

NO_LAG = "how far back the task must remember is not known (say it with --lag)"


class Needed(NamedTuple):
    """A lag that the task needs, and how that is known, in words."""

    lag: int
    basis: str
    n: int | None = None


def needed(view: View, module: int) -> Needed | None:
    """What the user says; else the longest lag at which the data tell of the target; else the most it can be."""
    if view.lag is not None:
        return Needed(view.lag, "you said so with --lag")
    told = told_by_data(view, module)
    if told is not None:
        lags = informative(told)
        where = f"lag {lags[-1]}" if len(lags) == 1 else f"lags {lags[0]} to {lags[-1]}"
        return Needed(
            lags[-1], f"the data carry information at {where}, test on {told.rows} sequences", told.rows
        )
    most = bound(view, module).value
    if isinstance(most, int | float):
        return Needed(int(most), "at most: the loss reads the last step alone")
    return None


def told_by_data(view: View, module: int) -> DataLag | None:
    """The test that tells how far back a gradient must reach; None where it does not.

    A sequence must have one target, read at its last step, in one direction: then what stands so many steps back
    reaches the target over that many steps and no other way. Of targets at every step the last input may tell all
    that earlier ones do (Markov).
    """
    record = data_lag_test(view, module)
    if record is None or record.target != "sequence" or not informative(record) or _is_joined(view, module):
        return None
    shares = [r.last_share for r in view.log.readouts if r.module == module]
    alone = not view.log.modules[module].bidirectional and shares and min(shares) > LAST
    return record if alone else None


def _is_joined(view: View, module: int) -> bool:
    """Whether several calls make up a sequence: how the first of them is read says nothing of the others."""
    return any(f.attached for f in view.log.state_flows if f.module == module)


@signal(unit="steps", by="module", reads=("data_lags", "readouts", "state_flows"))
def needed_lag(view: View) -> dict[str, Measurement]:
    """How many time steps back the task must remember; `needed_lag_basis` tells how that is known.

    Reads: the option --lag; `log.data_lags`, the longest significant lag, where a sequence has one target and the loss
    reads the last step alone; else what `lag_bound` reads. Unit: time steps. None if: none of them tells it.
    """

    def measure(module: int) -> Measurement:
        found = needed(view, module)
        return unknown(NO_LAG) if found is None else known(found.lag, n=found.n)

    return each_module(view, measure)


@signal(unit="text", by="module", reads=("data_lags", "readouts", "state_flows"))
def needed_lag_basis(view: View) -> dict[str, Measurement]:
    """How the needed lag is known: from the user, by the data-lag test, or as a bound by what the loss reads.

    Reads: what `needed_lag` reads. Unit: text. None if: it is not known.
    """

    def measure(module: int) -> Measurement:
        found = needed(view, module)
        return unknown(NO_LAG) if found is None else known(found.basis, n=found.n)

    return each_module(view, measure)


@signal(unit="claim", reads=())
def lag_given(view: View) -> Measurement:
    """Whether the user said how far back the task must remember.

    Reads: the option --lag. Unit: claim. None if: never.
    """
    return known(view.lag is not None)


@signal(unit="steps", by="module", reads=("readouts", "state_flows"))
def lag_bound(view: View) -> dict[str, Measurement]:
    """The longest lag that the loss can ask for, where it reads the last step alone.

    Reads: `log.readouts[i].last_share`, `.time`, `log.state_flows[i]`. Unit: time steps.
    None if: the loss reads other steps too, so that it singles out no lag; the read-out was not seen; the state is
    carried on from earlier calls, so that it may ask for more; or several calls make up a sequence, of which the first
    alone was looked at.
    """
    return {name: bound(view, number) for number, name in view.module_names.items()}


def bound(view: View, module: int) -> Measurement:
    """The bound of one module."""
    location = view.log.modules[module].location
    readouts = [r for r in view.log.readouts if r.module == module]
    flows = [f for f in view.log.state_flows if f.module == module]
    if not readouts:
        return unknown("how the loss reads its output was not seen", location=location)
    if any(r.last_share <= LAST for r in readouts):
        return unknown("the loss reads many steps, so that no lag is singled out", location=location)
    if _is_joined(view, module):
        return unknown(_JOINED, location=location)
    if any(f.detached or f.continued or f.kept for f in flows):
        return unknown("its state is carried on from earlier calls", location=location)
    longest = max([*(f.length for f in flows), *(r.time for r in readouts)])
    return known(longest - 1, n=len(readouts), location=location)


@signal(unit="text", by="module", reads=("readouts", "state_flows"))
def read_out(view: View) -> dict[str, Measurement]:
    """Which time steps of a module's output the loss reads: the last step, or others too.

    Reads: `log.readouts[i].last_share`, `log.state_flows[i].attached`. Unit: text.
    None if: the read-out was not seen, or several calls make up a sequence and the first is read at its end.
    """
    found = {}
    for number, name in view.module_names.items():
        shares = [r.last_share for r in view.log.readouts if r.module == number]
        if not shares:
            found[name] = unknown("how the loss reads its output was not seen")
        elif min(shares) <= LAST:
            found[name] = known("many steps", n=len(shares))
        elif _is_joined(view, number):
            found[name] = unknown(_JOINED)
        else:
            found[name] = known("the last step", n=len(shares))
    return found
