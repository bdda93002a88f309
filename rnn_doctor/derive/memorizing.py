"""Whether the training shows what a rise of the validation loss would come of: that it still memorizes something."""

import math
from collections.abc import Sequence

from rnn_doctor.derive.curve_trend import best, training_means
from rnn_doctor.derive.generalization import validation_uninformed_ratio
from rnn_doctor.derive.losses import HALVED, loss_end_ratio
from rnn_doctor.derive.registry import known, signal
from rnn_doctor.derive.uninformed import CLASSIFYING
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.validating import Evaluation

UNINFORMED = 0.98
"""The best validation loss over that of an answer that knows nothing, above which nothing that was learned carries
over: the best of many evaluations lies a little below, whatever was learned."""
MEMORIZED = 0.02
"""Fall of the training loss since the best validation, as a share of the validation loss, that weaker evidence asks
for: with less, a loss on 200 examples rose by 8 %, and that on 1,500 others by 1.6 % (benchmarks/overfitting/)."""

LASTS = 8
"""Times as long as it took to the best validation: twice what rises had lasted that passed before anything was learned.
From 5 to 12 times no other training is called in vain than without (benchmarks/overfitting/waiting.txt).
"""
LASTS_KNOWING = 5
"""The same where the training loss shows that single examples are told apart: the fewest times that waiting.txt has
without a further call in vain. Without any waiting one of 118 that did not overfit was called by the 50th update."""
BEYOND = 0.9
"""Of the entropy of a batch's targets: below it the inputs are told apart, and not the classes counted alone."""
_LATEST = 5
"""Updates whose mean is the training loss."""


def memorized_since_best(view: View) -> float:
    """How far the training loss has fallen since the best validation, as a share of that; infinite where not known."""
    series, _ = view.once(validations)
    return memorized_by(view, series[-1]) if view.log.steps and series else math.inf


def memorized_by(view: View, evaluation: Evaluation) -> float:
    """The same at an evaluation, since the best up to it.

    By its means since the validation before each, for a batch alone is noise; against the validation loss, for a share
    of a training loss that is nearly 0 is nothing. The best is that of the examples, where they are seen: the script's
    own mean may be one over batches of unequal size.
    """
    means = view.once(_means)
    at, low = _best(view.once(validations)[0], evaluation)
    then, now = means.get(at), means.get(evaluation.step)
    return math.inf if then is None or now is None or not low else (then - now) / low


def _means(view: View) -> dict[int, float]:
    return dict(training_means(view, view.once(validations)[0]))


def _best(series: Sequence[Evaluation], last: Evaluation) -> tuple[int, float | None]:
    """The update of the best evaluation up to the last one, and its loss."""
    if last.rise is not None and last.examples is not None:
        mean, rise = last.examples.mean, last.rise
        return (rise.best_step, mean - rise.mean) if rise.mean > 0 else (last.step, mean)
    at = best(series)
    return series[at].step, series[at].loss


@signal(unit="claim", reads=("steps.loss",))
def training_halved(view: View) -> Measurement:
    """Whether the training loss stands below half of the very first one: loss_end_ratio below 0.5.

    Reads: as loss_end_ratio. Unit: claim. None if: as loss_end_ratio.
    """
    left = loss_end_ratio(view)
    assert isinstance(left, Measurement)
    return left if left.value is None else known(float(left.value) < HALVED, n=left.n)


@signal(unit="claim", reads=("evaluations.loss", "losses"))
def validation_uninformed(view: View) -> Measurement:
    """Whether the best validation loss is that of an answer that knows nothing: validation_uninformed_ratio above 0.98.

    Reads: as validation_uninformed_ratio. Unit: claim. None if: as validation_uninformed_ratio.
    """
    best = validation_uninformed_ratio(view)
    assert isinstance(best, Measurement)
    return best if best.value is None else known(float(best.value) > UNINFORMED, n=best.n)


def nothing_learned_yet(view: View) -> bool:
    """Whether neither the validation nor the training shows that anything was learned.

    The validation loss never came below that of an answer that knows nothing, and the training loss has not halved. It
    then rises because the network grows confident, whatever comes of it: some go on to learn what carries over. They
    do so soon, or not at all: not where the rise has lasted.
    """
    uninformed, halved = validation_uninformed(view), training_halved(view)
    assert isinstance(uninformed, Measurement)
    assert isinstance(halved, Measurement)
    waits = uninformed.value is True and halved.value is False
    return waits and rise_lasted(view) <= (LASTS_KNOWING if knows_more_than_frequencies(view) else LASTS)


def knows_more_than_frequencies(view: View) -> bool:
    """Whether the training loss stands well below that of an answer that knows how often each class is the target.

    That is the entropy of the targets of a batch, which is too low, if anything, for batches are small.
    """
    calls = view.log.losses
    known_of = [call.baseline for call in calls if call.function in CLASSIFYING and call.baseline is not None]
    if not known_of or len(known_of) < len(calls) or len({call.site for call in calls}) > 1:
        return False
    latest = view.losses[-_LATEST:]
    return bool(latest) and sum(latest) / len(latest) < BEYOND * sum(known_of) / len(known_of)


def rise_lasted(view: View) -> float:
    """Updates since the best validation, over those up to it; up to the first after an update where none was better.

    0 without a rise by the examples: by the curve alone a rise that lasted was one of a training that stood still.
    """
    series, _ = view.once(validations)
    if not series or (rise := series[-1].rise) is None or rise.mean <= 0:
        return 0.0
    updated = next(each.step for each in series if each.step > 0)
    return (series[-1].step - rise.best_step) / max(rise.best_step, updated)
