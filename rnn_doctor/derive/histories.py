"""What the samples of a run say about each tensor."""

import math
from dataclasses import dataclass

from rnn_doctor.derive.registry import too_few
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.built import Parameter

FEWEST = 5
"""Updates before "never changes" is said: a zero-initialised output layer gives the layers below it no
gradient at the first one, a warm-up that begins at rate 0 does not move at all there."""


@dataclass(frozen=True, slots=True)
class History:
    """What the samples say about one tensor."""

    samples: int
    gradient: float
    """Largest gradient norm; 0 where there was none."""
    moved: bool


def histories(view: View) -> dict[int, History]:
    """By the number of each tensor."""
    found: dict[int, History] = {}
    for sample in view.log.samples:
        for number, gradient, distance in zip(
            sample.parameters, sample.grad_norm, sample.displacement, strict=True
        ):
            old = found.get(number, History(0, 0.0, False))
            size = abs(gradient) if gradient is not None else 0.0
            found[number] = History(
                old.samples + 1,
                max(old.gradient, math.inf if math.isnan(size) else size),
                old.moved or distance != 0,
            )
    return found


def too_early(view: View, fewest: int) -> str | None:
    """Why nothing is said yet; None where enough updates were seen."""
    if not view.log.steps:
        return NO_STEP
    last = max((sample.step for sample in view.log.samples), default=0)
    return None if last >= fewest else too_few(last, "update", "sampled", fewest)


def has_rate(view: View, optimizer: int) -> bool:
    """Whether every parameter group had a rate above zero, or the optimizer never stepped at all."""
    if optimizer not in view.log.optimizers:
        return False
    rates = view.rates(optimizer)
    if not rates:
        return not has_stepped(view, optimizer) and min(view.log.optimizers[optimizer].lr, default=0.0) > 0
    return all(any(rate > 0 for rate in group) for group in zip(*rates, strict=False))


def rests(view: View, parameter: Parameter) -> bool:
    """Whether the rate of its group was 0 at every step of its optimizer, of which there were enough."""
    if parameter.optimizer not in view.log.optimizers:
        return False
    rates = view.rates(parameter.optimizer)
    groups = len(view.log.optimizers[parameter.optimizer].lr)
    if len(rates) < FEWEST or (parameter.group is None and groups > 1):
        return False
    return all(group[parameter.group or 0] == 0 for group in rates if len(group) > (parameter.group or 0))


def has_stepped(view: View, optimizer: int) -> bool:
    """Whether it made a single step."""
    return any(optimizer in step.optimizers for step in view.log.steps)
