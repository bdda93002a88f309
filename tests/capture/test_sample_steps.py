"""Recurrences that run along the samples of a batch, told by memory."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from rnn_doctor.schema.recurrence import SampleSteps
from tests.capture.records import observed

ALL, B, T, N, H = 40, 8, 5, 3, 4
X = torch.randn(ALL, T, N, generator=torch.Generator().manual_seed(0))


class Module(nn.Module):
    """One of torch's, a cell, or one written by hand, whose steps are the first axis of what it is given."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.head = kind, nn.Linear(H, 1)
        self.module = {"module": nn.GRU, "cell": nn.GRUCell, "hand": nn.Linear}[kind](N, H)
        self.across = nn.Linear(H, H)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(steps.shape[1], H)
        if self.kind == "module":
            h = self.module(steps)[0][-1]
        for x in steps if self.kind != "module" else ():
            h = self.module(x, h) if self.kind == "cell" else torch.tanh(self.module(x) + self.across(h))
        out: torch.Tensor = self.head(h)
        return out


def told(kind: str, batches: Any) -> list[str]:
    """By what the samples were drawn along which it runs."""
    torch.manual_seed(0)
    with observed() as records:
        net = Module(kind)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for steps in batches:
            optimizer.zero_grad()
            net(steps).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    assert "__getitem__" not in vars(torch.Tensor)
    return [SampleSteps(**record).drawn_by for record in records.of("sample_steps")]


Turn = Callable[[torch.Tensor], torch.Tensor]
KINDS = ["module", "cell", "hand"]


def loaded(shuffle: bool, turn: Turn) -> Any:
    for (x,) in DataLoader(TensorDataset(X), batch_size=B, shuffle=shuffle):  # begun while it is observed
        yield turn(x)


def as_it_is(x: torch.Tensor) -> torch.Tensor:
    return x


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaders_samples(kind: str) -> None:
    assert told(kind, loaded(True, as_it_is)) == ["loader"]
    assert told(kind, loaded(True, lambda x: x.transpose(0, 1))) == []
    assert told(kind, loaded(False, as_it_is)) == []  # they may be a series


KEPT: list[torch.Tensor] = []


def scaled(x: torch.Tensor) -> torch.Tensor:
    """As a network that scales its input has it, while the training holds the batch."""
    KEPT[:] = [x]
    return torch.cat([x * 2 + 1], dim=-1)


INDEXED: dict[str, tuple[Callable[[], torch.Tensor], bool]] = {
    "drawn": (lambda: X[torch.randint(ALL, (B,))], True),
    "all drawn, then cut": (lambda: X[torch.randperm(ALL)][:B], True),
    "drawn, and scaled": (lambda: scaled(X[torch.randint(ALL, (B,))]), True),
    "a permutation of what is there": (lambda: X[torch.randperm(ALL)], False),  # of a set, it may be meant
    "in order": (lambda: X[torch.arange(3, 3 + B)], False),
    "backwards": (lambda: X[torch.arange(B, 0, -1)], False),
    "a slice": (lambda: X[3 : 3 + B], False),
    "drawn, and turned": (lambda: X[torch.randint(ALL, (B,))].transpose(0, 1), False),
    "made": (lambda: torch.randn(B, T, N), False),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INDEXED)
def test_samples_that_an_index_drew(kind: str, name: str) -> None:
    take, found = INDEXED[name]
    assert told(kind, (take() for _ in range(5))) == (["index"] if found else [])
