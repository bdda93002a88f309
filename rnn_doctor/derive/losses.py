"""Where the training loss goes."""

import math
from statistics import median

from rnn_doctor.derive.optimizer import STARVED
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.trends import ends, mann_kendall
from rnn_doctor.derive.uninformed import equal_odds, mean_loss, same_answer_training_loss
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

FEWEST = 12
"""Losses that a trend needs: fewer than three values in a quarter decide nothing."""
FALLS = -1.64
"""Mann-Kendall Z below this is a fall (one-sided 5 %)."""
HALVED = 0.5
_SURELY_YOUNG = 200
"""Updates; healthy networks stand for as long on tasks that have a plateau (RD701)."""
_NO_TIME = 20
"""Updates in which no agent learns its task: it has seen some dozen episodes."""
THROWN = 10.0
"""Healthy losses that halved rose to 3.8 times their first value at most (benchmarks/thresholds/doses_rate.txt)."""


def unusable(view: View, fewest: int) -> str | None:
    """Why ratios of the training loss mean nothing here; None if they do."""
    if not view.log.steps:
        return NO_STEP
    if not any(step.loss is not None for step in view.steps):
        return "no training loss was seen"
    if not view.losses:
        return "the training loss was never finite"
    if min(view.losses) < 0 or view.losses[0] == 0:
        return "the training loss is not positive, so that its ratios mean nothing"
    if len(view.losses) < fewest and not view.loss_broke:
        return f"{len(view.losses)} training losses were seen, {fewest} are needed"
    return None


@signal(unit="ratio", reads=("steps.loss",))
def loss_rise_max(view: View) -> Measurement:
    """Largest finite training loss over the first.

    Reads: `log.steps[k].loss` of the leading optimizers. Unit: ratio; 1 where it never exceeds the first.
    None if: fewer than two losses, or losses that are not positive.
    """
    reason = unusable(view, 2)
    if reason:
        return unknown(reason)
    return known(max(view.losses) / view.losses[0], n=len(view.losses))


@signal(unit="ratio", reads=("steps.loss",))
def loss_end_ratio(view: View) -> Measurement:
    """Training loss at the end (median of the last quarter) over the very first.

    Reads: `log.steps[k].loss`. Unit: ratio; infinite where the loss became NaN or infinite.
    None if: fewer than 3 losses, or losses that are not positive.
    """
    reason = unusable(view, 3)
    if reason:
        return unknown(reason)
    end = math.inf if view.loss_broke else ends(view.losses)[1]
    return known(end / view.losses[0], n=len(view.losses))


@signal(unit="claim", reads=("steps.loss",))
def loss_halved_steadily(view: View) -> Measurement:
    """Whether the training loss has halved, and never stood above 10 times its first value on the way.

    A loss that was thrown up first comes down from there by itself: that it ends below its start is no sign that the
    steps have the right size.

    Reads: `log.steps[k].loss`. Unit: claim. None if: as loss_end_ratio.
    """
    reason = unusable(view, 3)
    if reason:
        return unknown(reason)
    first = view.losses[0]
    halved = not view.loss_broke and ends(view.losses)[1] <= HALVED * first
    return known(halved and max(view.losses) <= THROWN * first, n=len(view.losses))


@signal(unit="share", reads=("steps.loss",))
def loss_fall(view: View) -> Measurement:
    """Share of the training loss that is gone: 1 - last quarter / first quarter, medians.

    0 where the fall is no trend (Mann-Kendall Z above -1.64), so that a lucky batch is not progress.

    Reads: `log.steps[k].loss`. Unit: share; 0.1 is 10 % down.
    None if: fewer than 12 losses, or losses that are not positive.
    """
    reason = unusable(view, FEWEST)
    if reason:
        return unknown(reason)
    first, last = ends(view.losses)
    falls = not view.loss_broke and first > 0 and mann_kendall(view.losses) < FALLS
    return known(max(0.0, 1 - last / first) if falls else 0.0, n=len(view.losses))


@signal(unit="share", reads=("steps.loss", "losses", "loss_sums"))
def loss_fall_informed(view: View) -> Measurement:
    """Share of the training loss that went below what the best answer gets that is the same for all inputs.

    1 - last quarter / first quarter (medians), or over the loss of that answer where the first is above it: what the
    biases of the output layer mend in a few updates, the mean of the targets or how frequent each label is, does not
    count. As loss_fall where what such an answer gets is not known, and 0 where the fall is no trend.

    Reads: `log.steps[k].loss`, `log.losses[i].baseline`, `.input_shape`, `log.loss_sums[i]`. Unit: share.
    None if: as loss_fall.
    """
    reason = unusable(view, FEWEST)
    if reason:
        return unknown(reason)
    first, last = ends(view.losses)
    level = view.once(same_answer_training_loss)
    start = first if level is None else min(first, level)
    falls = not view.loss_broke and start > 0 and mann_kendall(view.losses) < FALLS
    return known(max(0.0, 1 - last / start) if falls else 0.0, n=len(view.losses))


@signal(unit="claim", reads=("steps.loss", "steps.lr", "losses", "loss_sums"))
def loss_halved(view: View) -> Measurement:
    """Whether the loss has halved, below what one answer to everything gets: `loss_fall_informed` of 0.5 or more.

    The ratios of a loss that falls below zero, as an agent's does, mean nothing; where it shows no fall at all within
    the first 200 updates, too early for any agent to be done, it counts as not halved. So it does, whatever it looks
    like, where the learning rate is down to a hundredth within the first 20 updates and stays there.

    Reads: as loss_fall_informed; `log.steps[k].lr`. Unit: claim. None if: as loss_fall, but for such a loss.
    """
    fall = loss_fall_informed(view)
    assert isinstance(fall, Measurement)
    if fall.value is not None:
        return known(float(fall.value) >= HALVED, n=fall.n)
    few = FEWEST <= len(view.losses) <= _SURELY_YOUNG
    below = few and min(view.losses) < 0 and not view.loss_broke
    if below and (mann_kendall(view.losses) >= FALLS or _is_over(view)):
        return known(False, n=len(view.losses))
    return fall


def _is_over(view: View) -> bool:
    """Whether the learning rate is down to a hundredth of its largest from one of the first updates on."""
    rates = [max(step.lr) for step in view.steps if step.lr]
    early, later = rates[:_NO_TIME], rates[_NO_TIME:]
    return view.log.imported is None and bool(later) and max(later) < STARVED * max(early)


@signal(unit="ratio", reads=("losses", "loss_sums"))
def loss_uninformed_ratio(view: View) -> Measurement:
    """Training loss over that of an answer that knows nothing: well below 1 only after something was learned.

    That answer is equal odds for all classes, or the mean of the targets. An untrained network stands there or
    above. Median over the sampled calls of each loss function's source line; of several lines the smallest.

    Reads: `log.losses[i].value`, `.input_shape`, `.baseline`, `log.loss_sums[i].mean`. Unit: ratio.
    None if: no loss was called whose value for such an answer is known.
    """
    ratios: dict[int, list[float]] = {}
    for call in view.log.losses:
        uninformed, value = equal_odds(call), mean_loss(view, call)
        if value is not None and uninformed:
            ratios.setdefault(call.site, []).append(value / uninformed)
    if not ratios:
        return unknown("no loss was seen whose value for an answer that knows nothing is known")
    lowest = min(ratios.values(), key=median)
    return known(median(lowest), n=len(lowest))


def loss_uninformed_first(view: View) -> float | None:
    """Training loss of the first update over that of an answer that knows nothing, the smallest of several losses'.

    None where that is not known.
    """
    ratios = [
        value / uninformed
        for call in view.log.losses
        if call.step == 1
        and (value := mean_loss(view, call)) is not None
        and (uninformed := equal_odds(call))
    ]
    return min(ratios, default=None)
