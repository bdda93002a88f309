"""How alike the targets of consecutive updates are, held against random orders of the same updates."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any, NamedTuple

import torch

FEWEST_UPDATES = 12
_MOST_CLASSES = 1000
_ORDERS = 500
_SETTLED = 20
"""Random orders that reach what was seen, after which no more are drawn: it is 4 in 100 or more, and no order (Besag,
Clifford 1991). Batches that are shuffled come to it after some forty."""
_LEAST_SPREAD = 1e-9
"""Of the targets, relative to their size: less is rounding."""


class Level(NamedTuple):
    """The targets of one update that are numbers, one a sequence."""

    size: int
    mean: float
    squares: float
    """Sum of the squared distances from the mean."""


def level(values: list[float]) -> Level:
    """That of these targets, one or more."""
    mean = math.fsum(values) / len(values)
    return Level(len(values), mean, math.fsum([(v - mean) ** 2 for v in values]))


def compared(updates: list[Counter[float]]) -> dict[str, Any]:
    """The statistics of schema BatchOrder, of the labels of each update by class."""
    classes = sorted({label for labels in updates for label in labels})
    if len(updates) < FEWEST_UPDATES:
        return {"updates": len(updates)}
    found: dict[str, Any] = {"updates": len(updates), "classes": len(classes)}
    if not 2 <= len(classes) <= _MOST_CLASSES:
        return found
    shares = torch.tensor(
        [[float(labels[c]) for c in classes] for labels in updates], dtype=torch.double, device="cpu"
    )
    within = _within(shares)
    shares /= shares.sum(1, keepdim=True)
    if within is not None:
        found["within"] = within
    return found | _in_order((torch.cdist(shares, shares, p=1.0) / 2).tolist())


def compared_levels(updates: list[Level]) -> dict[str, Any]:
    """The same of targets that are numbers: their distances are in standard deviations of all of them.

    Nothing but their number where all targets are one number.
    """
    found: dict[str, Any] = {"updates": len(updates), "numbers": True}
    if len(updates) < FEWEST_UPDATES:
        return found
    total = sum(u.size for u in updates)
    mean = math.fsum(u.size * u.mean for u in updates) / total
    apart = math.fsum(u.size * (u.mean - mean) ** 2 for u in updates)
    inside = math.fsum(u.squares for u in updates)
    deviation = math.sqrt((apart + inside) / total)
    if not deviation > _LEAST_SPREAD * max(abs(mean), 1e-30):
        return found
    if total > len(updates):
        found["within"] = _correlation(
            apart / (len(updates) - 1), inside / (total - len(updates)), [u.size for u in updates]
        )
    means = [u.mean / deviation for u in updates]
    return found | _in_order([[abs(one - other) for other in means] for one in means])


def _in_order(apart: list[list[float]]) -> dict[str, Any]:
    """`distance`, `alike` and `chance` by the distances of all updates."""
    n = len(apart)
    distance = sum(map(sum, apart)) / (n * (n - 1))
    if distance <= 0:
        return {"distance": 0.0}

    def consecutive(order: list[int]) -> float:
        return sum([apart[order[i]][order[i + 1]] for i in range(n - 1)]) / (n - 1)

    order, dice = list(range(n)), random.Random(0)  # its own: the script's random numbers stay as they are
    seen = consecutive(order)
    reached, drawn = 0, 1
    while drawn < _ORDERS and reached < _SETTLED:
        dice.shuffle(order)
        drawn += 1
        reached += consecutive(order) <= seen + 1e-12
    return {"distance": distance, "alike": 1 - seen / distance, "chance": (1 + reached) / drawn}


def _within(counts: torch.Tensor) -> float | None:
    """The intraclass correlation of the labels of an update: 0 in random order, 1 where each is of one class.

    Unlike the distance of two updates it does not depend on how rare a class is.

    Shapes: counts (K updates, C classes). None of one label an update.
    """
    sizes = counts.sum(1)
    total, updates = float(sizes.sum()), len(sizes)
    if total <= updates:
        return None
    shares, whole = counts / sizes.unsqueeze(1), counts.sum(0) / total
    between = float((sizes * (shares - whole).square().sum(1)).sum()) / (updates - 1)
    inside = float((sizes * (shares * (1 - shares)).sum(1)).sum()) / (total - updates)
    return _correlation(between, inside, sizes.tolist())


def _correlation(between: float, inside: float, sizes: list[Any]) -> float:
    """By the mean squares between updates and inside them, and the number of targets of each."""
    total = sum(sizes)
    size = (total - sum(n * n for n in sizes) / total) / (len(sizes) - 1)
    return (between - inside) / (between + (size - 1) * inside)
