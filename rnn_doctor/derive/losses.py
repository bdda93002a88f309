"""Where the training loss goes."""

import math

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.trends import ends, mann_kendall
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

FEWEST = 12
"""Losses that a trend needs: fewer than three values in a quarter decide nothing."""
FALLS = -1.64
"""Mann-Kendall Z below this is a fall (one-sided 5 %)."""


def _unusable(view: View, fewest: int) -> str | None:
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
    reason = _unusable(view, 2)
    if reason:
        return unknown(reason)
    return known(max(view.losses) / view.losses[0], n=len(view.losses))


@signal(unit="ratio", reads=("steps.loss",))
def loss_end_ratio(view: View) -> Measurement:
    """Training loss at the end (median of the last quarter) over the very first.

    Reads: `log.steps[k].loss`. Unit: ratio; infinite where the loss became NaN or infinite.
    None if: fewer than 3 losses, or losses that are not positive.
    """
    reason = _unusable(view, 3)
    if reason:
        return unknown(reason)
    end = math.inf if view.loss_broke else ends(view.losses)[1]
    return known(end / view.losses[0], n=len(view.losses))


@signal(unit="share", reads=("steps.loss",))
def loss_fall(view: View) -> Measurement:
    """Share of the training loss that is gone: 1 - last quarter / first quarter, medians.

    0 where the fall is no trend (Mann-Kendall Z above -1.64), so that a lucky batch is not progress.

    Reads: `log.steps[k].loss`. Unit: share; 0.1 is 10 % down.
    None if: fewer than 12 losses, or losses that are not positive.
    """
    reason = _unusable(view, FEWEST)
    if reason:
        return unknown(reason)
    first, last = ends(view.losses)
    falls = not view.loss_broke and first > 0 and mann_kendall(view.losses) < FALLS
    return known(max(0.0, 1 - last / first) if falls else 0.0, n=len(view.losses))
