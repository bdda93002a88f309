"""The update's loss is held against the loss of one target, however the script adds them up."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.schema.wiring import LossSum
from tests.capture.records import observed

T, B, C = 6, 4, 5
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def record(loss: Loss, target: torch.Tensor, backwards: int = 1) -> LossSum | None:
    """That of the first update of a GRU with outputs (B, T, C)."""
    torch.manual_seed(0)
    rnn = nn.GRU(3, C, batch_first=True)
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
    with observed() as records:
        for _ in range(backwards):
            loss(rnn(torch.randn(B, T, 3))[0], target).backward()
        optimizer.step()
    assert records.of("sensor_off") == []
    found = [LossSum(**fields) for fields in records.of("loss_sum")]
    return found[0] if found else None


def flat(out: torch.Tensor, target: torch.Tensor, **options: str) -> torch.Tensor:
    return functional.cross_entropy(out.reshape(-1, C), target.reshape(-1), **options)  # type: ignore[arg-type]


LABELS = torch.arange(B * T).reshape(B, T) % C


@pytest.mark.parametrize(
    ("loss", "ratio", "calls"),
    [
        (flat, 1, 1),
        (lambda out, y: flat(out, y, reduction="sum"), B * T, 1),
        (lambda out, y: flat(out, y, reduction="sum") / B, T, 1),
        (lambda out, y: flat(out, y, reduction="none").reshape(B, T).sum(1).mean(), T, 1),
        (lambda out, y: sum(functional.cross_entropy(out[:, t], y[:, t]) for t in range(T)), T, T),
        (lambda out, y: nn.NLLLoss()(out.log_softmax(-1).transpose(1, 2), y), 1, 1),
    ],
)
def test_ratio_to_the_loss_of_a_target(loss: Loss, ratio: float, calls: int) -> None:
    found = record(loss, LABELS)
    assert found is not None
    assert found.loss / found.mean == pytest.approx(ratio, rel=1e-4)
    assert (found.calls, found.targets) == (calls, B * T)


def test_labels_that_are_left_out_do_not_count() -> None:
    padded = LABELS.clone()
    padded[:, 4:] = -100
    found = record(lambda out, y: flat(out, y, reduction="sum"), padded)
    assert found is not None
    assert found.targets == B * 4
    assert found.loss / found.mean == pytest.approx(B * 4, rel=1e-4)


def test_targets_that_are_probabilities_and_numbers() -> None:
    soft = torch.full((B * T, C), 1 / C)
    found = record(lambda out, y: functional.cross_entropy(out.reshape(-1, C), y, reduction="sum"), soft)
    assert found is not None
    assert found.targets == B * T
    assert found.loss / found.mean == pytest.approx(B * T, rel=1e-4)
    numbers = record(lambda out, y: functional.mse_loss(out, y, reduction="sum"), torch.zeros(B, T, C))
    assert numbers is not None
    assert numbers.targets == B * T * C


def test_nothing_is_said_of_several_backward_passes_or_of_hand_made_losses() -> None:
    assert record(flat, LABELS, backwards=2) is None
    assert record(lambda out, _: out.square().sum(), LABELS) is None
