"""Whether the output can reach the scale of regression targets within reasonable time."""

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from statistics import fmean
from typing import NamedTuple

from rnn_doctor.derive.loss_heads import loss_sites
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.uninformed import COMPARING
from rnn_doctor.derive.view import View
from rnn_doctor.derive.warm_up import waits, warms_up
from rnn_doctor.schema.runlog import LossCall
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

REACHED = 0.1
"""Share of the targets' spread that outputs which follow them at all have soon; predictable parts differ."""


class Scale(NamedTuple):
    """Mean and standard deviation of a loss's outputs and targets at one sampled step."""

    updates: int
    """Updates made before it."""
    mean: float
    std: float
    target_mean: float
    target_std: float

    @property
    def off_level(self) -> float:
        """How far the means lie apart beyond one standard deviation of the targets."""
        return max(0.0, abs(self.target_mean - self.mean) - self.target_std)

    @property
    def short_of_spread(self) -> float:
        """What the outputs' standard deviation lacks of a tenth of the targets'."""
        return max(0.0, REACHED * self.target_std - self.std)


class Way(NamedTuple):
    """The longer of the two ways that outputs have to go, to the targets' level or to their spread."""

    updates: float
    """Still needed at the fastest pace between two samples; infinite where they stand still."""
    closed: float
    """Share of it that was gone at the last sample; not below 0."""


def way(scales: Sequence[Scale]) -> Way:
    """How far the outputs still have to go after the last of two or more samples.

    To the targets of all samples: those of one batch lie higher or lower by chance, and nothing has moved by that.
    """
    goal, width = fmean(s.target_mean for s in scales), fmean(s.target_std for s in scales)
    first, last = (s._replace(target_mean=goal, target_std=width) for s in (scales[0], scales[-1]))
    level = _way(first.off_level, last.off_level, [(s.updates, s.mean) for s in scales])
    spread = _way(first.short_of_spread, last.short_of_spread, [(s.updates, s.std) for s in scales])
    return max(level, spread)


def _way(first: float, last: float, course: Sequence[tuple[int, float]]) -> Way:
    if last == 0:
        return Way(0.0, 1.0)
    pace = max(abs(b - a) / (later - earlier) for (earlier, a), (later, b) in combinations(course, 2))
    return Way(last / pace if pace > 0 else math.inf, max(0.0, 1 - last / first) if first > 0 else 0.0)


@signal(unit="updates", by="loss", reads=("losses", "steps.lr"))
def target_updates_needed(view: View) -> dict[str, Measurement]:
    """Updates until the outputs of a regression loss come to the scale of its targets.

    That is within one standard deviation of their mean, and to a tenth of their standard deviation, at the fastest
    pace of mean or standard deviation between two sampled steps: a lucky batch only makes it faster.

    Reads: `log.losses[i].mean`, `.std`, `.target_mean`, `.target_std` of mse_loss, l1_loss, smooth_l1_loss,
    huber_loss and differences written by hand, with targets of floating point; `log.steps[k].lr`. Unit: updates.
    None if: broadcast targets, fewer than 2 sampled calls, a learning rate that still warms up or
    whose warm-up has not begun, outputs that do not move at all.
    """

    def needed(scales: Sequence[Scale]) -> Measurement:
        number = way(scales).updates
        if math.isinf(number):
            return unknown("the outputs did not move, which is no matter of the targets' scale")
        return known(number, n=len(scales))

    return _of_each(view, needed)


@signal(unit="share", by="loss", reads=("losses", "steps.lr"))
def target_distance_closed(view: View) -> dict[str, Measurement]:
    """Share of the way to the targets' scale that lay before the first sampled step and was gone at the last.

    The way to their level or to their spread, as in target_updates_needed, whichever is longer.

    Reads: as target_updates_needed. Unit: share. None if: as target_updates_needed.
    """
    return _of_each(view, lambda scales: known(way(scales).closed, n=len(scales)))


@signal(unit="targets' unit", by="loss", reads=("losses", "steps.lr"))
def target_magnitude(view: View) -> dict[str, Measurement]:
    """Root mean square of the targets of a regression loss, over all sampled calls; 1 for standardized ones.

    Reads: as target_updates_needed. Unit: that of the targets. None if: as target_updates_needed.
    """

    def magnitude(scales: Sequence[Scale]) -> Measurement:
        squares = [s.target_mean**2 + s.target_std**2 for s in scales]
        return known(math.sqrt(sum(squares) / len(squares)), n=len(scales))

    return _of_each(view, magnitude)


@signal(unit="words", by="loss", reads=("losses", "steps.lr"))
def target_scales(view: View) -> dict[str, Measurement]:
    """Means and standard deviations of outputs and targets at the last sampled step, in words.

    Reads: as target_updates_needed. Unit: words. None if: as target_updates_needed.
    """

    def words(scales: Sequence[Scale]) -> Measurement:
        s = scales[-1]
        return known(
            f"outputs of mean {s.mean:.3g} and standard deviation {s.std:.3g} against "
            f"targets of mean {s.target_mean:.3g} and standard deviation {s.target_std:.3g}"
        )

    return _of_each(view, words)


def _of_each(view: View, measure: Callable[[Sequence[Scale]], Measurement]) -> dict[str, Measurement]:
    found = {}
    for name, (location, scales) in view.once(_scales).items():
        measured = unknown(scales) if isinstance(scales, str) else measure(scales)
        found[name] = measured.model_copy(update={"location": location})
    return found


def _scales(view: View) -> dict[str, tuple[Location | None, tuple[Scale, ...] | str]]:
    """Where each regression loss stands, and what it saw of outputs and targets, or why nothing follows from it."""
    return {
        name: (calls[0].location, _of_calls(view, calls))
        for name, calls in loss_sites(view).items()
        if calls[0].function in COMPARING
    }


def _of_calls(view: View, calls: Sequence[LossCall]) -> tuple[Scale, ...] | str:
    if any(call.broadcast for call in calls):
        return "its output and targets differ in shape"
    scales = []
    for call in calls:
        numbers = (call.mean, call.std, call.target_mean, call.target_std)
        if any(number is None or not math.isfinite(number) for number in numbers):
            break
        scales.append(Scale(call.step - 1, *(number or 0.0 for number in numbers)))
    if len(scales) < 2:
        return too_few(len(scales), "floating-point call", "sampled", 2)
    seen = view.updates(calls[-1].step)
    if warms_up(view, seen):
        return "the learning rate was still warming up"
    waiting = waits(view, seen)
    return f"the schedule {waiting} may begin with a warm-up" if waiting else tuple(scales)
