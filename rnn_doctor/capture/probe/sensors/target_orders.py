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
    places = [(inputs.of(b.x), targets.of(b.y), b.known.float().unsqueeze(-1)) for b in batches]
    steps = min(len(x) for x, _, _ in places)
    lags = [lag for lag in range(-_FARTHEST, _FARTHEST + 1) if abs(lag) < steps]
    return max(_share(*_sums(places, lag)) for lag in lags)


def _sums(places: list[tuple[Tensor, Tensor, Tensor]], lag: int) -> tuple[Tensor, float]:
    """Products of the inputs `lag` steps after the targets that are known, of both and of 1; squares of the targets.

    Shape: (INPUTS + 1, INPUTS + 1 + TARGETS), the ones stand behind the inputs.
    """
    products: list[Tensor] = []
    squares = 0.0
    for x, y, known in places:
        steps = len(x)
        then, now = slice(max(0, lag), steps - max(0, -lag)), slice(max(0, -lag), steps - max(0, lag))
        weight, goal = known[now], y[now] * known[now]
        given = torch.cat([x[then], torch.ones_like(weight)], 2) * weight
        products.append(given.flatten(0, 1).t() @ torch.cat([given, goal], 2).flatten(0, 1))
        squares += float(goal.square().sum())
    return torch.stack(products).sum(0), squares


def _share(products: Tensor, squares: float) -> float:
    features = len(products) - 1
    n = float(products[features, features])
    if n <= features + 1:
        return 0.0
    means = products[features] / n
    centred = products[:features] - n * means[:features, None] * means
    whole = squares - n * float(means[features + 1 :].square().sum())
    if whole <= 0:
        return 0.0
    both = centred[:, features + 1 :]
    explained = float((both * (inverse_of(centred[:, :features]) @ both)).sum()) / whole
    return max(0.0, 1 - (1 - explained) * (n - 1) / (n - features - 1))
