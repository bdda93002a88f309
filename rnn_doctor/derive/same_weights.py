"""What the training loss is at the very weights that an evaluation looked at: that of the update which follows it.

The training batches before an evaluation were looked at while the weights were others. Where a step throws the weights,
both losses jump at once, and only a training loss at the same weights shows it.
"""

import math
from statistics import fmean

from rnn_doctor.derive.overfitting import FEWEST_EXAMPLES, standings
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import View


def parted_by(view: View, at: int) -> float | None:
    """How far an evaluation, that of the standing of this index, lies above the training loss at the same weights.

    As a share of that. Of it alone, and of it and the one before it together, the smaller: a batch alone is noise. None
    where no training examples were seen.
    """
    found, levels = view.once(standings), view.once(_levels)
    assert not isinstance(found, str)
    level = levels.get(found[at].evaluation.step, 0.0)
    if level <= 0:
        return None
    before = levels.get(found[at - 1].evaluation.step, 0.0) if at else 0.0
    both = (found[at].mean + found[at - 1].mean) / (level + before) if before > 0 else math.inf
    return min(found[at].mean / level, both) - 1


def _levels(view: View) -> dict[int, float]:
    """The training loss at the weights of each evaluation, by its update, in the unit of its examples' losses.

    The loss of the update after it, brought to that unit by the updates whose examples were seen: the script may train
    with a sum, or a penalty. Where none follows, the mean of the last training examples.
    """
    losses = {step.step: step.loss for step in view.finite_steps if step.loss is not None}
    found: dict[int, float] = {}
    unit, trained = 1.0, None
    for evaluation in view.once(validations)[0]:
        seen = evaluation.trained
        if seen is not None and seen.count >= FEWEST_EXAMPLES and seen.mean > 0:
            trained = seen.mean
            since = seen.since if seen.since is not None else evaluation.step + 1
            own = [losses[k] for k in range(since, evaluation.step + 1) if k in losses]
            unit = trained / fmean(own) if own and fmean(own) > 0 else unit
        after = losses.get(evaluation.step + 1)
        if trained is not None:
            found[evaluation.step] = trained if after is None else unit * after
    return found
