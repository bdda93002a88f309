"""Trainings that make their own targets: that their loss rises, and that consecutive batches are alike, is no fault."""

import math

from rnn_doctor.derive.uninformed import CLASSIFYING, REGRESSING
from rnn_doctor.derive.view import View

_NOT_NEGATIVE = (*CLASSIFYING, *REGRESSING, "binary_cross_entropy", "binary_cross_entropy_with_logits")
_SAME = 0.05
"""Relative difference up to which the training loss is the same multiple of its loss function's in two updates."""
_FEWEST = 2
COPIED = "a copy of the network makes its targets, which change as the copy is renewed"
REWARDED = (
    "its training loss falls below zero, which that of its targets cannot, so that it is an agent's or a like "
    "objective, whose data follow from what the network does"
)


def own_targets(view: View) -> str | None:
    """Why the targets follow from what the network does, as a clause; None where they are given.

    A target network is seen by its module, a copy of one that learns; an agent by its loss: one loss function gives
    what cannot be negative (the error of a critic), and the training loss is no multiple of it and falls below zero
    (the gain of the policy).

    Reads: `log.modules[id].copied`, `log.steps[k].loss`, `log.losses[i].function`, `log.loss_sums[i]`.
    """
    if any(module.copied for module in view.log.modules.values()):
        return COPIED
    return REWARDED if _rewarded(view) else None


def _rewarded(view: View) -> bool:
    if not view.losses or min(view.losses) >= 0:
        return False
    if any(call.function not in _NOT_NEGATIVE for call in view.log.losses):
        return False
    ratios = [r.loss / r.mean for r in view.log.loss_sums if r.mean and math.isfinite(r.loss / r.mean)]
    return len(ratios) >= _FEWEST and any(abs(ratio - ratios[0]) > _SAME * abs(ratios[0]) for ratio in ratios)
