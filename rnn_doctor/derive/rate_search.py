"""Learning rates that grow by a factor at every update, as where a search for one was left in."""

from rnn_doctor.derive.gradients import first_harmful_spike
from rnn_doctor.derive.optimizer import scales_itself
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.searches import FEWEST, LEAST, factor
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement


@signal(unit="factor", reads=("steps.lr",))
def rate_growth(view: View) -> Measurement:
    """By what factor the largest learning rate grows at every update, up to the last one seen; 1 where it does not.

    A search for a learning rate goes so, and ExponentialLR with a gamma above 1; no warm-up and no cycle does. One that
    is over, and followed by a training, is none of the steps that are looked at.

    Reads: `log.steps[k].lr`. Unit: factor. None if: fewer than 15 updates with a rate above zero.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    rates = [max(step.lr) for step in view.steps if step.lr and max(step.lr) > 0]
    if len(rates) < FEWEST:
        return unknown(too_few(len(rates), "learning rate", "seen", FEWEST))
    return known(factor(rates) or 1.0, n=len(rates))


def grows(view: View) -> bool:
    """Whether the rate grows by a factor at every update."""
    found = rate_growth(view)
    assert isinstance(found, Measurement)
    return found.value is not None and float(found.value) > LEAST


def spike_of_gradient(view: View) -> int | None:
    """The first harmful spike of a gradient that is itself to blame for what follows; None where the steps are.

    An optimizer that divides the gradient's size out is not thrown by it, and where the rate grows without end some
    step is the first that is too long.
    """
    spike = view.once(first_harmful_spike)
    return None if spike is None or view.once(scales_itself) or view.once(grows) else spike
