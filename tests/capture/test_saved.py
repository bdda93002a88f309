"""Graphs whose operations keep their tensors packed: to read one runs the script's own code."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from rnn_doctor.capture.probe import saved as saved_of_operations
from rnn_doctor.capture.probe.saved import is_packed, saved
from tests.capture.records import Observation, observed

T, B, N, H = 5, 3, 2, 4


class Elman(nn.Module):
    """By hand, read at every step; knows how often it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.i2h, self.h2h, self.head = nn.Linear(N, H), nn.Linear(H, H), nn.Linear(H, 1)
        self.runs = 0

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        h, out = torch.zeros(B, H), []
        for x in xs:
            h = torch.tanh(self.i2h(x) + self.h2h(h))
            out.append(self.head(h))
        return torch.stack(out)


class Embedded(nn.Module):
    """A module of torch's on embedded tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(9, N), nn.GRU(N, H)
        self.runs = 0

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        tokens = (xs[..., 0] * 3).long().clamp(0, 8)
        out: torch.Tensor = self.rnn(self.embedding(tokens))[0]
        return out


class Detached(Elman):
    """The same, its state cut off at every step."""

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        h, out = torch.zeros(B, H), []
        for x in xs:
            h = torch.tanh(self.i2h(x) + self.h2h(h.detach()))
            out.append(self.head(h))
        return torch.stack(out)


def train(net: Any, wrapped: Callable[[torch.Tensor], torch.Tensor]) -> list[torch.Tensor]:
    torch.manual_seed(1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        wrapped(torch.randn(T, B, N)).square().mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return [*net.parameters(), torch.tensor(net.runs), torch.get_rng_state()]


def both(kind: Any) -> tuple[Observation, list[torch.Tensor], list[torch.Tensor]]:
    """Records, and what trainings with and without the probe leave."""

    def run() -> list[torch.Tensor]:
        torch.manual_seed(0)
        net = kind()
        return train(net, lambda x: checkpoint(net, x, use_reentrant=False))

    with observed() as records:
        left = run()
    return records, left, run()


@pytest.mark.parametrize("kind", [Elman, Embedded, Detached])
def test_a_checkpointed_recurrence_runs_no_more_often_than_alone(kind: Any) -> None:
    records, left, alone = both(kind)
    assert records.of("sensor_off") == []
    assert all(torch.equal(a, b) for a, b in zip(left, alone, strict=True))


def test_a_gain_that_would_run_it_once_more_is_missing_and_says_why() -> None:
    records, _, _ = both(Elman)
    assert "checkpointed" in records.of("loop")[0]["absent"]
    assert records.of("lag_gain") == []


def test_hooks_of_the_script_are_called_by_its_own_pass_alone() -> None:
    unpacked: list[int] = []

    def unpack(tensor: torch.Tensor) -> torch.Tensor:
        unpacked.append(1)
        return tensor

    def run() -> int:
        torch.manual_seed(0)
        net = Elman()
        unpacked.clear()

        def hooked(x: torch.Tensor) -> torch.Tensor:
            with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, unpack):
                out: torch.Tensor = net(x)
                return out

        train(net, hooked)
        return len(unpacked)

    with observed() as records:
        watched = run()
    assert records.of("sensor_off") == []
    assert watched == run() > 0


def test_what_is_made_outside_of_hooks_is_not_packed() -> None:
    with observed():
        w = torch.ones(2, 2, requires_grad=True)
        before = w @ w
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
                within = w @ w
            still = w @ w
        after = w @ w
    assert [is_packed(t.grad_fn) for t in (before, within, still, after)] == [False, True, True, False]
    assert saved(within.grad_fn, "_saved_self") is None
    kept = saved(after.grad_fn, "_saved_self")
    assert kept is not None
    assert torch.equal(kept, w)
    assert saved(after.grad_fn, "_saved_nothing") is None


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch that does not tell the number of the next operation."""
    monkeypatch.delattr(torch._C._autograd, "_get_sequence_nr")
    monkeypatch.setattr(saved_of_operations, "_packed", saved_of_operations._Stretches())


@pytest.mark.usefixtures("untold")
def test_where_operations_are_not_told_apart_a_checkpointed_graph_is_left_alone_and_that_is_said() -> None:
    records, left, alone = both(Elman)
    assert records.of("sensor_off") == []
    assert all(torch.equal(a, b) for a, b in zip(left, alone, strict=True))
    assert "this version of PyTorch does not tell" in records.of("loop")[0]["absent"]
    assert records.of("lag_gain") == []


@pytest.mark.usefixtures("untold")
def test_where_operations_are_not_told_apart_a_graph_without_hooks_is_read() -> None:
    with observed() as records:
        torch.manual_seed(0)
        net = Elman()
        train(net, net)
    assert records.of("sensor_off") == []
    assert "absent" not in records.of("loop")[0]
    assert records.of("lag_gain")
