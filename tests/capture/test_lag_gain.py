"""The gain by lag, against autograd through a recurrence written out step by step."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from rnn_doctor.capture.probe.recurrence import lag_gain
from rnn_doctor.capture.probe.recurrence.kernel import kernel_of, rows_of
from tests.capture.unrolled import unrolled

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


def profiles_of(module: Any, given: Any, state: Any = None, rows: int = 4) -> list[dict[str, Any]]:
    """What is measured on a call of the module."""
    with torch.no_grad():
        output = module(given, state)
    kernel = kernel_of(module)
    assert kernel is not None
    return lag_gain.lag_gains(kernel, rows_of(module, kernel, given, state, output, rows))


def expected(module: Any, x: torch.Tensor, reverse: bool) -> torch.Tensor:
    """log10 gain by lag of each row with two cotangents. Shapes: x (T, B, I) -> (T, 2 B)."""
    x = x.repeat(1, 2, 1).requires_grad_(True)
    output = unrolled(module, x).output
    size = output.shape[2] // (2 if module.bidirectional else 1)
    generator = torch.Generator().manual_seed(0)
    for backward in [False, True][: 1 + reverse]:
        end = output[0, :, size:] if backward else output[-1, :, :size]
        cotangent = torch.randn(end.shape, generator=generator, dtype=torch.float64).to(end)
    (gradient,) = torch.autograd.grad(end, x, cotangent)
    norms: torch.Tensor = gradient.norm(dim=2) if reverse else gradient.norm(dim=2).flip(0)
    return (norms / norms[0]).log10()


def medians(gains: torch.Tensor) -> Any:
    return pytest.approx(gains.median(1).values.tolist(), abs=1e-10)


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
    profiles = profiles_of(module, x.transpose(0, 1) if batch_first else x)
    whole = [p for p in profiles if "layer" not in p]
    assert [p["reverse"] for p in whole] == ([None, True] if bidirectional else [None])
    assert len(profiles) == len(whole) * (1 if layers == 1 else 1 + layers)
    for profile in whole:
        truth = expected(module, x, bool(profile["reverse"]))
        assert profile["lags"] == list(range(T))
        assert (profile["rows"], len(profile["samples"])) == (B, 2 * B)
        assert profile["decades"] == medians(truth)
        assert profile["decades"][0] == 0.0
        for sample, row in zip(profile["samples"], truth.t(), strict=True):
            assert sample == pytest.approx(row.tolist(), rel=1e-3, abs=1e-3)


def test_each_layer_alone_is_a_module_of_one_layer() -> None:
    module = nn.GRU(N, H, 2).double()
    x = torch.randn(T, B, N, dtype=torch.float64)
    _, first, second = profiles_of(module, x)
    for layer, (profile, given) in enumerate([(first, x), (second, None)]):
        alone = nn.GRU(N if layer == 0 else H, H).double()
        weights = {k[:-1] + "0": v for k, v in module.state_dict().items() if k.endswith(f"l{layer}")}
        alone.load_state_dict(weights)
        below = x if given is not None else one_layer(module, x)
        truth = expected(alone, below, False)
        assert profile["layer"] == layer
        assert profile["decades"] == medians(truth)


def one_layer(module: nn.GRU, x: torch.Tensor) -> torch.Tensor:
    lower = nn.GRU(N, H).double()
    lower.load_state_dict({k: v for k, v in module.state_dict().items() if k.endswith("l0")})
    with torch.no_grad():
        output: torch.Tensor = lower(x)[0]
    return output


def test_unbatched_input() -> None:
    module = nn.GRU(N, H, batch_first=True).double()
    x = torch.randn(T, N, dtype=torch.float64)
    (profile,) = profiles_of(module, x)
    assert profile["rows"] == 1
    assert profile["decades"] == medians(expected(module, x.unsqueeze(1), False))


@pytest.mark.parametrize("sort", [True, False])
def test_packed_sequences_are_measured_from_their_own_last_steps(sort: bool) -> None:
    lengths = [9, 8, 7, 2] if sort else [7, 2, 9, 8]
    sequences = [torch.randn(n, N, dtype=torch.float64) for n in lengths]
    module = nn.LSTM(N, H).double()
    (profile,) = profiles_of(module, pack_sequence(sequences, enforce_sorted=sort))
    assert profile["rows"] == 3  # the one of two steps would end the profile there
    assert profile["lags"] == list(range(7))
    longest = sorted(sequences, key=len, reverse=True)[:3]
    generator = torch.Generator().manual_seed(0)
    cotangents = torch.randn((6, H), generator=generator, dtype=torch.float64)
    gains = []
    for row, cotangent in enumerate(cotangents):
        x = longest[row % 3].unsqueeze(1).requires_grad_(True)
        (gradient,) = torch.autograd.grad(unrolled(module, x).output[-1, 0], x, cotangent)
        norms = gradient.norm(dim=2).flip(0).flatten()[:7]
        gains.append((norms / norms[0]).log10())
    assert profile["decades"] == medians(torch.stack(gains, 1))


def test_the_initial_state_is_the_scripts() -> None:
    module = nn.RNN(N, H).double()
    x = torch.randn(T, B, N, dtype=torch.float64)
    state = torch.full((1, B, H), 30.0, dtype=torch.float64)  # saturates the first step
    plain, given = profiles_of(module, x)[0], profiles_of(module, x, state)[0]
    assert given["decades"][-1] < plain["decades"][-1] - 1


def test_no_more_rows_than_its_cost_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.RNN(N, H).double()
    for most, rows in ((2048, 4), (2 * T + 1, 2), (1, 1)):
        monkeypatch.setattr(lag_gain, "_MOST_STEPS", most)
        assert profiles_of(module, torch.randn(T, 9, N, dtype=torch.float64))[0]["rows"] == rows


def test_long_sequences_are_told_at_spread_lags() -> None:
    module = nn.RNN(N, H).double()
    x = torch.randn(300, 1, N, dtype=torch.float64)
    (profile,) = profiles_of(module, x)
    assert profile["lags"][:8] == list(range(8))
    assert profile["lags"][-1] == 299
    assert len(profile["lags"]) <= 60
    assert profile["lags"] == sorted(set(profile["lags"]))
    assert profile["decades"] == medians(expected(module, x, False)[profile["lags"]])


@pytest.mark.parametrize("steps", [1, 2])
def test_two_steps_have_no_profile(steps: int) -> None:
    assert profiles_of(nn.RNN(N, H), torch.randn(steps, B, N)) == []


def test_nothing_that_is_left_is_minus_infinity() -> None:
    module = nn.RNN(N, H)
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").zero_()
    (profile,) = profiles_of(module, torch.randn(T, B, N))
    assert profile["decades"] == [0.0] + [-math.inf] * (T - 1)


def test_a_row_that_does_not_hang_on_its_last_input_is_left_out() -> None:
    """The lower of two ReLU layers is dead at the last step of one row: there is no gain to relate to."""
    module = nn.RNN(N, H, 2, nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.abs_()
    x = torch.rand(T, 2, N, dtype=torch.float64)
    x[-1, 0] = -100.0
    whole, lower, _ = profiles_of(module, x)
    assert whole["decades"] == medians(expected(module, x, False)[:, [1, 3]])
    assert len(whole["samples"]) == 2
    assert (lower["decades"][0], math.isfinite(lower["decades"][-1])) == (0.0, True)
    # Alone, that row has no gain over the whole module, and no output of the lower layer hangs on any input.
    lower, upper = profiles_of(module, x[:, :1])
    assert (lower["layer"], lower["decades"]) == (0, [-math.inf] * T)
    assert (upper["layer"], upper["decades"][0]) == (1, 0.0)


def test_it_leaves_no_trace() -> None:
    """No random number drawn, no gradient changed, the script's own graph intact; inter-layer dropout ignored."""
    module = nn.LSTM(N, H, 2, dropout=0.5, bidirectional=True)
    x = torch.randn(T, B, N, requires_grad=True)
    module(x)[0].sum().backward()
    gradients = [t.grad.clone() for t in (x, *module.parameters()) if t.grad is not None]
    output = module(x * 2)
    kernel = kernel_of(module)
    assert kernel is not None
    rows = rows_of(module, kernel, x, None, output, 4)
    state = torch.get_rng_state()
    first = lag_gain.lag_gains(kernel, rows)
    assert torch.equal(torch.get_rng_state(), state)
    assert first == lag_gain.lag_gains(kernel, rows)
    after = [t.grad for t in (x, *module.parameters())]
    assert all(a is not None and torch.equal(a, b) for a, b in zip(after, gradients, strict=True))
    assert module.training
    output[0].sum().backward()
