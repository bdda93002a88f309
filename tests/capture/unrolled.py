"""Recurrences written out step by step as the documentation of torch.nn gives them, for autograd to differentiate.

The truth that kernels, replay and lag gain are held against: nothing of the probe is used here. Rows of unequal length
are run one by one, each over its own steps, so that nothing needs to be masked.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import nn


class Steps(NamedTuple):
    """One layer and direction: a tensor for each step, in the order of time, each a node of the graph."""

    layer: int
    reverse: bool
    x: torch.Tensor
    """What this layer is given. (T, B, I)"""
    gates: dict[str, list[torch.Tensor]]
    """T times (B, H), after their nonlinearity."""
    h: list[torch.Tensor]
    """T times (B, P)"""
    c: list[torch.Tensor]
    """T times (B, H); empty but for LSTM"""


class Unrolled(NamedTuple):
    """A recurrence over full sequences."""

    output: torch.Tensor
    """(T, B, D*P)"""
    h: torch.Tensor
    """(L*D, B, P)"""
    c: torch.Tensor | None
    """(L*D, B, H)"""
    steps: list[Steps]
    """Layer by layer, forward before reverse."""


def unrolled(
    module: Any, x: torch.Tensor, state: Any = None, layers: Iterable[int] | None = None
) -> Unrolled:
    """The module over x, in the type of x; of its layers perhaps only some, of which x is the input.

    Shapes: x (T, B, I), state as the module takes it batched, (L*D, B, ...), with L of these layers.
    """
    cell = isinstance(module, nn.modules.rnn.RNNCellBase)
    sides = [False, True] if not cell and module.bidirectional else [False]
    chosen = list(range(1 if cell else module.num_layers) if layers is None else layers)
    parameters = {name: p.detach().to(x.dtype) for name, p in module.named_parameters()}
    h0, c0 = state if isinstance(state, tuple) else (state, None)
    found: list[Steps] = []
    for layer in chosen:
        for reverse in sides:
            suffix = "" if cell else f"_l{layer}{'_reverse' * reverse}"
            weights = {name.removesuffix(suffix): p for name, p in parameters.items() if _is_of(name, suffix)}
            index = len(found)
            first_c = x.new_zeros(x.shape[1], module.hidden_size) if c0 is None else c0[index]
            size = len(weights["weight_hr"]) if "weight_hr" in weights else module.hidden_size
            first_h = x.new_zeros(x.shape[1], size) if h0 is None else h0[index]
            found.append(_direction(module, weights, x, first_h, first_c, layer, reverse))
        x = torch.cat([torch.stack(side.h) for side in found[-len(sides) :]], 2)
    ends = [0 if side.reverse else -1 for side in found]
    h = torch.stack([side.h[end] for side, end in zip(found, ends, strict=True)])
    lstm = bool(found[0].c)
    c = torch.stack([side.c[end] for side, end in zip(found, ends, strict=True)]) if lstm else None
    return Unrolled(x, h, c, found)


def _is_of(name: str, suffix: str) -> bool:
    return name.endswith(suffix) if suffix else True


def _direction(
    module: Any,
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    h: torch.Tensor,
    c: torch.Tensor,
    layer: int,
    reverse: bool,
) -> Steps:
    """One direction of one layer, run in its own order and told in that of time."""
    gates: dict[str, list[torch.Tensor]] = {}
    hs, cs = [], []
    lstm = isinstance(module, nn.LSTM | nn.LSTMCell)
    for x_t in x.flip(0) if reverse else x:
        now, h, c = step(module, weights, x_t, h, c)
        for name, value in now.items():
            gates.setdefault(name, []).append(value)
        hs.append(h)
        if lstm:
            cs.append(c)
    order = slice(None, None, -1 if reverse else 1)
    ordered = {name: values[order] for name, values in gates.items()}
    return Steps(layer, reverse, x, ordered, hs[order], cs[order])


def step(
    module: Any, weights: dict[str, torch.Tensor], x: torch.Tensor, h: torch.Tensor, c: torch.Tensor
) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Gates by name, h and c of one step.

    Source: the equations in the documentation of torch.nn.RNN, LSTM, GRU and their cells (torch 2.13).
    Shapes: x (B, I), h (B, P), c (B, H).
    """
    driven = nn.functional.linear(x, weights["weight_ih"], weights.get("bias_ih"))
    carried = nn.functional.linear(h, weights["weight_hh"], weights.get("bias_hh"))
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        i, f, g, o = (driven + carried).chunk(4, 1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        if "weight_hr" in weights:
            h = h @ weights["weight_hr"].t()
        return {"i": i, "f": f, "g": g, "o": o}, h, c
    if isinstance(module, nn.GRU | nn.GRUCell):
        (r, z, n), (r_, z_, n_) = driven.chunk(3, 1), carried.chunk(3, 1)
        r, z = (r + r_).sigmoid(), (z + z_).sigmoid()
        n = (n + r * n_).tanh()
        return {"r": r, "z": z, "n": n}, (1 - z) * n + z * h, c
    h = (driven + carried).relu() if module.nonlinearity == "relu" else (driven + carried).tanh()
    return {"h": h}, h, c
