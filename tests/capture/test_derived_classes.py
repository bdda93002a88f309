"""Classes that the script derives from torch's recurrent modules: torch's own `forward` is what is looked at."""

from typing import Any

import pytest
import torch
from torch import nn

from tests.capture.records import Observation, observed

T, B, N, H = 6, 3, 2, 4


class OutputAlone(nn.GRU):
    def forward(self, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        out: torch.Tensor = super().forward(x)[0]
        return out


class Named(nn.LSTM):
    def forward(self, sequence: torch.Tensor) -> dict[str, torch.Tensor]:  # type: ignore[override]
        out, (h, _) = super().forward(sequence)
        return {"out": out, "last": h}


class Scaled(nn.LSTM):
    def forward(self, x: torch.Tensor, hx: Any = None) -> Any:  # type: ignore[override]
        out, state = super().forward(x, hx)
        return 2 * out, state


class Transposed(nn.GRU):
    def forward(self, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        out: torch.Tensor = super().forward(x.permute(2, 1, 0))[0]
        return out


def updated(network: nn.Module, loss: torch.Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]
    torch.optim.SGD(network.parameters(), lr=0.1).step()


def seen(kind: Any, x: torch.Tensor) -> Observation:
    torch.manual_seed(0)
    with observed() as records:
        rnn = kind(N, H)
        out = rnn(x)
        out = out["out"] if isinstance(out, dict) else out[0] if isinstance(out, tuple) else out
        updated(rnn, out[-1].square().mean())
    assert records.of("sensor_off") == []
    return records


@pytest.mark.parametrize("kind", [OutputAlone, Named, Scaled, Transposed])
def test_a_derived_module_is_replayed_as_what_it_is_derived_from(kind: Any) -> None:
    x = torch.randn(N, B, T) if kind is Transposed else torch.randn(T, B, N)
    records = seen(kind, x)
    assert [(m["name"], m["kind"]) for m in records.of("module")] == [(kind.__name__, kind.__base__.__name__)]
    assert [r["exact"] for r in records.of("replay")] == [True]
    assert [g["lags"][-1] for g in records.of("lag_gain")] == [T - 1]
    assert [b["time"] for b in records.of("batch")] == [T]


class Interpolating(nn.GRUCell):
    def forward(self, x: torch.Tensor, h: torch.Tensor, share: float) -> torch.Tensor:  # type: ignore[override]
        return share * super().forward(x, h) + (1 - share) * h


def test_a_derived_cell_with_more_arguments_in_a_loop() -> None:
    torch.manual_seed(0)
    with observed() as records:
        cell, h = Interpolating(N, H), torch.zeros(B, H)
        for x in torch.randn(T, B, N):
            h = cell(x, h, 0.8)
        updated(cell, h.square().mean())
    assert records.of("sensor_off") == []
    (flow,) = records.of("state_flow")
    assert (flow["calls"], flow["attached"]) == (T, T - 1)
    assert [gain["lags"][-1] for gain in records.of("lag_gain")] == [T - 1]


class Own(nn.GRU):
    """Does not call torch's `forward`."""

    def forward(self, steps: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        weight = self.get_parameter("weight_ih_l0")
        return steps @ weight.t()


def test_one_that_does_something_else_is_named_and_left_alone() -> None:
    with observed() as records:
        rnn = Own(N, H)
        updated(rnn, rnn(torch.randn(T, B, N)).square().mean())
    assert records.of("sensor_off") == []
    assert [m["kind"] for m in records.of("module")] == ["GRU"]
    assert records.of("lag_gain") == []


class Holding(nn.LSTM):
    """Calls a module within its own `forward`, after torch's."""

    def __init__(self, n: int, hidden: int) -> None:
        super().__init__(n, hidden)
        self.above = nn.GRU(hidden, hidden)

    def forward(self, x: torch.Tensor) -> Any:  # type: ignore[override]
        out, _ = super().forward(x)
        return self.above(out)


def test_modules_within_a_derived_one_are_seen_once_each() -> None:
    records = seen(Holding, torch.randn(T, B, N))
    assert sorted(m["kind"] for m in records.of("module")) == ["GRU", "LSTM"]
    assert [b["calls"] for b in records.of("batch")] == [1, 1]
