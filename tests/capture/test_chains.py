"""Calls that hand their states on, joined to one sequence."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from rnn_doctor.capture.probe.recurrence.chains import joined
from rnn_doctor.capture.probe.recurrence.kernel import Rows, kernel_of, rows_of, run
from rnn_doctor.capture.probe.sensors.states import StateFlows
from tests.capture.records import Records

B, N, H, R = 5, 3, 6, 3
CELLS = [nn.RNNCell, nn.GRUCell, nn.LSTMCell]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Calls:
    """The calls of a module, as they are gathered at an examined step."""

    def __init__(self, module: Any) -> None:
        self.module, self.kernel = module, kernel_of(module)
        self.flows = StateFlows(Records())
        self.gathered: list[tuple[str, Rows]] = []

    def __call__(self, given: Any, state: Any = None) -> Any:
        """The state that the call returns."""
        assert self.kernel is not None
        output = self.module(given, state)
        link = self.flows.on_call(0, self.module, given, state, output)
        self.gathered.append((link, rows_of(self.module, self.kernel, given, state, output, R)))
        return output if isinstance(self.module, nn.modules.rnn.RNNCellBase) else output[1]

    def joined(self) -> list[Rows]:
        return joined(self.gathered)

    def agrees(self, rows: Rows) -> bool:
        """Whether the kernel over the joined inputs gives the joined outputs."""
        assert self.kernel is not None
        output, _ = run(self.kernel, rows.x, rows.state)
        return torch.allclose(output, rows.output, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("given", [True, False])
def test_cells_in_a_loop_are_one_sequence(kind: Any, given: bool) -> None:
    calls = Calls(kind(N, H))
    h = torch.randn(B, H)
    state = ((h, torch.randn(B, H)) if kind is nn.LSTMCell else h) if given else None
    for _ in range(7):
        state = calls(torch.randn(B, N), state)
    (rows,) = calls.joined()
    assert (rows.calls, rows.x.shape, rows.output.shape) == (7, (7, R, N), (7, R, H))
    assert rows.lengths == [7] * R
    assert calls.agrees(rows)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"batch_first": True}], ids=str)
def test_chunks_are_one_sequence(kind: Any, options: dict[str, Any]) -> None:
    calls = Calls(kind(N, H, **options))
    state = None
    for time in (4, 4, 1):
        state = calls(torch.randn((B, time, N) if options.get("batch_first") else (time, B, N)), state)
    (rows,) = calls.joined()
    assert (rows.calls, rows.x.shape) == (3, (9, R, N))
    assert calls.agrees(rows)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_projected_states() -> None:
    calls = Calls(nn.LSTM(N, H, proj_size=2))
    calls(torch.randn(3, B, N), calls(torch.randn(3, B, N)))
    (rows,) = calls.joined()
    assert rows.calls == 2
    assert calls.agrees(rows)


def test_detached_and_fresh_calls_begin_anew() -> None:
    calls = Calls(nn.GRU(N, H))
    state = calls(torch.randn(4, B, N), calls(torch.randn(4, B, N)))
    calls(torch.randn(4, B, N), state.detach())
    calls(torch.randn(4, B, N))
    assert [rows.calls for rows in calls.joined()] == [2, 1, 1]


def test_two_streams_of_one_cell_are_two_sequences() -> None:
    calls = Calls(nn.GRUCell(N, H))
    one, other = None, None
    for _ in range(3):
        one, other = calls(torch.randn(B, N), one), calls(torch.randn(B, N), other)
    rows = calls.joined()
    assert [r.calls for r in rows] == [3, 3]
    assert all(calls.agrees(r) for r in rows)


def test_a_state_that_was_changed_on_the_way_is_not_joined() -> None:
    calls = Calls(nn.GRUCell(N, H))
    state = calls(torch.randn(B, N))
    calls(torch.randn(B, N), state * torch.tensor([[1.0], [0.5], [1.0], [1.0], [1.0]]))
    assert [link for link, _ in calls.gathered] == ["fresh", "attached"]
    assert [rows.calls for rows in calls.joined()] == [1, 1]


def test_two_directions_are_not_joined() -> None:
    calls = Calls(nn.GRU(N, H, bidirectional=True))
    calls(torch.randn(4, B, N), calls(torch.randn(4, B, N)))
    assert [rows.calls for rows in calls.joined()] == [1, 1]


def test_packed_calls_are_joined_where_all_rows_are_full() -> None:
    for lengths, expected in (((4, 4, 4, 4, 4), [2]), ((4, 3, 2, 1, 1), [1, 1])):
        calls = Calls(nn.GRU(N, H))
        given = [pack_sequence([torch.randn(n, N) for n in lengths]) for _ in range(2)]
        calls(given[1], calls(given[0]))
        assert [rows.calls for rows in calls.joined()] == expected


def test_fewer_rows_are_not_joined() -> None:
    calls = Calls(nn.GRUCell(N, H))
    state = calls(torch.randn(B, N))
    calls(torch.randn(2, N), state[:2])
    assert [rows.calls for rows in calls.joined()] == [1, 1]


def test_no_calls() -> None:
    assert joined([]) == []
