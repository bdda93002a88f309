"""Recurrent modules of torch's whose calls are not seen, and calls that are not what they seem."""

from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrizations

from tests.capture.records import Observation, observed

T, B, N, H = 5, 3, 2, 4


def updated(parameters: Any, loss: torch.Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]
    torch.optim.SGD(parameters, lr=0.1).step()


class Loop(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(N, H)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(B, H)
        for x in xs:
            h = self.cell(x, h)
        return h


def test_a_cell_within_a_compiled_loop_is_found_in_the_graph() -> None:
    with observed() as records:
        net = Loop()
        compiled: Any = torch.compile(net, backend="eager")
        updated(net.parameters(), compiled(torch.randn(T, B, N)).square().mean())
    assert records.of("sensor_off") == []
    (module,) = records.of("module")
    assert (module["kind"], module["called"]) == ("GRUCell", False)
    assert [gain["lags"][-1] for gain in records.of("lag_gain")] == [T - 1]


class Traced(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(N, H)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.rnn(x)[0]
        return out


def test_weights_that_are_used_without_a_call_say_why_nothing_is_known() -> None:
    with observed() as records:
        net = Traced()
        x, state = torch.randn(T, B, N), (torch.zeros(1, B, H), torch.zeros(1, B, H))
        kernel: Any = torch._VF.lstm
        flat = list(net.rnn.parameters())
        out = kernel(x, state, flat, True, 1, 0.0, True, False, False)[0]
        updated(net.parameters(), out.square().mean())
    assert records.of("sensor_off") == []
    (module,), (loop,) = records.of("module"), records.of("loop")
    assert (module["name"], module["called"]) == ("rnn", False)
    assert "hides its calls" in loop["absent"]


def flows(records: Observation) -> list[dict[str, int]]:
    return [
        {k: f.get(k, 0) for k in ("calls", "fresh", "attached", "length")} for f in records.of("state_flow")
    ]


def test_calls_on_several_sequences_are_not_steps_of_one() -> None:
    torch.manual_seed(0)
    with observed() as records:
        rnn = nn.GRU(N, H)
        x = torch.randn(T, B, N)
        updated(rnn.parameters(), sum(rnn(part)[0][-1].sum() for part in (x, x.flip(0), 2 * x)))
    assert records.of("sensor_off") == []
    assert flows(records) == [{"calls": 3, "fresh": 3, "attached": 0, "length": T}]
    assert records.of("loop") == []


def test_calls_that_go_on_from_a_changed_state_are() -> None:
    torch.manual_seed(0)
    with observed() as records:
        rnn, norm = nn.GRU(N, H), nn.LayerNorm(H)
        h = torch.zeros(1, B, H)
        for part in torch.randn(3, T, B, N):
            h = norm(rnn(part, h)[1])
        updated(rnn.parameters(), h.square().sum())
    assert records.of("sensor_off") == []
    assert [(f["fresh"], f["attached"]) for f in flows(records)] == [(1, 2)]


def test_a_layer_with_a_parametrized_weight_is_named_by_the_cell_that_holds_it() -> None:
    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.i2h, self.h2h = nn.Linear(N, H), parametrizations.weight_norm(nn.Linear(H, H))

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            h = torch.zeros(B, H)
            for x in xs:
                h = torch.tanh(self.i2h(x) + self.h2h(h))
            return h

    with observed() as records:
        net = Cell()
        updated(net.parameters(), net(torch.randn(T, B, N)).square().mean())
    assert records.of("sensor_off") == []
    assert [m["name"] for m in records.of("module")] == ["Cell"]
