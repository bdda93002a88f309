"""Whether the validation loss has risen for good while the network memorizes: by single examples, or by the curve.

Both are asked where both can be: the examples tell from the second evaluation on, and the trend since the best tells,
from the tenth on, of a rise that few examples carry, so that their differences scatter too widely. The trend sees what
the updates do to the loss of these examples, and not that others would have behaved otherwise: alone it does not tell.
"""

import math
from collections.abc import Sequence
from statistics import fmean, median

from rnn_doctor.derive.curve_trend import training_trend, validation_trend_z
from rnn_doctor.derive.memorizing import MEMORIZED, memorized_since_best, nothing_learned_yet
from rnn_doctor.derive.overfitting import (
    NO_SINGLE,
    SMALLEST_RISE,
    Standing,
    has_parted,
    last_by_examples,
    of_curve,
    standings,
    within_first_pass,
)
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.validation import WINDOW, validation_rise, validations
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.validating import Evaluation

RISES_Z = 2.33
"""One-sided 1 %, as RD501 asks."""
FALLS_Z = 1.64
"""One-sided 5 %."""
FEW_CARRY_Z = 1.28
"""One-sided 10 %: below it the trend of the curve may be that of the few examples which happened to be drawn."""
LASTING_RISE = 0.05
"""Of ten evaluations and more single ones lie up to 9 % above the best in trainings that only stand still, and some of
them beyond the chance that the examples make (benchmarks/overfitting/results.md)."""


def deciding(view: View) -> Standing | None:
    """The evaluation that decides by its examples; None where the curve does.

    The curve decides where the losses of single examples were not seen, and where it alone tells of a rise.
    """
    last = view.once(last_by_examples)
    if last is None or (_examples_z(view, last) > RISES_Z and last.rise > SMALLEST_RISE and has_parted(last)):
        return last
    if last.rise_z <= FEW_CARRY_Z or view.once(memorized_since_best) <= MEMORIZED:
        return last
    trend, rise, training = (
        of_curve(measure, view).value for measure in (validation_trend_z, validation_rise, training_trend)
    )
    if trend is None or rise is None or training is None:
        return last
    alone = float(trend) > RISES_Z and float(rise) > SMALLEST_RISE and float(training) < -FALLS_Z
    return None if alone else last


def _examples_z(view: View, last: Standing) -> float:
    """The z of the last evaluation, or of the last two together where both lie above the same best.

    Together as z's of looks of their own (Stouffer's sum over the root of two): what the updates between did to the
    weights is another, but the examples are the same. That makes two of 1.65 enough, which by the draw of the examples
    alone chance brings in 5 %; so the training loss must have fallen since the best as well.
    """
    found = view.once(standings)
    assert not isinstance(found, str)
    before = found[-2] if len(found) > 1 else None
    if before is None or before.rise <= 0 or last.rise <= 0 or view.once(memorized_since_best) <= MEMORIZED:
        return last.rise_z
    return max(last.rise_z, (before.rise_z + last.rise_z) / math.sqrt(2))


@signal(unit="basis", reads=("evaluations",))
def overfitting_basis(view: View) -> Measurement:
    """What tells whether the network overfits: `examples`, losses of single ones, or the `curve`.

    The curve where single losses were not seen, and where the curve alone tells of a rise.

    Reads: `log.evaluations[i].rise`, `.trained`, `.loss`. Unit: basis.
    None if: no validation was seen, or a single one.
    """
    series, why = view.once(validations)
    if len(series) < 2:
        return unknown(why or too_few(len(series), "validation", "seen", 2))
    return known("curve" if view.once(deciding) is None else "examples", n=len(series))


@signal(unit="Z", reads=("evaluations",))
def validation_rise_z(view: View) -> Measurement:
    """How sure it is that the validation loss has risen.

    By examples: the mean difference of the last validation from the best before it, in standard errors; example by
    example where both looked at the same ones in the same order, otherwise as two samples. Where the validation before
    lies above the same best too, the larger of this and of both together, as the sum of their two over the root of 2.
    By the curve: validation_trend_z.

    Reads: `log.evaluations[i].rise`, `.loss`. Unit: Z; above 2.33 it has (one-sided 1 %).
    None if: fewer than 2 validations, or fewer than 10 where the losses do not fall into 16 examples or more.
    Source: Stouffer et al. 1949, The American Soldier, vol. 1, note 14.
    """
    last = view.once(deciding)
    return (
        of_curve(validation_trend_z, view) if last is None else known(_examples_z(view, last), n=last.count)
    )


@signal(unit="share", reads=("evaluations",))
def validation_lasting_rise(view: View) -> Measurement:
    """How far the last validation loss lies above the best before it; by the curve, validation_rise.

    Reads: as validation_rise_z. Unit: share; negative where the last is a new best. None if: as validation_rise_z.
    """
    last = view.once(deciding)
    return of_curve(validation_rise, view) if last is None else known(last.rise, n=last.count)


@signal(unit="claim", reads=("evaluations.loss",))
def validation_stays_up(view: View) -> Measurement:
    """Whether the rise is more than what single evaluations differ by: one best that was lucky, one last that was not.

    Of 10 validations and more: the mean of the last two lies 5 % above the best and its neighbours, the median of the
    three. Of fewer, which give luck less of a choice: the last lies 2 % above the best.

    Reads: `log.evaluations[i].examples`, `.loss`. Unit: claim.
    None if: fewer than 2 validations, or a best loss that is not positive.
    """
    series, _ = view.once(validations)
    losses = _losses(series)
    if len(losses) < 2:
        return of_curve(validation_rise, view)  # which says why, as the other signals of the rise do
    if min(losses) <= 0:
        return unknown("the validation loss is not positive, so that its ratios mean nothing")
    if len(losses) < WINDOW:
        return known(losses[-1] / min(losses) - 1 > SMALLEST_RISE, n=len(losses))
    return known(smoothed_rise(losses, losses.index(min(losses))) > LASTING_RISE, n=len(losses))


def _losses(series: Sequence[Evaluation]) -> list[float]:
    """The mean loss over the examples of each evaluation, where known of all; else the loss that the script computed.

    Scripts take the mean over batches, in which 8 examples of a last batch weigh as much as 64 of another.
    """
    by_example = [e.examples.mean for e in series if e.examples is not None]
    return by_example if len(by_example) == len(series) else [e.loss for e in series if e.loss is not None]


def smoothed_rise(losses: Sequence[float], at: int) -> float:
    """The mean of the last two, from the best on, over the median of the best and its neighbours, less 1."""
    low = median(losses[max(0, at - 1) : at + 2])
    return fmean(losses[max(at, len(losses) - 2) :]) / low - 1


@signal(unit="claim", reads=("evaluations", "steps.loss"))
def leaves_training_behind(view: View) -> Measurement:
    """Whether the validation loss has parted from the training loss, so that a rise is not one of both.

    By examples: validation_gap above 0.2 and validation_gap_z above 3, and the training loss lies lower than at the
    best validation. By the curve: training_trend below -1.64. In the first pass over the data it has not: what was seen
    once cannot have been memorized. Nor where nothing is learned yet.

    Reads: as those, data_repeated, validation_uninformed_ratio and loss_end_ratio. Unit: claim. None if: as those.
    """
    last = view.once(deciding)
    early = within_first_pass(view) or nothing_learned_yet(view)
    if last is None:
        trend = of_curve(training_trend, view)
        if trend.value is None:
            return trend
        return known(float(trend.value) < -FALLS_Z and not early, n=trend.n)
    if last.gap is None or last.gap_z is None:
        return unknown(NO_SINGLE)
    falls = view.once(memorized_since_best) > 0
    return known(has_parted(last) and falls and not early, n=last.count)
