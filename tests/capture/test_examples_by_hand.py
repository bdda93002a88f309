"""Losses of single examples where no recurrent module of torch's tells how the batch is laid out."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from rnn_doctor.capture.probe.sensors.examples import Rows, as_given
from tests.capture.records import observed

T, C, SIZE, HELD = 3, 4, 4, 10


class Cell(nn.Module):
    """An Elman cell by hand, read at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.own, self.head = nn.Linear(2 + 5, 5), nn.Linear(5, C)

    def forward(self, x: Tensor) -> Tensor:
        state, outs = x.new_zeros(len(x), 5), []
        for step in x.unbind(1):
            state = torch.tanh(self.own(torch.cat([step, state], 1)))
            outs.append(self.head(state))
        return torch.stack(outs, 1)


def flat(logits: Tensor, y: Tensor) -> Tensor:
    return functional.cross_entropy(logits.reshape(-1, C), y.reshape(-1))


def swapped(logits: Tensor, y: Tensor) -> Tensor:
    return functional.cross_entropy(logits.transpose(1, 2), y)


def time_first(logits: Tensor, y: Tensor) -> Tensor:
    return functional.cross_entropy(logits.transpose(0, 1).reshape(-1, C), y.t().reshape(-1))


def evaluated(loss: Callable[[Tensor, Tensor], Tensor]) -> tuple[list[dict[str, Any]], list[float]]:
    """Two epochs with an evaluation after each: what was written, and the mean loss over the examples."""
    torch.manual_seed(0)
    means = []
    with observed() as records:
        model = Cell()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        sets = [TensorDataset(torch.randn(n, T, 2), torch.randint(0, C, (n, T))) for n in (4 * SIZE, HELD)]
        training, validation = DataLoader(sets[0], SIZE, shuffle=True), DataLoader(sets[1], SIZE)
        for _ in range(2):
            for x, y in training:
                optimizer.zero_grad()
                loss(model(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                for x, y in validation:
                    loss(model(x), y)
                x, y = sets[1].tensors
                chances = torch.log_softmax(model(x), -1).gather(2, y[..., None])
            means.append(-float(chances.mean()))
        for x, y in training:
            loss(model(x), y).backward()
    assert records.of("sensor_off") == []
    return [e for e in records.of("evaluation") if e["step"]], means


@pytest.mark.parametrize("loss", [flat, swapped])
def test_examples_are_the_samples_that_the_loader_gave(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    found, means = evaluated(loss)
    assert [e["examples"]["count"] for e in found] == [HELD, HELD]
    assert [e["examples"]["mean"] for e in found] == pytest.approx(means)
    assert found[1]["rise"]["best_step"] == 4
    assert found[1]["rise"]["paired"]
    assert found[1]["trained"]["count"] == 4 * SIZE


def test_targets_in_another_order_than_the_loader_gave_are_no_examples() -> None:
    found, _ = evaluated(time_first)
    assert not any("examples" in e for e in found)
    assert all(e["loss"] > 0 for e in found)


def test_a_row_of_the_target_for_each_sample() -> None:
    target = torch.arange(12).reshape(4, 3)
    assert as_given(target, 4, []) == Rows(4, 1, True)
    assert as_given(target.reshape(-1), 4, [torch.randn(4, 2), target]) == Rows(4, 1, True)
    assert as_given(target.reshape(-1), 4, []) is None
    assert as_given(target.t().reshape(-1), 4, [target]) is None
    assert as_given(target, 3, [target]) is None
    assert as_given(target, None, [target]) is None
    assert as_given(3, 4, []) is None
