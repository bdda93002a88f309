"""Learning rates that grow by a factor at every update, as where a search for one was left in."""

import math
from statistics import median

from rnn_doctor.derive.gradients import first_harmful_spike
from rnn_doctor.derive.optimizer import scales_itself
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.searches import FEWEST, LEAST, factor
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

MANIFOLD = 2.0
"""Times the first rate, from which on a rate that rises has left what was seen to be small enough."""
LONGER = 2.0
"""Times the usual norm, up to which a clipped gradient makes an update like others: spikes are 10 times and more."""


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

    An optimizer that divides the gradient's size out is not thrown by it, nor one that is given a clipped gradient of
    the size that all have; and where the rate rises some step is the first that is too long.
    """
    spike = view.once(first_harmful_spike)
    if spike is None or view.once(scales_itself) or view.once(grows) or view.once(spikes_as_it_rises):
        return None
    return None if _as_long_as_others(view, spike) else spike


@signal(unit="ratio", reads=("steps.lr", "steps.grad_norm", "steps.loss"))
def rate_risen_to_spike(view: View) -> Measurement:
    """To how many times its first value the largest rate had risen when the gradient spiked and the loss ran away.

    1 where there was no such spike, or the rate did not rise at it: a rate that leads to a spike wherever it stands
    is not told from a gradient that explodes by itself.

    Reads: `log.steps[k].lr`, and what grad_norm_spike_count reads. Unit: ratio. None if: no step, or no rate was seen.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    rates = {step.step: max(step.lr) for step in view.steps if step.lr and max(step.lr) > 0}
    if not rates:
        return unknown("no learning rate was seen")
    spike = view.once(first_harmful_spike)
    rose = spike is not None and rates.get(spike, 0.0) > rates.get(spike - 1, math.inf)
    return known(rates[spike] / next(iter(rates.values())) if rose and spike else 1.0, n=len(rates))


def spikes_as_it_rises(view: View) -> bool:
    """Whether the first harmful spike came while the largest rate rose, and stood above twice its first value.

    So it is where a cycle or a warm-up leads to a rate that is too large.
    """
    found = rate_risen_to_spike(view)
    assert isinstance(found, Measurement)
    return found.value is not None and float(found.value) > MANIFOLD


def _as_long_as_others(view: View, spike: int) -> bool:
    """Whether clipping left of this step's gradient hardly more than most updates before it were given."""
    given = {
        step.step: step.clipped_norm if step.clipped_norm is not None else step.grad_norm
        for step in view.finite_steps
        if step.grad_norm is not None
    }
    before = [norm for number, norm in given.items() if norm is not None and number < spike]
    own = given.get(spike)
    clipped = any(step.step == spike and step.clipped_norm is not None for step in view.finite_steps)
    return clipped and own is not None and bool(before) and own <= LONGER * median(before)
