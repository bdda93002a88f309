"""Whether flattened targets stand in another order than the outputs that they are compared with: by the data alone.

Outputs (T, B, C) and targets (B, T) flattened in one row each are as long as each other, and a loss compares them
without complaint. Then the inputs around a place tell nothing of its target, and all of it if the row is read in the
other order.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .axis_dependence import Features, inverse_of

_FARTHEST = 3
"""Steps between an input and a target that are compared: the next token or value stands one step on."""


class Place(NamedTuple):
    """One batch, time first. Shapes: x (T, B, ...), y (T, B, ...), known (T, B)"""

    x: Tensor
    y: Tensor
    known: Tensor


def turned(values: Tensor) -> tuple[Tensor, Tensor]:
    """The same row of targets read in the other order, whichever axis the outputs were flattened by first.

    Shapes: (first, second, ...) -> twice (first, second, ...)
    """
    first, second = values.shape[:2]
    rest = values.shape[2:]
    return (
        values.reshape(second, first, *rest).transpose(0, 1),
        values.transpose(0, 1).reshape(first, second, *rest),
    )


def told(batches: list[Place], inputs: Features, targets: Features) -> float:
    """Largest share of the targets' variance that the inputs at one distance tell (adjusted R^2), up to three steps."""
    pairs = [(inputs.of(b.x), targets.of(b.y), b.known) for b in batches]
    steps = min(len(b.x) for b in batches)
    lags = [lag for lag in range(-_FARTHEST, _FARTHEST + 1) if abs(lag) < steps]
    return max(_share(*_joined(pairs, lag)) for lag in lags)


def _joined(pairs: list[tuple[Tensor, Tensor, Tensor]], lag: int) -> tuple[Tensor, Tensor]:
    """Inputs `lag` steps after the targets that are known, of all batches. Shapes: (n, INPUTS), (n, TARGETS)"""
    kept = []
    for x, y, known in pairs:
        steps = len(x)
        before, after = slice(max(0, -lag), steps - max(0, lag)), slice(max(0, lag), steps - max(0, -lag))
        valid = known[before]
        kept.append((x[after][valid], y[before][valid]))
    return torch.cat([x for x, _ in kept]), torch.cat([y for _, y in kept])


def _share(x: Tensor, y: Tensor) -> float:
    n, features = x.shape
    if n <= features + 1:
        return 0.0
    x, y = x - x.mean(0), y - y.mean(0)
    whole = float(y.square().sum())
    if whole <= 0:
        return 0.0
    both = x.t() @ y
    explained = float((both * (inverse_of(x.t() @ x) @ both)).sum()) / whole
    return max(0.0, 1 - (1 - explained) * (n - 1) / (n - features - 1))
