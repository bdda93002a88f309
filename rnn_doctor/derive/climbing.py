"""Losses that a training makes larger instead of smaller."""

import math

from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

_FEWEST = 3
_SAME = 1e-3
"""Relative difference of two values that are one."""


def _values(view: View) -> list[tuple[float, float]]:
    """At each sampled update with a single call of a loss function: what it returned, and what was passed back."""
    passed = {step.step: step.loss for step in view.log.steps}
    called: dict[int, list[float]] = {}
    for call in view.log.losses:
        if call.function != "expression":
            called.setdefault(call.step, []).append(math.nan if call.value is None else call.value)
    return [
        (values[0], loss)
        for step, values in called.items()
        if len(values) == 1 and values[0] > 0 and (loss := passed.get(step)) is not None
    ]


def _maximizes(view: View) -> bool | None:
    held = {optimizer.maximize for optimizer in view.log.optimizers.values()}
    return held.pop() if len(held) == 1 else None


@signal(unit="claim", reads=("optimizers",))
def optimizer_maximizes(view: View) -> Measurement:
    """Whether all optimizers were built with maximize=True, and go up the gradient of what they are given.

    Reads: `log.optimizers[id].maximize`. Unit: claim. None if: no optimizer was seen, or they are not of one mind.
    """
    maximizes = _maximizes(view)
    return unknown("no one way of the optimizers was seen") if maximizes is None else known(maximizes)


@signal(unit="ratio", reads=("losses", "steps.loss", "optimizers.maximize"))
def negated_loss_growth(view: View) -> Measurement:
    """By what factor a loss function's value has grown that the training makes larger; 1 where it does not.

    Last over first, of the sampled updates. Where every one of them passes exactly the negative of what its only loss
    function returned, that is made as large as it can be; so is the very value, by an optimizer that maximizes.

    Reads: `log.losses[i].value`, `log.steps[k].loss`, `log.optimizers[id].maximize`. Unit: ratio.
    None if: fewer than 3 sampled updates with a single call of a loss function and a finite loss above zero.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    values = _values(view)
    if len(values) < _FEWEST:
        return unknown(too_few(len(values), "update", "sampled with a single loss", _FEWEST))
    sign = -1 if _maximizes(view) else 1
    if not all(abs(sign * loss + value) <= _SAME * value for value, loss in values):
        return known(1.0, n=len(values))
    return known(values[-1][0] / values[0][0], n=len(values))
