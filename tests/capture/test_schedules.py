"""What schedulers of torch tell of their own warm-up."""

import functools
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from rnn_doctor.capture.probe.sensors.schedules import warm_up


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
        "one cycle": lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=1000, cycle_momentum=False),
        "named": lr_scheduler.LambdaLR(optimizer, functools.partial(_linear, num_warmup_steps=40)),
        "by hand": lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 250)),
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


def test_others_do_not(optimizer: torch.optim.Optimizer) -> None:
    made: list[Any] = [
        lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=700),
        lr_scheduler.StepLR(optimizer, 10),
        lr_scheduler.LambdaLR(optimizer, lambda step: 1.0),
        lr_scheduler.ReduceLROnPlateau(optimizer),
    ]
    assert [warm_up(schedule) for schedule in made] == [None] * 4


def test_a_schedule_of_the_same_name_that_keeps_other_numbers_does_not() -> None:
    class LinearLR:
        total_iters = None
        start_factor, end_factor = 0.1, 1.0

    class OneCycleLR:
        pass

    assert [warm_up(LinearLR()), warm_up(OneCycleLR())] == [None, None]
