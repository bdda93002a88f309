"""Learning rates that grow by a factor at every update, as where a search for one was left in."""

from itertools import pairwise
from statistics import median

from rnn_doctor.derive.gradients import first_harmful_spike
from rnn_doctor.derive.optimizer import scales_itself
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

FEWEST = 15
LEAST = 1.02
"""A factor of 50 within 200 updates: searches take 100 to 200 updates for six decades or more."""
_EVEN = 0.01
"""How far the factors may differ: those of a linear warm-up fall as 1 + 1/k, those of a cosine rise and fall."""


@signal(unit="factor", reads=("steps.lr",))
def rate_growth(view: View) -> Measurement:
    """By what factor the largest learning rate grows at every update, up to the last one seen; 1 where it does not.

    A search for a learning rate goes so, and ExponentialLR with a gamma above 1; no warm-up and no cycle does.

    Reads: `log.steps[k].lr`. Unit: factor. None if: fewer than 15 updates with a rate above zero.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    rates = [max(step.lr) for step in view.steps if step.lr and max(step.lr) > 0]
    if len(rates) < FEWEST:
        return unknown(too_few(len(rates), "learning rate", "seen", FEWEST))
    factors = [later / rate for rate, later in pairwise(rates)]
    usual = median(factors)
    even = all(abs(factor / usual - 1) < _EVEN for factor in factors)
    return known(usual if even and usual > LEAST else 1.0, n=len(rates))


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
