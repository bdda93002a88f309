"""Validation losses held against the training losses of the same time."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from statistics import fmean, median

from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.uninformed import uninformed_loss
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

FEWEST = 3
"""Validations: the one that the gap is measured from, and two that must agree."""
LOOK_AHEAD = 5
"""Updates after a validation whose training losses it is held against."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A validation loss, the training loss before it, and the training losses after it.

    The one before is the mean over the second half of the updates since the validation before: at first the training
    loss falls steeply, and its mean over all of them would be that of a younger network.
    """

    validation: float
    before: float | None
    after: tuple[float, ...]


def _pairs(view: View) -> tuple[Pair, ...] | str:
    """One pair a validation, in order, or the reason why there are none."""
    if not view.log.steps:
        return NO_STEP
    series, why = view.once(validations)
    if not series:
        return why
    if not view.losses:
        return "no training loss was seen"
    losses = {step.step: step.loss for step in view.finite_steps if step.loss is not None}
    numbers = sorted(losses)
    found, begin = [], 0
    for evaluation in series:
        since = numbers[bisect_right(numbers, begin) : bisect_right(numbers, evaluation.step)]
        before = [losses[step] for step in since]
        ahead = range(evaluation.step + 1, evaluation.step + 1 + LOOK_AHEAD)
        after = tuple(losses[step] for step in ahead if step in losses)
        assert evaluation.loss is not None
        late = before[len(before) // 2 :]
        found.append(Pair(evaluation.loss, fmean(late) if late else None, after))
        begin = evaluation.step
    every = [v for p in found for v in (p.validation, p.before, *p.after) if v is not None]
    if min(every) <= 0 or not all(map(math.isfinite, every)):
        return "a loss is not positive, so that its ratios mean nothing"
    return tuple(found)


def _enough(view: View) -> tuple[Pair, ...] | str:
    """The pairs with a training loss before them, at least three."""
    pairs = view.once(_pairs)
    if isinstance(pairs, str):
        return pairs
    kept = tuple(pair for pair in pairs if pair.before is not None)
    return kept if len(kept) >= FEWEST else too_few(len(kept), "validation", "seen", FEWEST)


@signal(unit="share", reads=("evaluations.loss", "steps.loss"))
def gap_growth(view: View) -> Measurement:
    """How much further the validation loss lies above the training loss at the end than at the first validation.

    Ratio of the two now over the same ratio then, less 1; of the last two validations the smaller. What makes the
    two losses differ from the start, such as dropout, sums against means, or harder data, cancels.

    Reads: `log.evaluations[i].loss`, and the mean of `log.steps[k].loss` over the second half of the updates since the
    evaluation before. Unit: share; 0 where both fall alike.
    None if: fewer than 3 validations, no training loss, or losses that are not positive.
    """
    pairs = view.once(_enough)
    if isinstance(pairs, str):
        return unknown(pairs)
    ratios = [pair.validation / pair.before for pair in pairs if pair.before]
    return known(min(ratios[-2:]) / ratios[0] - 1, n=len(ratios))


@signal(unit="share", reads=("evaluations.loss",))
def validation_rise_early(view: View) -> Measurement:
    """How far the last two validation losses both lie above the best before them.

    Reads: `log.evaluations[i].loss`. Unit: share; negative where one of the two is a new best.
    None if: as gap_growth.
    """
    pairs = view.once(_enough)
    if isinstance(pairs, str):
        return unknown(pairs)
    losses = [pair.validation for pair in pairs]
    return known(min(losses[-2:]) / min(losses[:-2]) - 1, n=len(losses))


@signal(unit="share", reads=("evaluations.loss", "steps.loss"))
def training_fall_since_best(view: View) -> Measurement:
    """How far the training loss has fallen since the best validation: 1 - loss before the last / loss at the best.

    Reads: as gap_growth. Unit: share; 0 where the last validation is the best. None if: as gap_growth.
    """
    pairs = view.once(_enough)
    if isinstance(pairs, str):
        return unknown(pairs)
    best = min(pairs, key=lambda pair: pair.validation)
    assert best.before is not None
    assert pairs[-1].before is not None
    return known(1 - pairs[-1].before / best.before, n=len(pairs))


def _followed(view: View) -> list[Pair] | str:
    """The pairs with enough updates after them, at least two."""
    pairs = view.once(_pairs)
    if isinstance(pairs, str):
        return pairs
    kept = [pair for pair in pairs if len(pair.after) == LOOK_AHEAD]
    return kept if len(kept) > 1 else too_few(len(kept), "validation", "followed by five updates", 2)


@signal(unit="share", reads=("evaluations.loss", "steps.loss"))
def validation_below_training(view: View) -> Measurement:
    """How far the validation loss lies below the mean of the five training losses after it, median.

    After it, so that a training loss that is an average over an epoch in which it fell makes no difference.

    Reads: `log.evaluations[i].loss`, `log.steps[k].loss`. Unit: share; negative where it lies above.
    None if: fewer than 2 validations with five updates after them, or losses that are not positive.
    """
    pairs = _followed(view)
    if isinstance(pairs, str):
        return unknown(pairs)
    return known(median(1 - pair.validation / fmean(pair.after) for pair in pairs), n=len(pairs))


@signal(unit="share", reads=("evaluations.loss", "steps.loss"))
def validation_lowest_share(view: View) -> Measurement:
    """Share of the validations whose loss lies below every one of the five training losses after it.

    Were both drawn alike, one in six would.

    Reads: as validation_below_training. Unit: share. None if: as validation_below_training.
    """
    pairs = _followed(view)
    if isinstance(pairs, str):
        return unknown(pairs)
    return known(fmean(pair.validation < min(pair.after) for pair in pairs), n=len(pairs))


@signal(unit="ratio", reads=("evaluations.loss", "losses"))
def validation_uninformed_ratio(view: View) -> Measurement:
    """Best validation loss over that of an answer that knows nothing.

    That answer is the one of the training loss: equal odds for all classes, or the mean of the targets.

    Reads: `log.evaluations[i].loss`, `log.losses[i].input_shape`, `.baseline`. Unit: ratio; 1 where nothing that
    was learned carries over. None if: no validation, or the loss of such an answer is not known.
    """
    series, why = view.once(validations)
    if not series:
        return unknown(why)
    level = view.once(uninformed_loss)
    if level is None:
        return unknown("no loss was seen whose value for an answer that knows nothing is known")
    return known(min(e.loss for e in series if e.loss is not None) / level, n=len(series))
