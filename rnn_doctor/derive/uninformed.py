"""The training loss of an answer that knows nothing of the inputs: equal odds, or always the same answer."""

import math
from collections.abc import Callable
from statistics import median

from rnn_doctor.derive.view import View
from rnn_doctor.schema.runlog import LossCall

CLASSIFYING = ("cross_entropy", "nll_loss")
REGRESSING = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
COMPARING = (*REGRESSING, "expression")
"""Those, and losses that the script writes out by hand: differences of outputs and targets."""
_ENOUGH = 10
"""Labels a class from which on the entropy of a batch's labels tells that of all: what it lacks is 0.05 at most."""


def equal_odds(call: LossCall) -> float | None:
    """The loss of equal odds for all classes, or of the best number for all targets; None where it is not known.

    Not the entropy of the labels: that of a batch is far too low where there are many classes.
    """
    if call.function in CLASSIFYING and len(call.input_shape) > 1:
        return math.log(call.input_shape[1])
    if call.function in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
        return math.log(2)
    return call.baseline if call.function in COMPARING else None


def same_answer(call: LossCall) -> float | None:
    """The loss of the best answer that is the same for all inputs; None where it is not known.

    The odds of the labels as frequent as they are, where a batch has enough of them to tell. The biases of the output
    layer alone give it, in a few updates.
    Source: Miller 1955 (the entropy of n labels of c classes is too low by (c - 1) / 2n).
    """
    even = equal_odds(call)
    if even is None or call.function not in CLASSIFYING or call.baseline is None:
        return even
    classes, labels = call.input_shape[1], math.prod(call.target_shape or ())
    if labels < _ENOUGH * classes:
        return even
    return min(even, call.baseline + (classes - 1) / (2 * labels))


def uninformed_loss(view: View) -> float | None:
    """The loss of an answer that knows nothing, median over the sampled calls; None of several or unknown losses."""
    return _level(view, equal_odds)


def uninformed_training_loss(view: View) -> float | None:
    """The same as the script scales its training loss: a sum, or a mean that is divided once more."""
    return _scaled(view, equal_odds)


def same_answer_training_loss(view: View) -> float | None:
    """Of the best answer that is the same for all inputs, as the script scales its training loss."""
    return _scaled(view, same_answer)


def _level(view: View, of: Callable[[LossCall], float | None]) -> float | None:
    if len({call.site for call in view.log.losses}) != 1:
        return None
    levels = [level for call in view.log.losses if (level := of(call)) is not None and level > 0]
    return median(levels) if levels else None


def _scaled(view: View, of: Callable[[LossCall], float | None]) -> float | None:
    level = _level(view, of)
    ratios = [
        record.loss / record.mean
        for record in view.log.loss_sums
        if math.isfinite(record.loss) and math.isfinite(record.mean) and record.mean
    ]
    return level if level is None or not ratios else level * median(ratios)


def mean_loss(view: View, call: LossCall) -> float | None:
    """The mean loss of one target at that call, whatever its reduction; None where it is not finite."""
    means = {record.step: record.mean for record in view.log.loss_sums if record.calls == 1}
    value = means.get(call.step, call.value)
    return value if value is not None and math.isfinite(value) else None
