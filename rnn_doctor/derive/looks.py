"""At which evaluation the losses of its examples show that the validation loss has risen for good.

A sequential test. Each evaluation is held against the best before it, example by example; what an evaluation showed
stands until a better one comes. The smaller the training loss beside it, the less it takes: a network that knows the
training data by heart is likely to have lost by it, one that does not is likely to have met with noise. Both are
weighed in standard errors. What these do not hold, that the weights jump between evaluations, is told by the series: a
loss that turns is curved upwards, one that jumps is curved downwards as often.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from rnn_doctor.derive.memorizing import MEMORIZED, memorized_by
from rnn_doctor.derive.overfitting import SMALLEST_RISE, Standing, last_by_examples, standings
from rnn_doctor.derive.same_weights import parted_by
from rnn_doctor.derive.validation import WINDOW, validations
from rnn_doctor.derive.view import View
from rnn_doctor.schema.validating import Evaluation

ENOUGH = 3.0
"""Standard errors, and as many as the logarithm of the validation loss over the training loss adds: of 2 to 4, with a
weight of 0.5 to 1.5, chosen by leaving one task out (benchmarks/overfitting/results.md)."""
AT_LEAST_Z = 0.67
"""One-sided 25 %: below it nothing else makes a rise of it."""
BY_ITSELF_Z = 2.33
"""One-sided 1 %: below it the training loss must have fallen since the best, and not only lie no higher."""
PARTED = 0.4
"""Above the training loss at the same weights, as a share of it."""
LASTING_RISE = 0.05
"""Of ten evaluations and more single ones lie up to 9 % above the best in trainings that only stand still, and some of
them beyond the chance that the examples make (benchmarks/overfitting/results.md)."""
CURVATURES = 8
"""Second differences that tell how far the weights jump."""


@dataclass(frozen=True, slots=True)
class Look:
    """One evaluation, and what stood beside it."""

    standing: Standing
    z: float
    """With the one before it, where both lie above the same best."""
    parted: float | None
    """Above the training loss at the same weights, as a share of it."""
    memorized: float
    """Fall of the training loss since the best, as a share of the validation loss."""
    jumps: float
    """Standard deviation of the difference of two logarithms of the loss by jumps of the weights."""
    stays_up: bool

    @property
    def sure(self) -> bool:
        """Whether the rise is beyond the chance of the examples and beyond what the weights jump."""
        if self.parted is None or self.parted <= -1 or self.standing.rise <= -1:
            return False
        weaker = self.standing.rise_z <= BY_ITSELF_Z and self.memorized <= MEMORIZED
        enough = self.z + math.log1p(self.parted) > ENOUGH and self.standing.rise_z > AT_LEAST_Z
        return enough and not weaker and math.log1p(self.standing.rise) > self.jumps

    @property
    def leaves_training_behind(self) -> bool:
        """Whether the rise is not one of both losses, and the training loss lies lower than at the best."""
        return self.parted is not None and self.parted > PARTED and self.memorized > 0

    @property
    def rises(self) -> bool:
        """Whether all of it tells of a loss that has risen for good."""
        lasts = self.standing.rise > SMALLEST_RISE and self.stays_up
        return lasts and self.sure and self.leaves_training_behind


def deciding(view: View) -> Look | None:
    """The last evaluation, or the last that showed a rise since the best where it lies 2 % above that still.

    None where the curve has to do.
    """
    last = view.once(last_by_examples)
    if last is None:
        return None
    found = view.once(standings)
    assert not isinstance(found, str)
    now = look_at(view, len(found) - 1)
    if now.rises or last.rise <= SMALLEST_RISE or last.evaluation.rise is None:
        return now
    since = last.evaluation.rise.best_step
    before = (k for k in range(len(found) - 2, -1, -1) if found[k].evaluation.step > since)
    return next((look for look in (look_at(view, k) for k in before) if look.rises), now)


def look_at(view: View, at: int) -> Look:
    """The evaluation of the standing of this index, by all that was seen up to the update after it."""
    found, (numbers, losses, lowest) = view.once(standings), view.once(_curve)
    assert not isinstance(found, str)
    standing = found[at]
    k = numbers[standing.evaluation.step]
    until = losses[: k + 1]
    memorized = memorized_by(view, standing.evaluation)
    return Look(
        standing,
        _z(found, at) if memorized > MEMORIZED else standing.rise_z,
        parted_by(view, at),
        memorized,
        jumps(until),
        until[lowest[k]] > 0 and stays_up(until, lowest[k]),
    )


def _z(found: Sequence[Standing], at: int) -> float:
    """The z of an evaluation, or of it and the one before together where both lie above the same best.

    Together as z's of looks of their own (Stouffer's sum over the root of two): what the updates between did to the
    weights is another, but the examples are the same. That makes two of 1.65 enough, which by the draw of the examples
    alone chance brings in 5 %; so the training loss must have fallen since the best as well.
    """
    z, before = found[at].rise_z, found[at - 1] if at else None
    if before is None or before.rise <= 0 or found[at].rise <= 0:
        return z
    return max(z, (before.rise_z + z) / math.sqrt(2))


def _curve(view: View) -> tuple[dict[int, int], list[float], list[int]]:
    """The number of each evaluation by its update, their losses, and the lowest of them up to each."""
    series = view.once(validations)[0]
    losses = losses_of(series)
    lowest = [0] * len(losses)
    for k in range(1, len(losses)):
        lowest[k] = k if losses[k] < losses[lowest[k - 1]] else lowest[k - 1]
    return {each.step: k for k, each in enumerate(series)}, losses, lowest


def losses_of(series: Sequence[Evaluation]) -> list[float]:
    """The mean loss over the examples of each evaluation, where known of all; else the loss that the script computed.

    Scripts take the mean over batches, in which 8 examples of a last batch weigh as much as 64 of another.
    """
    by_example = [e.examples.mean for e in series if e.examples is not None]
    return by_example if len(by_example) == len(series) else [e.loss for e in series if e.loss is not None]


def jumps(losses: Sequence[float]) -> float:
    """Standard deviation of the difference of two logarithms of the loss that jumps of the weights make.

    Of independent noise the second differences have six times its variance, and half of them are curved downwards;
    those curved upwards are left out, for a loss that turns is. 0 where there are none yet.
    """
    levels = [math.log(loss) for loss in losses[-CURVATURES - 2 :] if loss > 0]
    bent = [levels[k + 1] - 2 * levels[k] + levels[k - 1] for k in range(1, len(levels) - 1)]
    noise = 2 * fmean(min(each, 0.0) ** 2 for each in bent) / 6 if bent else 0.0
    return math.sqrt(2 * noise)


def stays_up(losses: Sequence[float], lowest: int) -> bool:
    """Whether the rise is more than what single evaluations differ by: one best that was lucky, one last that was not.

    Of 10 and more: the mean of the last two lies 5 % above the best and its neighbours, the median of the three. Of
    fewer, which give luck less of a choice: the last lies 2 % above the best, which is that of the number `lowest`.
    """
    if len(losses) < WINDOW:
        return losses[-1] / losses[lowest] - 1 > SMALLEST_RISE
    return smoothed_rise(losses, lowest) > LASTING_RISE


def smoothed_rise(losses: Sequence[float], at: int) -> float:
    """The mean of the last two, from the best on, over the median of the best and its neighbours, less 1."""
    low = median(losses[max(0, at - 1) : at + 2])
    return fmean(losses[max(at, len(losses) - 2) :]) / low - 1
