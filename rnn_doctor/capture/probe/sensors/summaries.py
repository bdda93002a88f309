"""What sequences are like as wholes: for targets of which no single step tells.

The frequency of a wave, how often something occurs, whether two neighbours agree: of these no step tells by itself.
Three kinds of summaries are made, none of them learned: statistics over time, counts of tokens, and what a recurrence
of random weights keeps, which depends on the order too.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SEED = 20_260
_FEATURES = 4
"""Features, or mixtures of them, whose statistics are taken."""
_DISTANCES = (1, 2, 4)
_COUNTED = 16
"""Of the most frequent tokens."""
_PAIRS = 8
"""Distances at which equal tokens are counted."""
_UNITS = 24
_RADIUS = 0.95
"""Of the random recurrent weights, which makes them forget within some twenty steps."""
_MOST_STEPS = 128
"""Of the random recurrence: the last ones."""


def summaries(x: Tensor) -> list[Tensor]:
    """Numbers that describe each sequence, by kind.

    Shapes: x (n, L) tokens or (n, L, F) numbers, lag l at index l -> (n, k) each.
    """
    dice = torch.Generator("cpu").manual_seed(_SEED)
    x = x.flip(1)
    found = []
    if x.dim() == 2:
        codes, counts = x.unique(return_counts=True)
        frequent = codes[counts.argsort(descending=True, stable=True)[:_COUNTED]]
        counted = [(x == code).float().mean(1) for code in frequent]
        near = range(1, min(_PAIRS, x.shape[1] - 1) + 1)
        counted += [(x[:, by:] == x[:, :-by]).float().mean(1) for by in near]
        found.append(torch.stack(counted, 1))
        table = torch.randn(len(codes), _FEATURES, generator=dice)
        x = table[torch.searchsorted(codes, x)]
    x = x.float()
    if x.shape[2] > _FEATURES:
        x = x @ torch.randn(x.shape[2], _FEATURES, generator=dice)
    x = (x - x.mean((0, 1))) / x.std((0, 1)).clamp(min=1e-12)
    return [*found, _statistics(x), _kept(x[:, -_MOST_STEPS:], dice)]


def _statistics(x: Tensor) -> Tensor:
    """Shapes: (n, T, F) -> (n, k)"""
    found = [x.mean(1), x.std(1, unbiased=False), x.amax(1), x.amin(1)]
    for by in _DISTANCES:
        if by < x.shape[1]:
            found += [(x[:, by:] * x[:, :-by]).mean(1), (x[:, by:] - x[:, :-by]).abs().mean(1)]
    return torch.cat(found, 1)


def _kept(x: Tensor, dice: torch.Generator) -> Tensor:
    """Shapes: (n, T, F) -> (n, 2 units): the last state, and the mean of all."""
    inner = torch.linalg.qr(torch.randn(_UNITS, _UNITS, generator=dice))[0] * _RADIUS
    entering = torch.randn(x.shape[2], _UNITS, generator=dice)
    shift = torch.randn(_UNITS, generator=dice)
    state = x.new_zeros(len(x), _UNITS)
    whole = state.clone()
    for step in x.unbind(1):
        state = torch.tanh(step @ entering + state @ inner + shift)
        whole += state
    return torch.cat([state, whole / x.shape[1]], 1)
