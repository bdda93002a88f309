"""What the examined steps of a training leave in the log."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from rnn_doctor.capture.probe.schedule import examined_steps, sampled_steps
from tests.capture.records import Observation, observed

T, B, N, H = 9, 4, 3, 6


def trained(
    build: Callable[[], nn.Module], loss: Callable[[Any], torch.Tensor], steps: int = 3
) -> Observation:
    torch.manual_seed(0)
    with observed() as records:
        module = build()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            loss(module).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    assert records.of("sensor_off") == []
    return records


def test_the_first_the_middle_and_the_last_step_are_examined() -> None:
    assert examined_steps(50) == {1, 21, 50}
    assert examined_steps(1) == {1}
    assert examined_steps(200) <= sampled_steps(200)
    assert len(examined_steps(200)) == 3
    endless = examined_steps(None)
    assert min(endless - {1}) == 21
    assert endless <= sampled_steps(None)


def test_a_fused_module_is_replayed_with_the_gradient_of_the_scripts_loss() -> None:
    records = trained(lambda: nn.LSTM(N, H, 2), lambda m: m(torch.randn(T, B, N))[0][-1].square().sum())
    (replay,) = records.of("replay")
    assert replay["exact"]
    assert (replay["step"], replay["rows"], replay["time"]) == (1, 2, T)
    first, second = records.of("layer")
    assert (first["layer"], second["layer"]) == (0, 1)
    # The loss reads the last step alone: the gradient falls from there, and none is left of the layer's padding.
    assert second["hidden_gradient"] == sorted(second["hidden_gradient"])
    assert all(math.isfinite(value) for value in first["hidden_gradient"])
    assert [g["layer"] for g in records.of("lag_gain") if "layer" in g] == [0, 1]


def test_a_final_state_that_alone_is_read_gives_its_gradient() -> None:
    records = trained(lambda: nn.LSTM(N, H), lambda m: m(torch.randn(T, B, N))[1][0].square().sum())
    (layer,) = records.of("layer")
    assert layer["hidden_gradient"] == sorted(layer["hidden_gradient"])


def test_packed_rows_are_examined() -> None:
    def loss(module: Any) -> torch.Tensor:
        given = pack_padded_sequence(torch.randn(T, B, N), torch.tensor([3, T, 5, 8]), enforce_sorted=False)
        total: torch.Tensor = module(given)[0].data.square().sum()
        return total

    records = trained(lambda: nn.GRU(N, H, bidirectional=True), loss)
    assert records.of("replay")[0]["exact"]
    assert len(records.of("layer")) == 2


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_a_cell_in_a_loop_is_one_sequence(kind: Any) -> None:
    def loss(cell: Any) -> torch.Tensor:
        state = None
        for x in torch.randn(T, B, N):
            state = cell(x, state)
        h = state[0] if isinstance(state, tuple) else state
        assert isinstance(h, torch.Tensor)
        return h.square().sum()

    records = trained(lambda: kind(N, H), loss)
    (gain,) = records.of("lag_gain")
    assert gain["lags"] == list(range(T))
    assert gain["calls"] == T
    (replay,) = records.of("replay")
    assert replay["exact"]
    assert replay["time"] == T
    (flow,) = [r for r in records.of("state_flow") if r["step"] == 1]
    assert (flow["calls"], flow["attached"], flow["length"]) == (T, T - 1, T)


def test_a_detached_loop_is_not_joined() -> None:
    def loss(cell: Any) -> torch.Tensor:
        h = torch.zeros(B, H)
        total = torch.zeros(())
        for x in torch.randn(T, B, N):
            h = cell(x, h.detach())
            total = total + h.square().sum()
        return total

    records = trained(lambda: nn.GRUCell(N, H), loss)
    assert records.of("lag_gain") == []
    (flow,) = [r for r in records.of("state_flow") if r["step"] == 1]
    assert (flow["detached"], flow["length"]) == (T - 1, 1)


def test_the_origin_of_a_number_that_is_not_finite() -> None:
    def loss(module: Any) -> torch.Tensor:
        with torch.no_grad():
            module.weight_hh_l0.copy_(torch.eye(H) * 1e13)
        total: torch.Tensor = module(torch.rand(T, B, N))[0].sum()
        return total

    records = trained(lambda: nn.RNN(N, H, nonlinearity="relu"), loss, steps=1)
    first = records.of("non_finite")[0]
    assert (first["what"], first["layer"], first["gate"], first["overflow"]) == ("output", 0, "h", True)
    assert 0 < first["time"] < T


def test_of_several_calls_the_longest_is_examined() -> None:
    def loss(module: Any) -> torch.Tensor:
        total: torch.Tensor = module(torch.randn(4, B, N))[0].sum() + module(torch.randn(T, B, N))[0].sum()
        return total

    records = trained(lambda: nn.GRU(N, H), loss)
    (replay,) = records.of("replay")
    assert (replay["time"], replay["exact"]) == (T, True)
    assert records.of("layer")


def test_an_update_of_many_evaluations_is_examined_once() -> None:
    torch.manual_seed(0)
    x = torch.randn(T, B, N)
    with observed() as records:
        module = nn.GRU(N, H)
        optimizer = torch.optim.LBFGS(module.parameters(), max_iter=5)

        def closure() -> Any:
            optimizer.zero_grad()
            loss = module(x)[0].square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)  # type: ignore[no-untyped-call]
    assert records.observer.session.step == 1
    assert [r["step"] for r in records.of("replay")] == [1]


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRUCell])
def test_forward_that_is_called_directly_is_a_call(kind: Any) -> None:
    given = torch.randn(*((B, N) if kind is nn.GRUCell else (T, B, N)))

    def loss(module: Any) -> torch.Tensor:
        output = module.forward(given)
        total: torch.Tensor = (output if isinstance(output, torch.Tensor) else output[0]).sum()
        return total

    records = trained(lambda: kind(N, H), loss, steps=1)
    assert [(r["calls"]) for r in records.of("state_flow")] == [1]


def test_a_call_is_one_call() -> None:
    records = trained(lambda: nn.LSTM(N, H), lambda m: m(torch.randn(T, B, N))[0].sum(), steps=1)
    assert [r["calls"] for r in records.of("state_flow")] == [1]
