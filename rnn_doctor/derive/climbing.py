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


@signal(unit="ratio", reads=("losses", "steps.loss"))
def negated_loss_growth(view: View) -> Measurement:
    """By what factor a loss function's value has grown, of which backward() is given the negative; 1 where it is not.

    Last over first, of the sampled updates. Where every one of them passes exactly the negative of what its only loss
    function returned, that is made as large as it can be.

    Reads: `log.losses[i].value`, `log.steps[k].loss`. Unit: ratio.
    None if: fewer than 3 sampled updates with a single call of a loss function and a finite loss above zero.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    values = _values(view)
    if len(values) < _FEWEST:
        return unknown(too_few(len(values), "update", "sampled with a single loss", _FEWEST))
    if not all(abs(loss + value) <= _SAME * value for value, loss in values):
        return known(1.0, n=len(values))
    return known(values[-1][0] / values[0][0], n=len(values))
