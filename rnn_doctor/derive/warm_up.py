"""Learning rates that are small because they still rise: by a schedule, or by the optimizer's own doing."""

import itertools
import math
from statistics import median

from rnn_doctor.derive.data_size import batches_a_pass
from rnn_doctor.derive.optimizer import leading_kinds
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

EARLY = 50
"""Updates within which the size of the steps is judged."""
LONGEST = 40_000
"""Updates; small networks take 18 times as long then (benchmarks/thresholds/warm_ups.py). The warm-up of wav2vec 2.0
takes 32,000 of 400,000, that of RoBERTa 24,000, of BERT 10,000."""
LONG = 4_000
"""Updates, behind which small networks take 4.7 times as long (the same)."""
MANY_PASSES = 100
"""Passes over the training data: twice those of the longest warm-up of a published training that we know of, again
that of wav2vec 2.0: 53, of some 600 updates each."""
LONG_ALONE = 8_000
"""Updates, of a small network: the longest of one that we know of takes 6,600, 10 passes over its data (MatchboxNet,
93,000 parameters)."""
SOME_PASSES = 20
"""Twice as many passes as those."""
SMALL = 1_000_000
"""Trained parameters; the networks whose published warm-ups are longer have ten times as many and more (Conformer S has
10 million, and takes 10,000 updates)."""
WARMING = frozenset(("LinearLR", "ConstantLR", "SequentialLR", "ChainedScheduler", "OneCycleLR", "CyclicLR"))
"""Schedules of torch that may begin below the rate they lead to; those of others have warmup in their name."""
_HORIZON = 400
"""Updates after which a step of RAdam has the size that is held against that of others: with as few as these none of 19
networks that learned is found, and of 9 that did not all but one (benchmarks/thresholds/warm_ups.py)."""
_BETA = 0.999
"""RAdam's default, where the log does not tell."""
_FEWEST = 5.0
"""Length of its average up to which RAdam does not divide by it, and makes steps of another kind."""


def warms_up(view: View, updates: int) -> bool:
    """Whether the largest learning rate still grew in the second half of these updates."""
    rates = [max(step.lr) for step in view.steps[:updates] if step.lr]
    return len(rates) > 1 and rates[-1] > 1.02 * rates[len(rates) // 2]


def waits(view: View, updates: int) -> str | None:
    """A schedule that may warm up and left the rate alone during these updates; None where there is none."""
    if len({step.lr for step in view.steps[:updates]}) > 1:
        return None
    kinds = (scheduler.kind for scheduler in view.log.schedulers)
    return next((kind for kind in kinds if kind in WARMING or "warmup" in kind.lower()), None)


@signal(unit="updates", reads=("steps.lr", "schedulers"))
def warm_up_updates(view: View) -> Measurement:
    """How many updates the warm-up of the learning rate takes, at least, as often as its schedule was called.

    The calls that it takes by its own plan, by the updates between two changes of the rate; where the rate has not
    changed at all, by those that were seen. A warm-up in updates that is called once an epoch takes that many epochs.

    Reads: `log.schedulers[i].warm_up`, `log.steps[k].lr` of the first 50 updates. Unit: updates.
    None if: no schedule of the leading optimizers tells of a warm-up.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    lead = view.turns[0]
    plans = [
        s.warm_up for s in view.log.schedulers if s.warm_up and (s.optimizer is None or s.optimizer in lead)
    ]
    if not plans:
        return unknown("no schedule was seen that tells how long it warms up")
    rates = [step.lr for step in view.steps[:EARLY]]
    changes = sum(rate != before for before, rate in itertools.pairwise(rates))
    between = 1.0 if changes >= len(rates) - 1 else len(rates) / max(1, changes)
    return known(max(plans) * between, n=len(rates))


@signal(unit="epochs", reads=("steps.lr", "steps.backwards", "schedulers", "loaders"))
def warm_up_passes(view: View) -> Measurement:
    """How many passes over the training data these updates are.

    Reads: as warm_up_updates; `log.steps[k].backwards`, `log.loaders[id].samples`, `.batch_size` of what trains.
    Unit: epochs. None if: as warm_up_updates, or the batches of a pass are not known.
    """
    updates, batches = warm_up_updates(view), view.once(batches_a_pass)
    assert isinstance(updates, Measurement)
    if updates.value is None:
        return updates
    if isinstance(batches, str):
        return unknown(batches)
    each = median(step.backwards for step in view.steps)
    return known(float(updates.value) * each / batches, n=updates.n)


@signal(unit="claim", reads=("steps.lr", "steps.backwards", "schedulers", "loaders", "parameters"))
def warm_up_endless(view: View) -> Measurement:
    """Whether the warm-up takes longer than that of any training we know of: it is none.

    More than 40,000 updates; or more than 4,000 that are more than 100 passes over the data; or more than 8,000 of a
    network of less than a million parameters, unless they are 20 passes or fewer, as where the data are many.

    Reads: as warm_up_updates and warm_up_passes; `log.parameters[id].shape`. Unit: claim.
    None if: as warm_up_updates.
    """
    updates, passes = warm_up_updates(view), warm_up_passes(view)
    assert isinstance(updates, Measurement)
    assert isinstance(passes, Measurement)
    if updates.value is None:
        return updates
    many = float(updates.value) > LONG and passes.value is not None and float(passes.value) > MANY_PASSES
    some = passes.value is None or float(passes.value) > SOME_PASSES
    beyond = float(updates.value) > LONG_ALONE and some and 0 < _trained(view) < SMALL
    return known(float(updates.value) > LONGEST or many or beyond, n=updates.n)


def _trained(view: View) -> int:
    """How many numbers the optimizers hold."""
    held = (p for p in view.log.parameters.values() if p.trainable and p.optimizer is not None)
    return sum(math.prod(p.shape) for p in held)


@signal(unit="rate", reads=("steps.lr", "schedulers"))
def warm_up_rate(view: View) -> Measurement:
    """The learning rate that the warm-up leads to, by the plan of its schedule.

    Reads: `log.schedulers[i].warm_up_rate`, `log.steps[k].lr`. Unit: rate.
    None if: no schedule of the leading optimizers tells, or several tell otherwise, or the rate has come further.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    lead = view.turns[0]
    ends = {
        s.warm_up_rate
        for s in view.log.schedulers
        if s.warm_up_rate is not None and (s.optimizer is None or s.optimizer in lead)
    }
    rates = [max(step.lr) for step in view.steps if step.lr]
    if len(ends) != 1 or not rates or max(ends) < max(rates):
        return unknown("no schedule was seen that tells what rate it warms up to")
    return known(max(ends), n=len(rates))


def risen(view: View, update: int) -> float | None:
    """What share the largest rate had at an update of the one that the warm-up leads to; None where it is not known."""
    end = warm_up_rate(view)
    assert isinstance(end, Measurement)
    if not end.value or update > len(view.steps) or not view.steps[update - 1].lr:
        return None
    return max(view.steps[update - 1].lr) / float(end.value)


def endless(view: View) -> bool:
    """Whether a warm-up is known that is none."""
    found = warm_up_endless(view)
    assert isinstance(found, Measurement)
    return found.value is True


def reached(view: View, update: int) -> float:
    """What share an update has of the size that updates of this optimizer grow to within 400; 1 of all but RAdam.

    RAdam begins with plain gradients for some five updates, and then makes its steps smaller by a factor that grows
    from 0.02 to 1 over some thousands: it warms up by itself. 0 for those first updates, which tell nothing.
    Source: Liu et al. 2020, On the variance of the adaptive learning rate and beyond, algorithm 2.
    """
    kinds = leading_kinds(view)
    if not kinds or any(kind.lower() != "radam" for kind in kinds):
        return 1.0
    told = [view.log.optimizers[o].beta2 for o in view.turns[0] if o in view.log.optimizers]
    beta = max((b for b in told if b is not None), default=_BETA)
    return _rectification(update, beta) / _rectification(max(update, _HORIZON), beta)


def _rectification(update: int, beta: float) -> float:
    """RAdam's factor r_t; 0 where it does not apply yet."""
    longest = 2 / (1 - beta) - 1
    power = beta**update
    length = longest - 2 * update * power / (1 - power)
    if length <= _FEWEST:
        return 0.0
    part = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    return math.sqrt(part)
