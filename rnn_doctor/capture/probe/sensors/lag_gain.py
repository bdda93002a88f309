"""How far back a gradient reaches: one injection on one output step, through the module's own kernel.

With a loss at every step the accumulated gradient is flat in time however much it vanishes; only the gradient of
a single output step shows the decay (Pascanu et al. 2013, section 2). The cotangent is random, so that it speaks
for any loss; its generator is our own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..writer import Writer

_MOST_ROWS = 4
_MOST_STEPS = 2048
"""Rows times time steps of one probe: bounds its cost."""
_MOST_POINTS = 48


class LagGains:
    """Measures each recurrent module once, at its first call."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._measured: set[int] = set()

    def on_call(self, number: int, module: Any, given: Any) -> None:
        """A recurrent module ran forward with gradients, before the first update."""
        if number not in self._measured and isinstance(module, nn.RNNBase):
            self._measured.add(number)
            for profile in lag_gains(module, given, module.batch_first):
                self._writer.write("lag_gain", step=1, module=number, **profile)


def lag_gains(module: Any, given: Any, batch_first: bool) -> list[dict[str, Any]]:
    """Profiles of the gain by lag, one a direction; empty where time has fewer than three steps.

    Shapes: given (T, B, I), (B, T, I), (T, I) or packed -> lags and decades of equal length.
    """
    x = _sequences(given, batch_first)
    if x is None:
        return []
    profiles = []
    for reverse in [False, True] if module.bidirectional else [False]:
        norms = _gradient_norms(module, x, reverse)
        gain = (norms.clamp_min(1e-300).log10() - norms[0].clamp_min(1e-300).log10()).median(dim=1).values
        lags = _spread(len(gain))
        profiles.append(
            {"reverse": reverse, "lags": lags, "decades": [float(gain[k]) for k in lags], "rows": x.shape[1]}
        )
    return profiles


def _sequences(given: Any, batch_first: bool) -> torch.Tensor | None:
    """A few whole sequences without padding. Shapes: -> (T, at most 4, I)."""
    if isinstance(given, PackedSequence):
        padded, lengths = pad_packed_sequence(given)
        longest = lengths.argsort(descending=True)[:_MOST_ROWS]
        x = padded[: int(lengths[longest].min()), longest.to(padded.device)]
    else:
        x = given.unsqueeze(1) if given.dim() == 2 else given.transpose(0, 1) if batch_first else given
    time = x.shape[0]
    if time < 3:
        return None
    rows = max(1, min(_MOST_ROWS, _MOST_STEPS // time))
    result: torch.Tensor = x[:, :rows].detach().clone()
    return result


def _gradient_norms(module: Any, x: torch.Tensor, reverse: bool) -> torch.Tensor:
    """||d o_T / d x_t|| by lag. Shapes: x (T, B, I) -> (T, B), lag 0 first; double precision."""
    x = x.requires_grad_(True)
    output = _run(module, x)
    size = output.shape[-1] // (2 if module.bidirectional else 1)
    end = output[0, :, size:] if reverse else output[-1, :, :size]
    generator = torch.Generator().manual_seed(0)
    cotangent = torch.randn(end.shape, generator=generator).to(end)
    # A scalar, since a given cotangent makes torch import its symbolic shapes: half a second.
    (gradient,) = torch.autograd.grad((end * cotangent).sum(), x)
    norms = gradient.double().norm(dim=-1)
    return norms if reverse else norms.flip(0)


def _run(module: Any, x: torch.Tensor) -> torch.Tensor:
    """The module's kernel without dropout (which would draw random numbers). Shapes: (T, B, I) -> (T, B, H)."""
    directions = 2 if module.bidirectional else 1
    size = module.proj_size or module.hidden_size
    state = x.new_zeros(module.num_layers * directions, x.shape[1], size)
    weights = [w.detach() for w in module._flat_weights]
    rest = (weights, module.bias, module.num_layers, 0.0, module.training, module.bidirectional, False)
    with torch.enable_grad():
        if isinstance(module, nn.LSTM):
            cell = x.new_zeros(module.num_layers * directions, x.shape[1], module.hidden_size)
            return torch._VF.lstm(x, (state, cell), *rest)[0]
        kernel = {"GRU": "gru", "RNN_TANH": "rnn_tanh", "RNN_RELU": "rnn_relu"}[module.mode]
        return getattr(torch._VF, kernel)(x, state, *rest)[0]


def _spread(count: int) -> list[int]:
    """All lags where there are few; else the first ones and then evenly by ratio, with the last."""
    if count <= _MOST_POINTS:
        return list(range(count))
    ratio = (count - 1) ** (1.0 / (_MOST_POINTS - 1))
    return sorted({*range(8), *(round(ratio**k) for k in range(_MOST_POINTS)), count - 1})
