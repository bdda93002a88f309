"""What the loss takes from the steps of loops, by time step and row."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.capture.records import Observation, observed

T, B, N, H = 7, 5, 3, 4


class Written(nn.Module):
    """A cell of linear layers."""

    def __init__(self, turned: bool = False) -> None:
        super().__init__()
        self.i2h, self.h2h = nn.Linear(N, H), nn.Linear(H, H, bias=False)
        self.turned = turned

    def forward(self, x: Tensor, state: Tensor | None) -> Tensor:
        h = torch.zeros(len(x), H) if state is None else state
        if self.turned:  # a state (H, B)
            h = torch.zeros(H, len(x)) if state is None else state
            return torch.tanh(self.i2h(x).t() + self.h2h.weight @ h)
        return torch.tanh(self.i2h(x) + self.h2h(h))


def _states(cell: nn.Module, x: Tensor) -> Tensor:
    """Shapes: x (steps, rows, N) -> (steps, rows, H), or (steps, H, rows) of a state that is turned."""
    state, outs = None, []
    for each in x:
        state = cell(each, state)
        outs.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(outs)


def _watched(
    cell: nn.Module, loss_of: Callable[[Tensor], Tensor], steps: int = 3, rows: int = B
) -> Observation:
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(cell.parameters(), 0.1)
    with observed() as records:
        for _ in range(steps):
            optimizer.zero_grad()
            loss_of(_states(cell, torch.randn(T, rows, N))).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return records


CELLS: list[Callable[[], nn.Module]] = [
    Written, lambda: nn.GRUCell(N, H), lambda: nn.LSTMCell(N, H), lambda: nn.RNNCell(N, H),
]  # fmt: skip


@pytest.mark.parametrize("make", CELLS)
def test_one_row_of_all_steps(make: Callable[[], nn.Module]) -> None:
    found = _watched(make(), lambda out: out[:, -1].square().sum()).of("step_readout")
    assert [r["step"] for r in found] == [1, 3]
    for record in found:
        assert (record["steps"], record["rows"]) in ((T, B), (T - 1, B))
        assert (record["top_row_share"], record["rows_reached"]) == (pytest.approx(1.0), 1)
        assert record["last_share"] < 0.6


@pytest.mark.parametrize("make", CELLS)
def test_all_rows_of_the_last_step(make: Callable[[], nn.Module]) -> None:
    for record in _watched(make(), lambda out: out[-1].square().sum()).of("step_readout"):
        assert record["last_share"] == pytest.approx(1.0)
        assert record["rows_reached"] == B
        assert record["top_row_share"] < 0.9


@pytest.mark.parametrize("make", CELLS)
def test_all_rows_of_all_steps(make: Callable[[], nn.Module]) -> None:
    for record in _watched(make(), lambda out: out.sum()).of("step_readout"):
        assert record["last_share"] == pytest.approx(2 / record["steps"], abs=0.05)
        assert record["rows_reached"] == B


def test_a_state_whose_rows_stand_second() -> None:
    record = _watched(Written(turned=True), lambda out: out[:, :, 1].sum()).of("step_readout")[0]
    assert (record["rows"], record["rows_reached"], record["top_row_share"]) == (B, 1, pytest.approx(1.0))


def test_rows_that_have_a_part_in_another() -> None:
    """Agents that hear each other, of whom the loss asks one."""

    class Hearing(Written):
        def forward(self, x: Tensor, state: Tensor | None) -> Tensor:
            h = super().forward(x, state)
            return h + 0.1 * h.mean(0, keepdim=True)

    for record in _watched(Hearing(), lambda out: out[:, 0].sum()).of("step_readout"):
        assert record["top_row_share"] == pytest.approx(1.0)
        assert record["rows_reached"] == B


def test_few_rows_are_not_looked_at() -> None:
    assert not _watched(nn.GRUCell(N, H), lambda out: out[:, 0].sum(), rows=2).of("step_readout")


def test_the_backward_pass_is_not_disturbed() -> None:
    def trained(probed: bool) -> list[Tensor]:
        torch.manual_seed(1)
        cell = nn.LSTMCell(N, H)
        if probed:
            _watched(cell, lambda out: out[:, -1].sum())
        else:
            torch.manual_seed(0)
            optimizer = torch.optim.SGD(cell.parameters(), 0.1)
            for _ in range(3):
                optimizer.zero_grad()
                _states(cell, torch.randn(T, B, N))[:, -1].sum().backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        return list(cell.parameters())

    assert all(map(torch.equal, trained(True), trained(False)))


def test_a_graph_that_is_kept_adds_nothing_to_later_updates() -> None:
    """The state goes on with its graph: the hooks of the update before are still in it."""
    cell, bias = nn.GRUCell(N, H), nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([bias], 0.1)  # the weights stay, or autograd refuses the second pass
    state: Any = None
    with observed() as records:
        for _ in range(3):
            outs = []
            for each in torch.randn(T, B, N):
                state = cell(each, state)
                outs.append(state)
            (torch.stack(outs)[:, 0].sum() + bias).backward(retain_graph=True)  # type: ignore[no-untyped-call]
            optimizer.step()
    assert [r["top_row_share"] for r in records.of("step_readout")] == pytest.approx([1.0, 1.0])
    assert not records.of("sensor_off")
