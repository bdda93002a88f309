"""Recurrences whose Jacobian from step to step is known, and the slope of the lag gain that the probe finds in them.

Each makes one update under the whole probe, as a script would: what is held against the truth is what the log says.
The gradient is that of the inputs, so the inputs enter by an orthogonal matrix, which leaves its norm as it is. Where
they enter by a random one, as in any script, the norm is that of a random projection: it scatters from lag to lag.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from scipy.stats import theilslopes
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from rnn_doctor.derive.signals import signals
from tests.capture.records import observed
from tests.recorded import HEADER, run_log

LIMIT = 0.01
"""Largest relative error of a slope."""
SCATTER = 0.001
"""Largest difference of a slope where inputs enter by a random matrix, in decades a step: 26 % in 100 steps."""
_LONG, _SHORT, _BATCH = 200, 60, 4
_GAINS = (0.8, 0.9, 0.95, 1.05, 1.1, 1.2)
_SIZES = (8, 32, 128)
_KEPT = (0.5, 0.731, 0.9, 0.98)
"""What a gate keeps; 0.731 is that of a bias of 1."""

Place = tuple[int | None, bool]
"""Layer, None for the whole module; whether the reverse direction."""


@dataclass(frozen=True, eq=False)
class Known:
    """One recurrence and the truth about it."""

    construction: str
    detail: str
    factors: dict[Place, float]
    """By which a step back in time multiplies the gradient."""
    build: Callable[[], nn.Module]
    forward: Callable[[Any], torch.Tensor]
    """The module's outputs."""
    scatters: bool = False
    """Whether inputs enter by a random matrix."""


@dataclass(frozen=True)
class Slope:
    """A slope that the log tells, beside the true one, in decades a step."""

    of: str
    found: float
    true: float

    @property
    def error(self) -> float:
        """Relative."""
        return abs(self.found / self.true - 1)

    @property
    def difference(self) -> float:
        """In decades a step."""
        return abs(self.found - self.true)


def slopes(known: Known) -> list[Slope]:
    """Theil-Sen slopes of the logged profiles, and the signal that rules read: the faster direction's."""
    torch.manual_seed(0)
    with observed() as records:
        module = known.build()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.0)
        known.forward(module).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert records.of("sensor_off") == []
    truth = {place: math.log10(factor) for place, factor in known.factors.items()}
    found = []
    for profile in records.of("lag_gain"):
        place = (profile.get("layer"), profile.get("reverse", False))
        if place in truth:
            curve = theilslopes(profile["decades"][1:], profile["lags"][1:]).slope
            words = "module" if place[0] is None else f"layer {place[0]}"
            found.append(Slope(words + ", reverse" * place[1], float(curve), truth[place]))
    assert len(found) == len(truth)
    whole = [slope for (layer, _), slope in truth.items() if layer is None]
    if whole:
        (signal,) = signals(run_log([HEADER, *records.all])).signals["lag_slope_start"].measurements.values()
        assert isinstance(signal.value, float)
        found.append(Slope("lag_slope_start", signal.value, max(whole)))
    return found


def recurrences() -> list[Known]:
    """All of them."""
    return [*_orthogonal(), *_diagonal(), *_gated(), *_stacked(), *_called_otherwise()]


def orthogonal(size: int) -> torch.Tensor:
    """A random one. Shape: (N, N)."""
    found: torch.Tensor = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64)).Q
    return found


def _plain(weights: list[torch.Tensor], dtype: torch.dtype = torch.float64, **more: Any) -> nn.RNN:
    """An nn.RNN without biases and with these recurrent weights, as many inputs as units. Shapes: (H, H)."""
    size = len(weights[0])
    module = nn.RNN(size, size, bias=False, dtype=dtype, **more)
    names = [name for name, _ in module.named_parameters() if "weight_hh" in name]
    with torch.no_grad():
        for name, weight in zip(names, weights, strict=True):
            module.get_parameter(name).copy_(weight)
            drive = module.get_parameter(name.replace("_hh_", "_ih_"))
            if drive.shape == weight.shape:
                drive.copy_(orthogonal(size))
    return module


def _scattering(weight: torch.Tensor) -> nn.RNN:
    """The same with half as many inputs, and torch's own initialization of what they enter by. Shapes: (H, H)."""
    size = len(weight)
    module = nn.RNN(size // 2, size, bias=False, dtype=torch.float64)
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").copy_(weight)
    return module


def _tiny(module: Any, time: int, factor: float) -> torch.Tensor:
    """Inputs so small that tanh stays linear to the last step. Shape: (T, B, I)."""
    dtype = next(module.parameters()).dtype
    scale = 1e-6 / max(1.0, factor) ** time
    return torch.randn(time, _BATCH, module.input_size, dtype=dtype) * scale


def _over(time: int, factor: float) -> Callable[[Any], torch.Tensor]:
    """One call over a whole sequence."""

    def forward(module: Any) -> torch.Tensor:
        output: torch.Tensor = module(_tiny(module, time, factor))[0]
        return output

    return forward


def _orthogonal() -> Iterator[Known]:
    for size in _SIZES:
        for gain in _GAINS:
            for dtype in (torch.float64, torch.float32):
                yield Known(
                    "scaled orthogonal, tanh near zero", f"H = {size}, gain {gain}, {_name(dtype)}",
                    {(None, False): gain},
                    lambda size=size, gain=gain, dtype=dtype: _plain([gain * orthogonal(size)], dtype),  # type: ignore[misc]
                    _over(_LONG, gain),
                )  # fmt: skip
            yield Known(
                "scaled orthogonal, ReLU in its positive regime", f"H = {size}, gain {gain}",
                {(None, False): gain},
                lambda size=size, gain=gain: _positive(gain * orthogonal(size)),  # type: ignore[misc]
                lambda module, gain=gain: _around_one(module, gain),  # type: ignore[misc]
            )  # fmt: skip
            yield Known(
                "scaled orthogonal, inputs by a random matrix", f"H = {size}, gain {gain}", {(None, False): gain},
                lambda size=size, gain=gain: _scattering(gain * orthogonal(size)),  # type: ignore[misc]
                _over(_LONG, gain), scatters=True,
            )  # fmt: skip


def _positive(weight: torch.Tensor) -> nn.RNN:
    """A ReLU network that rests at a state of ones, where every unit is active. Shapes: (H, H)."""
    size = len(weight)
    module = nn.RNN(size, size, nonlinearity="relu", dtype=torch.float64)
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").copy_(weight)
        module.get_parameter("weight_ih_l0").copy_(orthogonal(size))
        module.get_parameter("bias_ih_l0").copy_(1 - weight.sum(1))
        module.get_parameter("bias_hh_l0").zero_()
    return module


def _around_one(module: Any, gain: float) -> torch.Tensor:
    state = torch.ones(1, _BATCH, module.hidden_size, dtype=torch.float64)
    output: torch.Tensor = module(_tiny(module, _SHORT, gain), state)[0]
    return output


def _diagonal() -> Iterator[Known]:
    for size in _SIZES:
        for gain in _GAINS:
            yield Known(
                "diagonal, equal modes of either sign", f"H = {size}, factor {gain}", {(None, False): gain},
                lambda size=size, gain=gain: _plain([torch.diag(gain * _signs(size))]),  # type: ignore[misc]
                _over(_LONG, gain),
            )  # fmt: skip
            yield Known(
                "diagonal, one slow mode among fast ones", f"H = {size}, factor {gain}", {(None, False): gain},
                lambda size=size, gain=gain: _plain([torch.diag(gain * _one_slow(size))]),  # type: ignore[misc]
                _over(_LONG, gain),
            )  # fmt: skip


def _signs(size: int) -> torch.Tensor:
    return torch.randn(size, dtype=torch.float64).sign()


def _one_slow(size: int) -> torch.Tensor:
    modes = torch.full((size,), 0.3, dtype=torch.float64)
    modes[0] = 1
    return modes


def _gated() -> Iterator[Known]:
    for size in _SIZES:
        for kept in _KEPT:
            for kind, gate in (("LSTM", "forget"), ("LSTM, proj_size", "forget"), ("GRU", "update")):
                yield Known(
                    f"{kind} with a constant {gate} gate", f"H = {size}, gate {kept}", {(None, False): kept},
                    lambda kind=kind, size=size, kept=kept: _constant_gate(kind, size, kept),  # type: ignore[misc]
                    _over(_SHORT, kept),
                )  # fmt: skip


def _constant_gate(kind: str, size: int, kept: float) -> nn.Module:
    """Nothing recurs but what the gate keeps, and inputs drive the candidate alone."""
    builds: dict[str, Callable[..., nn.Module]] = {
        "LSTM": nn.LSTM, "GRU": nn.GRU, "LSTMCell": nn.LSTMCell, "GRUCell": nn.GRUCell,
        "LSTM, proj_size": lambda *sizes, **more: nn.LSTM(*sizes, proj_size=sizes[1] // 2, **more),
    }  # fmt: skip
    module = builds[kind](size, size, dtype=torch.float64)
    # i, f, g, o and r, z, n: the gate that keeps comes second, the candidate third.
    keeps, candidate = slice(size, 2 * size), slice(2 * size, 3 * size)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "weight_ih" in name:
                drive = parameter[candidate].clone()
                parameter.zero_()[candidate] = drive
            elif "weight_hh" in name or "bias" in name:
                parameter.zero_()
            if "bias_ih" in name:
                parameter[keeps] = math.log(kept / (1 - kept))
    return module


def _stacked() -> Iterator[Known]:
    lower, upper = 0.85, 0.95
    yield Known(
        "each layer of a stack, each direction", f"two layers, gains {lower} and {upper}",
        {(0, False): lower, (1, False): upper},
        lambda: _plain([lower * orthogonal(32), upper * orthogonal(32)], num_layers=2), _over(_LONG, 1),
    )  # fmt: skip
    yield Known(
        "each layer of a stack, each direction", f"two directions, gains {lower} and {upper}",
        {(None, False): lower, (None, True): upper},
        lambda: _plain([lower * orthogonal(32), upper * orthogonal(32)], bidirectional=True), _over(_LONG, 1),
    )  # fmt: skip


def _called_otherwise() -> Iterator[Known]:
    gain, words = 0.9, "called in other ways"
    weights: dict[Place, float] = {(None, False): gain}

    def build(**more: Any) -> nn.Module:
        return _plain([gain * orthogonal(32)], **more)

    yield Known(words, "batch_first", weights, lambda: build(batch_first=True), _batch_first)
    yield Known(words, "unbatched", weights, build, lambda m: m(_tiny(m, _LONG, 1)[:, 0])[0])
    yield Known(words, "packed, unsorted", weights, build, _packed)
    yield Known(words, "four calls that hand the state on", weights, build, lambda m: _by_calls(m, 50))
    yield Known(words, "one call a time step", weights, build, lambda m: _by_calls(m, 1))
    for kind in ("LSTMCell", "GRUCell"):
        yield Known(words, f"{kind} in a loop, gate {gain}", weights,
                    lambda kind=kind: _constant_gate(kind, 32, gain), _by_steps)  # type: ignore[misc]  # fmt: skip
    yield Known(words, "RNNCell in a loop", weights, lambda: _cell(gain * orthogonal(32)), _by_steps)


def _batch_first(module: Any) -> torch.Tensor:
    output: torch.Tensor = module(_tiny(module, _LONG, 1).transpose(0, 1))[0]
    return output


def _packed(module: Any) -> torch.Tensor:
    lengths = torch.tensor([_LONG // 2, _LONG, 3, _LONG - 10])
    x = pack_padded_sequence(_tiny(module, _LONG, 1), lengths, enforce_sorted=False)
    output: torch.Tensor = module(x)[0].data
    return output


def _by_calls(module: Any, time: int) -> torch.Tensor:
    state, outputs = None, []
    for part in torch.split(_tiny(module, _LONG, 1), time):
        output, state = module(part, state)
        outputs.append(output)
    return torch.cat(outputs)


def _by_steps(module: Any) -> torch.Tensor:
    state, outputs = None, []
    for x in _tiny(module, _SHORT, 1):
        state = module(x, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(outputs)


def _cell(weight: torch.Tensor) -> nn.RNNCell:
    cell = nn.RNNCell(len(weight), len(weight), bias=False, dtype=torch.float64)
    with torch.no_grad():
        cell.weight_hh.copy_(weight)
        cell.weight_ih.copy_(orthogonal(len(weight)))
    return cell


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
