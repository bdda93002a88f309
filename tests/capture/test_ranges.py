"""Between which numbers the last operations keep an output, and which targets lie outside."""

# mypy: disable-error-code="no-untyped-call"

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.capture.probe.ranges import range_of
from rnn_doctor.schema.runlog import LossCall
from tests.capture.test_losses import described, logits

INF = math.inf
Make = Callable[[torch.Tensor], torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("make", "operation", "low", "high"),
    [
        (lambda x: x.clamp(min=0), "clamp", 0, INF),
        (lambda x: x.clamp(-1.5, 2.5), "clamp", -1.5, 2.5),
        (lambda x: torch.clip(x, max=4), "clamp", -INF, 4),
        (lambda x: x.clamp_min(0.5), "clamp", 0.5, INF),
        (lambda x: x.clamp_max(0.5), "clamp", -INF, 0.5),
        (lambda x: (x * 1).clamp_(0, 1), "clamp", 0, 1),
        (functional.relu6, "hardtanh", 0, 6),
        (nn.Hardtanh(-2, 2), "hardtanh", -2, 2),
        (nn.Hardsigmoid(), "hardsigmoid", 0, 1),
        (functional.softplus, "softplus", 0, INF),
        (torch.exp, "exponential", 0, INF),
        (torch.abs, "absolute value", 0, INF),
        (functional.logsigmoid, "logsigmoid", -INF, 0),
        (torch.relu, "ReLU", 0, INF),
        (torch.sigmoid, "sigmoid", 0, 1),
        (lambda x: 5 * torch.sigmoid(x), "sigmoid", 0, 5),
        (lambda x: -torch.relu(x), "ReLU", -INF, 0),
        (lambda x: torch.tanh(x) / 4, "tanh", -0.25, 0.25),
        (lambda x: x.clamp(min=0).squeeze(-1).reshape(4, 2), "clamp", 0, INF),
        (lambda x: torch.cat([x.clamp(0, 1), x.clamp(0, 3)], 1), "clamp", 0, 3),
        (lambda x: 2 * torch.stack([x.clamp(0, 1), x.clamp(-1, 0)]), "clamp", -2, 2),
    ],
)
def test_what_an_operation_can_give(make: Make, operation: str, low: float, high: float) -> None:
    output = make(logits(8, 1))
    found = range_of(output)
    assert found is not None
    assert (found.operation, found.low, found.high) == (operation, low, high)
    assert low <= output.min().item()
    assert output.max().item() <= high


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        lambda x: x.clamp(min=0) + 1,  # what is added is not kept
        lambda x: x.clamp(torch.zeros(8, 1), torch.ones(8, 1)),
        lambda x: x.sigmoid() * torch.rand(8, 1),
        lambda x: x.sigmoid() * x,
        lambda x: torch.cat([x.clamp(0, 1), x], 1),
        lambda x: torch.cat([x.clamp(0, 1), x.sigmoid()], 1),
        lambda x: x.detach(),
        functional.elu,
        functional.gelu,
    ],
)
def test_what_is_not_bounded_or_not_followed(make: Make) -> None:
    assert range_of(make(logits(8, 1))) is None


def reach(output: torch.Tensor, target: torch.Tensor, function: str = "mse_loss") -> dict[str, Any]:
    found = described(function, output, target)
    LossCall(**found)
    told: dict[str, Any] = found["reach"]
    return told


def test_targets_beyond_a_clamp() -> None:
    target = torch.tensor([[-1.0], [-0.2], [0.3], [2.0]])
    assert reach(logits(4, 1).clamp(min=0), target) == {
        "operation": "clamp", "low": 0.0, "high": INF, "beyond": 0.5,
    }  # fmt: skip
    assert reach(logits(4, 1).clamp(0, 1), target)["beyond"] == 0.75
    assert reach(logits(4, 1).clamp(-5, 5), target, "l1_loss")["beyond"] == 0.0


def test_a_twentieth_of_the_bounds_is_rounding() -> None:
    for scale in (1e-3, 1.0, 1e3):
        target = scale * torch.tensor([[-0.04], [1.04], [-0.06], [1.06]])
        assert reach(logits(4, 1).clamp(0, 1) * scale, target)["beyond"] == 0.5
        assert reach(logits(4, 1).clamp(min=0), target)["beyond"] == 0.25


def test_other_losses_have_no_targets_to_reach() -> None:
    found = reach(logits(4).clamp(min=0), torch.ones(4), "binary_cross_entropy_with_logits")
    assert found == {"operation": "clamp", "low": 0.0, "high": INF}
    assert "reach" not in described("mse_loss", logits(4, 1), torch.ones(4, 1))
