"""Whether the validation loss has risen for good while the network memorizes: by single examples, or by the curve.

By single examples it is told from the second evaluation on (looks.py), by the curve alone from the tenth on.
"""

from rnn_doctor.derive.curve_trend import training_trend, validation_trend_z
from rnn_doctor.derive.looks import deciding, losses_of, stays_up
from rnn_doctor.derive.memorizing import nothing_learned_yet
from rnn_doctor.derive.overfitting import NO_SINGLE, last_by_examples, of_curve, within_first_pass
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.validation import validation_rise, validations
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

RISES_Z = 2.33
"""One-sided 1 %."""
FALLS_Z = 1.64
"""One-sided 5 %."""


@signal(unit="basis", reads=("evaluations",))
def overfitting_basis(view: View) -> Measurement:
    """What tells whether the network overfits: `examples`, losses of single ones, or the `curve`.

    The curve where single losses were not seen.

    Reads: `log.evaluations[i].rise`, `.trained`, `.loss`. Unit: basis.
    None if: no validation was seen, or a single one.
    """
    series, why = view.once(validations)
    if len(series) < 2:
        return unknown(why or too_few(len(series), "validation", "seen", 2))
    return known("curve" if view.once(deciding) is None else "examples", n=len(series))


@signal(unit="Z", reads=("evaluations", "steps.loss"))
def validation_rise_z(view: View) -> Measurement:
    """How far above the best, in standard errors, the validation loss has risen.

    By examples: the mean difference of the last validation from the best before it, in standard errors; example by
    example where both looked at the same ones in the same order, otherwise as two samples. Where the validation before
    lies above the same best too, and the training loss has fallen since, the larger of this and of both together, as
    the sum of their two over the root of 2. Where the last does not show a rise, the last that did since the best.
    By the curve: validation_trend_z.

    Reads: `log.evaluations[i].rise`, `.loss`, `log.steps[k].loss`. Unit: Z.
    None if: fewer than 2 validations, or fewer than 10 where the losses do not fall into 16 examples or more.
    Source: Stouffer et al. 1949, The American Soldier, vol. 1, note 14.
    """
    look = view.once(deciding)
    return of_curve(validation_trend_z, view) if look is None else known(look.z, n=look.standing.count)


@signal(unit="claim", reads=("evaluations", "steps.loss"))
def validation_rise_is_sure(view: View) -> Measurement:
    """Whether the rise is beyond chance: of the examples that happened to be drawn, and of jumps of the weights.

    By examples: validation_rise_z and the logarithm of the validation loss over the training loss at the same weights
    make more than 3, the former above 0.67; below 2.33 standard errors by itself, the training loss has fallen since
    the best by 2 % of the validation loss. And the logarithm of the rise is larger than the standard deviation of such
    a difference that the weights make by jumping, told by the downward bends of the last ten losses. By the curve:
    validation_trend_z above 2.33, one-sided 1 %.

    Reads: as validation_rise_z, and `log.evaluations[i].examples`, `.trained`. Unit: claim. None if: as that.
    """
    look = view.once(deciding)
    if look is not None:
        return known(look.sure, n=look.standing.count)
    trend = of_curve(validation_trend_z, view)
    return trend if trend.value is None else known(float(trend.value) > RISES_Z, n=trend.n)


@signal(unit="share", reads=("evaluations",))
def validation_lasting_rise(view: View) -> Measurement:
    """How far the last validation loss lies above the best before it; by the curve, validation_rise.

    Reads: as validation_rise_z. Unit: share; negative where the last is a new best. None if: as validation_rise_z.
    """
    if view.once(deciding) is None:
        return of_curve(validation_rise, view)
    last = view.once(last_by_examples)
    assert last is not None
    return known(last.rise, n=last.count)


@signal(unit="claim", reads=("evaluations.loss",))
def validation_stays_up(view: View) -> Measurement:
    """Whether the rise is more than what single evaluations differ by: one best that was lucky, one last that was not.

    Of 10 validations and more: the mean of the last two lies 5 % above the best and its neighbours, the median of the
    three. Of fewer, which give luck less of a choice: the last lies 2 % above the best. The last is that of
    validation_rise_z.

    Reads: `log.evaluations[i].examples`, `.loss`. Unit: claim.
    None if: fewer than 2 validations, or a best loss that is not positive.
    """
    losses = losses_of(view.once(validations)[0])
    if len(losses) < 2:
        return of_curve(validation_rise, view)  # which says why, as the other signals of the rise do
    if min(losses) <= 0:
        return unknown("the validation loss is not positive, so that its ratios mean nothing")
    look = view.once(deciding)
    up = stays_up(losses, losses.index(min(losses))) if look is None else look.stays_up
    return known(up, n=len(losses))


@signal(unit="claim", reads=("evaluations", "steps.loss"))
def leaves_training_behind(view: View) -> Measurement:
    """Whether the validation loss has parted from the training loss, so that a rise is not one of both.

    By examples: it lies 40 % above the training loss at the same weights, which is that of the update after it, and the
    training loss lies lower than at the best validation. By the curve: training_trend below -1.64. In the first pass
    over the data it has not: what was seen once cannot have been memorized. Nor where nothing is learned yet.

    Reads: as validation_rise_is_sure, training_trend, data_repeated, validation_uninformed_ratio and loss_end_ratio.
    Unit: claim. None if: as those.
    """
    look = view.once(deciding)
    early = within_first_pass(view) or nothing_learned_yet(view)
    if look is None:
        trend = of_curve(training_trend, view)
        if trend.value is None:
            return trend
        return known(float(trend.value) < -FALLS_Z and not early, n=trend.n)
    if look.parted is None:
        return unknown(NO_SINGLE)
    return known(look.leaves_training_behind and not early, n=look.standing.count)
