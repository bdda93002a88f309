"""Whether the training loss has got anywhere: away from an answer that knows nothing, or down at all."""

from rnn_doctor.derive.losses import FALLS, unusable
from rnn_doctor.derive.losses import FEWEST as FEWEST_LOSSES
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.trends import ends, mann_kendall
from rnn_doctor.derive.uninformed import uninformed_training_loss
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

FEWEST = 200
"""Updates before a standing loss means anything: healthy networks stand for as long on tasks that have a plateau."""


def _unusable(view: View) -> str | None:
    """Why there is no loss to speak of; None where there is one."""
    reason = unusable(view, FEWEST_LOSSES)
    return reason or ("the training loss did not stay finite" if view.loss_broke else None)


@signal(unit="ratio", reads=("steps.loss", "losses", "loss_sums"))
def loss_end_uninformed(view: View) -> Measurement:
    """Training loss at the end (median of the last quarter) over that of an answer that knows nothing.

    That answer is equal odds for all classes, or the mean of the targets.

    Reads: `log.steps[k].loss`, `log.losses[i].input_shape`, `.baseline`, `log.loss_sums[i]`. Unit: ratio; 1 where
    nothing is learned.
    None if: fewer than 12 losses, several loss functions, or one whose value for such an answer is not known.
    """
    reason = _unusable(view)
    if reason:
        return unknown(reason)
    level = view.once(uninformed_training_loss)
    if level is None:
        return unknown("what the loss of an answer that knows nothing is was not seen")
    return known(ends(view.losses)[1] / level, n=len(view.losses))


@signal(unit="share", reads=("steps.loss",))
def loss_fall_late(view: View) -> Measurement:
    """Share of the training loss that went in the second half of the updates seen: medians of its quarters.

    0 where the fall is no trend (Mann-Kendall Z above -1.64). The first half, in which a badly scaled output comes
    down to the level of the targets, does not count.

    Reads: `log.steps[k].loss`. Unit: share. None if: fewer than 200 losses.
    """
    reason = _unusable(view)
    if not reason and len(view.losses) < FEWEST:
        reason = too_few(len(view.losses), "update", "seen with a training loss", FEWEST)
    if reason:
        return unknown(reason)
    half = view.losses[len(view.losses) // 2 :]
    first, last = ends(half)
    falls = first > 0 and mann_kendall(half) < FALLS
    return known(max(0.0, 1 - last / first) if falls else 0.0, n=len(half))
