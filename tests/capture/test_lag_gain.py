"""The gain by lag, against autograd through a recurrence written out step by step."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence

from rnn_doctor.capture.probe.sensors import lag_gain
from rnn_doctor.capture.probe.sensors.lag_gain import LagGains, lag_gains
from tests.capture.records import Records

T, B, N, H = 7, 3, 4, 5

MODULES: dict[str, Callable[..., nn.RNNBase]] = {
    "tanh": lambda **more: nn.RNN(N, H, **more),
    "relu": lambda **more: nn.RNN(N, H, nonlinearity="relu", **more),
    "lstm": lambda **more: nn.LSTM(N, H, **more),
    "projected": lambda **more: nn.LSTM(N, H, proj_size=2, **more),
    "gru": lambda **more: nn.GRU(N, H, **more),
}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def cell(module: Any, suffix: str, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple[Any, Any]:
    """One step as the documentation of torch writes it. Shapes: x (B, I), h (B, H or P), c (B, H)."""
    driven = nn.functional.linear(
        x, getattr(module, f"weight_ih{suffix}"), getattr(module, f"bias_ih{suffix}")
    )
    carried = nn.functional.linear(
        h, getattr(module, f"weight_hh{suffix}"), getattr(module, f"bias_hh{suffix}")
    )
    if isinstance(module, nn.LSTM):
        i, f, g, o = (driven + carried).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return (h @ getattr(module, f"weight_hr{suffix}").t() if module.proj_size else h), c
    if isinstance(module, nn.GRU):
        (r, z, n), (r_, z_, n_) = driven.chunk(3, 1), carried.chunk(3, 1)
        keep = (z + z_).sigmoid()
        return (1 - keep) * (n + (r + r_).sigmoid() * n_).tanh() + keep * h, c
    total = driven + carried
    return (total.relu() if module.nonlinearity == "relu" else total.tanh()), c


def unrolled(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Shapes: (T, B, I) -> (T, B, H), both directions side by side."""
    for layer in range(module.num_layers):
        outputs = []
        for reverse in [False, True] if module.bidirectional else [False]:
            h = x.new_zeros(x.shape[1], module.proj_size or module.hidden_size)
            c = x.new_zeros(x.shape[1], module.hidden_size)
            states = []
            for x_t in x.flip(0) if reverse else x:
                h, c = cell(module, f"_l{layer}{'_reverse' * reverse}", x_t, h, c)
                states.append(h)
            stacked = torch.stack(states)
            outputs.append(stacked.flip(0) if reverse else stacked)
        x = torch.cat(outputs, 2)
    return x


def expected(module: Any, x: torch.Tensor, reverse: bool) -> list[float]:
    """log10 of the median gain by lag. Shapes: x (T, B, I)."""
    x = x.clone().requires_grad_(True)
    output = unrolled(module, x)
    size = output.shape[2] // (2 if module.bidirectional else 1)
    end = output[0, :, size:] if reverse else output[-1, :, :size]
    cotangent = torch.randn(end.shape, generator=torch.Generator().manual_seed(0)).to(end)
    (gradient,) = torch.autograd.grad(end, x, cotangent)
    norms = gradient.norm(dim=2) if reverse else gradient.norm(dim=2).flip(0)
    return [float(row.log10().median()) for row in norms / norms[0]]


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize(
    ("layers", "bidirectional", "batch_first"), list(itertools.product([1, 2], [False, True], [False, True]))
)
def test_the_profile_is_that_of_autograd(
    kind: str, layers: int, bidirectional: bool, batch_first: bool
) -> None:
    module: Any = MODULES[kind](
        num_layers=layers, bidirectional=bidirectional, batch_first=batch_first
    ).double()
    x = torch.randn(T, B, N, dtype=torch.float64)
    profiles = lag_gains(module, x.transpose(0, 1) if batch_first else x, batch_first)
    assert [p["reverse"] for p in profiles] == ([False, True] if bidirectional else [False])
    for profile in profiles:
        assert profile["lags"] == list(range(T))
        assert profile["rows"] == B
        assert profile["decades"] == pytest.approx(expected(module, x, profile["reverse"]), abs=1e-10)
        assert profile["decades"][0] == 0.0


def test_unbatched_input() -> None:
    module = nn.GRU(N, H, batch_first=True).double()
    x = torch.randn(T, N, dtype=torch.float64)
    (profile,) = lag_gains(module, x, True)
    assert profile["rows"] == 1
    assert profile["decades"] == pytest.approx(expected(module, x.unsqueeze(1), False), abs=1e-10)


@pytest.mark.parametrize("sort", [True, False])
def test_packed_sequences_are_cut_to_the_shortest_of_the_longest(sort: bool) -> None:
    lengths = [9, 8, 7, 7, 2] if sort else [7, 2, 9, 7, 8]
    sequences = [torch.randn(n, N, dtype=torch.float64) for n in lengths]
    module = nn.LSTM(N, H).double()
    (profile,) = lag_gains(module, pack_sequence(sequences, enforce_sorted=sort), False)
    assert profile["rows"] == 4
    assert len(profile["lags"]) == 7
    x = torch.stack([s[:7] for s in sorted(sequences, key=len, reverse=True)[:4]], 1)
    assert profile["decades"] == pytest.approx(expected(module, x, False), abs=1e-10)


def test_no_more_rows_than_its_cost_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.RNN(N, H).double()
    assert lag_gains(module, torch.randn(T, 9, N, dtype=torch.float64), False)[0]["rows"] == 4
    monkeypatch.setattr(lag_gain, "_MOST_STEPS", 2 * T + 1)
    assert lag_gains(module, torch.randn(T, 9, N, dtype=torch.float64), False)[0]["rows"] == 2
    monkeypatch.setattr(lag_gain, "_MOST_STEPS", 1)
    assert lag_gains(module, torch.randn(T, 9, N, dtype=torch.float64), False)[0]["rows"] == 1


def test_long_sequences_are_told_at_spread_lags() -> None:
    module = nn.RNN(N, H).double()
    x = torch.randn(300, 1, N, dtype=torch.float64)
    (profile,) = lag_gains(module, x, False)
    assert profile["lags"][:8] == list(range(8))
    assert profile["lags"][-1] == 299
    assert len(profile["lags"]) <= 60
    assert profile["lags"] == sorted(set(profile["lags"]))
    whole = expected(module, x, False)
    assert profile["decades"] == pytest.approx([whole[k] for k in profile["lags"]], abs=1e-10)


@pytest.mark.parametrize("steps", [1, 2])
def test_two_steps_have_no_profile(steps: int) -> None:
    assert lag_gains(nn.RNN(N, H), torch.randn(steps, B, N), False) == []


def test_a_gradient_that_vanishes_altogether_stays_finite() -> None:
    module = nn.RNN(N, H)
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").zero_()
    (profile,) = lag_gains(module, torch.randn(T, B, N), False)
    assert profile["decades"][0] == 0.0
    assert all(-310 < d < -200 for d in profile["decades"][1:])


def test_it_leaves_no_trace() -> None:
    """No random number drawn, no gradient changed, the script's own graph intact; inter-layer dropout ignored."""
    module = nn.LSTM(N, H, 2, dropout=0.5, bidirectional=True)
    x = torch.randn(T, B, N, requires_grad=True)
    module(x)[0].sum().backward()
    gradients = [t.grad.clone() for t in (x, *module.parameters()) if t.grad is not None]
    output, _ = module(x * 2)
    state = torch.get_rng_state()
    first = lag_gains(module, x, False)
    assert torch.equal(torch.get_rng_state(), state)
    assert first == lag_gains(module, x, False)
    after = [t.grad for t in (x, *module.parameters())]
    assert all(a is not None and torch.equal(a, b) for a, b in zip(after, gradients, strict=True))
    assert module.training
    output.sum().backward()


def test_each_module_is_measured_once() -> None:
    records = Records()
    sensor = LagGains(records)
    for _ in range(2):
        sensor.on_call(0, nn.GRU(N, H), torch.randn(T, B, N))
        sensor.on_call(1, nn.GRUCell(N, H), torch.randn(B, N))
    sensor.on_call(2, nn.GRU(N, H), pack_padded_sequence(torch.randn(T, 2, N), torch.tensor([T, 3])))
    assert [r["module"] for r in records.of("lag_gain")] == [0, 2]
    assert {r["step"] for r in records.of("lag_gain")} == {1}
