"""What schedulers of torch tell of their own warm-up."""

import functools
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from rnn_doctor.capture.probe.sensors.schedules import decay, leads_to, warm_up


@pytest.fixture
def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.1)


def _linear(step: int, *, num_warmup_steps: int) -> float:
    return min(1.0, step / num_warmup_steps)


def test_schedules_that_begin_with_a_warm_up_tell_how_long(optimizer: torch.optim.Optimizer) -> None:
    made: dict[str, Any] = {
        "linear": lr_scheduler.LinearLR(optimizer, 1e-3, 1.0, total_iters=700),
        "constant": lr_scheduler.ConstantLR(optimizer, 0.1, total_iters=30),
        "cyclic": lr_scheduler.CyclicLR(optimizer, 0.01, 0.1, step_size_up=200, cycle_momentum=False),
        "named": lr_scheduler.LambdaLR(optimizer, functools.partial(_linear, num_warmup_steps=40)),
        "by hand": lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 250)),
        "one cycle": lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=1000, cycle_momentum=False),
    }
    told = {name: warm_up(schedule) for name, schedule in made.items()}
    assert told == {
        "linear": 700,
        "constant": 30,
        "cyclic": 200,
        "one cycle": 299,
        "named": 40,
        "by hand": 250,
    }
    ends = {name: leads_to(schedule) for name, schedule in made.items()}
    assert ends == pytest.approx(
        {"linear": 0.1, "constant": 0.1, "cyclic": 0.1, "one cycle": 0.1, "named": 0.1, "by hand": 0.1}
    )


def test_a_formula_for_the_rate_itself_leads_to_its_product_with_the_rate(
    optimizer: torch.optim.Optimizer,
) -> None:
    def noam(step: int) -> float:
        return float(64**-0.5 * min((step + 1) ** -0.5, (step + 1) * 4000**-1.5))

    schedule = lr_scheduler.LambdaLR(optimizer, noam)
    assert leads_to(schedule) == pytest.approx(0.1 * 64**-0.5 * 4000**-0.5, rel=1e-3)


def test_a_decay_without_end_tells_its_factor(optimizer: torch.optim.Optimizer) -> None:
    assert decay(lr_scheduler.StepLR(optimizer, 30, 0.2)) == 0.2
    assert decay(lr_scheduler.ExponentialLR(optimizer, 0.96)) == 0.96
    assert decay(lr_scheduler.ExponentialLR(optimizer, 1.0)) is None
    assert decay(lr_scheduler.MultiStepLR(optimizer, [30, 80])) is None


def test_others_do_not(optimizer: torch.optim.Optimizer) -> None:
    made: list[Any] = [
        lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=700),
        lr_scheduler.StepLR(optimizer, 10),
        lr_scheduler.LambdaLR(optimizer, lambda step: 1.0),
        lr_scheduler.ReduceLROnPlateau(optimizer),
    ]
    assert [warm_up(schedule) for schedule in made] == [None] * 4
    assert [leads_to(schedule) for schedule in made] == [None] * 4


def test_a_schedule_of_the_same_name_that_keeps_other_numbers_does_not() -> None:
    class LinearLR:
        total_iters = None
        start_factor, end_factor = 0.1, 1.0

    class OneCycleLR:
        pass

    assert [warm_up(LinearLR()), warm_up(OneCycleLR())] == [None, None]
    assert [leads_to(LinearLR()), leads_to(OneCycleLR())] == [None, None]
