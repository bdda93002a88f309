"""Layers of which an activation lets nothing through."""

# mypy: disable-error-code="no-untyped-call, no-any-return, index"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.capture.records import observed

T, B, N, H = 5, 6, 3, 4
Cut = Callable[[torch.Tensor], torch.Tensor]


class Net(nn.Module):
    """A layer before the recurrence, one behind it, each with its activation."""

    def __init__(self, before: Cut, behind: Cut, bias: float) -> None:
        super().__init__()
        self.front, self.rnn, self.dense = nn.Linear(N, H), nn.GRU(H, H), nn.Linear(H, 8)
        self.head = nn.Linear(8, 2)
        self.before, self.behind = before, behind
        nn.init.constant_(self.dense.bias, bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.rnn(self.before(self.front(x)))[0][-1]
        return self.head(self.behind(self.dense(out)))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_doctor.capture.probe.calls.examined_steps", lambda _: frozenset((1, 2, 3)))


def trained(net: nn.Module, updates: int = 3) -> list[dict[str, Any]]:
    torch.manual_seed(0)
    with observed() as records:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(updates):
            optimizer.zero_grad()
            F.cross_entropy(net(torch.randn(T, B, N)), torch.randint(2, (B,))).backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    return records.of("activation")


CUTTING: dict[str, Cut] = {
    "relu": torch.relu,
    "clamp": lambda x: x.clamp(min=0),
    "dropout behind": lambda x: F.dropout(F.relu(x), 0.2),
    "relu6": F.relu6,
    "gelu": F.gelu,
    "maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "norm before": lambda x: torch.relu(F.layer_norm(x, (8,)) - 20),
}


@pytest.mark.parametrize("name", CUTTING)
def test_a_layer_that_is_cut_to_zero(name: str) -> None:
    torch.manual_seed(0)
    found = trained(Net(torch.tanh, CUTTING[name], -20.0))
    assert {(each["name"], each["silent_share"], each["units"]) for each in found} == {("dense", 1.0, 8)}
    assert [each["step"] for each in found] == [1, 2, 3]
    assert {each["rows"] for each in found} == {B}


@pytest.mark.parametrize("name", CUTTING)
def test_a_layer_that_speaks(name: str) -> None:
    torch.manual_seed(0)
    cut = (lambda x: torch.relu(F.layer_norm(x, (8,)))) if name == "norm before" else CUTTING[name]
    found = trained(Net(torch.tanh, cut, 1.0))
    assert len(found) == 3
    assert all(each["silent_share"] < 0.8 for each in found)


def test_single_units_are_told_apart() -> None:
    torch.manual_seed(0)
    net = Net(torch.tanh, torch.relu, 1.0)
    nn.init.constant_(net.dense.bias[:2], -20.0)
    assert {each["silent_share"] for each in trained(net)} == {0.25}


def test_a_layer_before_the_recurrence_is_looked_at_over_all_steps() -> None:
    torch.manual_seed(0)
    (first, *_) = trained(Net(torch.relu, torch.tanh, 0.0))
    assert (first["name"], first["rows"], first["function"]) == ("front", T * B, "Relu")
    assert first["silent_share"] < 1


def test_channels_of_a_convolution_are_its_units() -> None:
    class Convolved(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.rnn, self.head = nn.Conv1d(N, H, 3, padding=1), nn.GRU(H, H), nn.Linear(H, 2)
            nn.init.constant_(self.conv.bias[:3], -50.0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            channels = torch.relu(self.conv(x.permute(1, 2, 0)))
            return self.head(self.rnn(channels.permute(2, 0, 1))[0][-1])

    torch.manual_seed(0)
    found = trained(Convolved())
    assert {(each["name"], each["units"], each["rows"]) for each in found} == {("conv", H, B * T)}
    assert found[0]["silent_share"] in (0.75, 1.0)


def test_states_of_loops_and_outputs_of_recurrences_are_not_meant() -> None:
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.head = nn.Linear(N + H, H), nn.Linear(H, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.zeros(B, H)
            for now in x:
                h = torch.relu(self.cell(torch.cat([now, h], 1)))
            return self.head(h)

    class Read(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.GRU(N, H), nn.Linear(H, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(torch.relu(self.rnn(x)[0][-1] - 5))

    torch.manual_seed(0)
    assert trained(Loop()) == []
    assert trained(Read()) == []
