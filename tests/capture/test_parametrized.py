"""Recurrent modules whose weights are parametrized: to look at one must not change what it is made of."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from rnn_doctor.capture.probe.recurrence.kernel import kernel_of, weight_of
from tests.capture.records import Observation, observed

T, B, N, H = 5, 3, 2, 4


def spectral(kind: Any, name: str) -> nn.Module:
    return parametrizations.spectral_norm(kind(N, H), name)


def orthogonal(kind: Any, name: str) -> nn.Module:
    return parametrizations.orthogonal(kind(N, H), name)


def norm(kind: Any, name: str) -> nn.Module:
    built: nn.Module = parametrizations.weight_norm(kind(N, H), name)
    return built


def out_of(rnn: Any, xs: torch.Tensor) -> torch.Tensor:
    if isinstance(rnn, nn.RNNBase):
        out: torch.Tensor = rnn(xs)[0][-1]
        return out
    state = None
    for x in xs:
        state = rnn(x, state)
    return state[0] if isinstance(state, tuple) else state  # type: ignore[return-value]


def left(rnn: nn.Module) -> list[torch.Tensor]:
    """Parameters and buffers after three updates."""
    torch.manual_seed(2)
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        out_of(rnn, torch.randn(T, B, N)).square().mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return [*rnn.state_dict().values(), torch.get_rng_state()]


KINDS = [
    (nn.LSTM, "weight_hh_l0"),
    (nn.RNN, "weight_hh_l0"),
    (nn.GRUCell, "weight_hh"),
    (nn.LSTMCell, "weight_ih"),
]


@pytest.mark.parametrize("build", [spectral, norm, orthogonal])
@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_a_training_is_left_bit_identical(build: Any, kind: Any, name: str) -> None:
    def run() -> list[torch.Tensor]:
        torch.manual_seed(0)
        return left(build(kind, name))

    records: Observation
    with observed() as records:
        watched = run()
    assert records.of("sensor_off") == []
    assert all(torch.equal(a, b) for a, b in zip(watched, run(), strict=True))
    assert all(replay["exact"] for replay in records.of("replay"))
    assert records.of("lag_gain")
    assert records.of("initial_weights")


@pytest.mark.parametrize("build", [spectral, norm, orthogonal])
def test_the_weight_is_what_the_call_used(build: Any) -> None:
    torch.manual_seed(0)
    cell = build(nn.RNNCell, "weight_hh")
    x, h = torch.randn(B, N), torch.randn(B, H)
    out = cell(x, h)
    weight = weight_of(cell, "weight_hh")
    assert weight is not None
    assert not weight.requires_grad
    assert all(part.training for part in cell.modules())
    truth = torch.tanh(x @ cell.weight_ih.t() + cell.bias_ih + h @ weight.t() + cell.bias_hh)
    assert torch.allclose(out, truth, atol=1e-6)


class Counted(nn.Module):
    """A parametrization of the script's own."""

    asked = 0

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        Counted.asked += 1
        return weight.tanh()


def test_a_parametrization_of_the_scripts_own_is_not_asked() -> None:
    cell = nn.GRUCell(N, H)
    parametrize.register_parametrization(cell, "weight_hh", Counted())
    before = Counted.asked
    assert weight_of(cell, "weight_hh") is None
    assert kernel_of(cell) is None
    assert Counted.asked == before
    assert weight_of(cell, "nothing") is None
