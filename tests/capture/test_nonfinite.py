"""Where the first number that is not finite was made: before a module, within it, or after it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from tests.capture.records import Observation, observed

T, B, N, H = 8, 3, 2, 4
NAN = float("nan")


def watched(module: nn.Module, loss_of: Callable[[Any], torch.Tensor]) -> Observation:
    with observed() as records:
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        loss_of(module).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert records.of("sensor_off") == []
    return records


def origin(records: Observation) -> tuple[Any, ...]:
    first = records.of("non_finite")[0]
    return first["what"], first["subject"], first.get("time")


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_time_step_of_an_input(batch_first: bool) -> None:
    def loss(module: Any) -> torch.Tensor:
        x = torch.randn(B, T, N) if batch_first else torch.randn(T, B, N)
        x[(1, 5) if batch_first else (5, 1)] = NAN
        out: torch.Tensor = module(x)[0].sum()
        return out

    assert origin(watched(nn.GRU(N, H, batch_first=batch_first), loss)) == ("input", "GRU", 5)


def test_the_time_step_of_a_packed_input() -> None:
    def loss(module: Any) -> torch.Tensor:
        x = torch.randn(T, B, N)
        x[3, 2] = NAN
        packed = pack_padded_sequence(x, torch.tensor([1, T, 4]), enforce_sorted=False)
        out: torch.Tensor = module(packed)[1].sum()
        return out

    assert origin(watched(nn.GRU(N, H), loss)) == ("input", "GRU", 3)


def test_an_operation_between_two_calls_of_a_cell() -> None:
    def loss(cell: Any) -> torch.Tensor:
        h = torch.zeros(B, H)
        for t, x in enumerate(torch.randn(T, B, N)):
            h = cell(x, h)
            if t == 4:
                h = h / (h - h)
        return h.sum()

    records = watched(nn.GRUCell(N, H), loss)
    assert origin(records) == ("operation", "Div", None)
    state = records.of("non_finite")[1]
    assert (state["what"], state["time"]) == ("state", 5)


def test_a_state_that_was_given_so() -> None:
    def loss(module: Any) -> torch.Tensor:
        out: torch.Tensor = module(torch.randn(T, B, N), torch.full((1, B, H), NAN))[0].sum()
        return out

    assert origin(watched(nn.GRU(N, H), loss)) == ("state", "GRU", None)


def test_states_near_the_end_of_their_range_have_no_rank_and_are_described() -> None:
    def loss(module: Any) -> torch.Tensor:
        with torch.no_grad():
            module.weight_hh_l0.copy_(torch.eye(H) * 1e3)
        out: torch.Tensor = module(torch.rand(11, 2 * B, N))[0].sum()
        return out

    (layer,) = watched(nn.RNN(N, H, nonlinearity="relu"), loss).of("layer")
    assert max(layer["hidden_norm"]) > 1e20
    assert "effective_rank" not in layer
