"""Whether an input was read from memory in the order of other axes, before it was a tensor: by its numbers alone.

Samples (F, T) that were reshaped to (T, F) lie in memory as they did: F stretches of T numbers that go on from one to
the next, and leap where a stretch ends. These leaps stand at places that mean nothing to steps of F numbers.
"""

from __future__ import annotations

import torch

from .layouts import Mixed

_FEWEST_STEPS = 6
_FEWEST_FEATURES = 4
"""Three leaps and more: one or two may be an event that all sequences have at a half, or at two thirds."""
_FEWEST_ROWS = 8
_MOST_ROWS = 128
_MOST_NUMBERS = 16_384
"""Of a sample."""
LEAP = 2.0
"""Times what the numbers change by elsewhere, from which on a change is a leap: of samples as they should be 1.15 was
the most, but where all features are one and change at each F-th part of the time
(benchmarks/thresholds/memory_order.py)."""
_LOWER = 0.25
"""The quartile of the leaps that is judged: neighbouring stretches may happen to meet."""


def reread(x: torch.Tensor) -> Mixed | None:
    """The view that made an input (B, T, F) of samples (F, T), where its numbers tell so. Shapes: x (B, T, F)"""
    score = leaps(x)
    if score is None or score < LEAP:
        return None
    rows, steps, features = x.shape
    return Mixed((rows, features, steps), (rows, steps, features), within=True, by_numbers=True)


def leaps(x: torch.Tensor) -> float | None:
    """What the numbers change by where stretches of T of them end, relative to elsewhere.

    Elsewhere: where it is most of any place between two features, or from step to step, on average, and beside the
    leaps: after a pulse, or within a step, the numbers change as much as before it.

    Shapes: x (B, T, F). None if: too small to tell, or T and F are alike.
    """
    rows, steps, features = x.shape
    fits = steps >= _FEWEST_STEPS and features >= _FEWEST_FEATURES and rows >= _FEWEST_ROWS
    if not fits or steps == features or steps * features > _MOST_NUMBERS:
        return None
    flat = x[:_MOST_ROWS].reshape(-1, steps * features).float()
    if not bool(flat.isfinite().all()):
        return None
    change = flat.diff(dim=1).abs().mean(0)
    ends = torch.arange(1, features, device=change.device) * steps - 1
    others = torch.ones_like(change, dtype=torch.bool)
    others[ends] = False
    place = torch.arange(len(change), device=change.device) % features
    sums = change.new_zeros(features).index_add_(0, place[others], change[others])
    counts = change.new_zeros(features).index_add_(0, place[others], others[others].float())
    most = (sums / counts.clamp(min=1)).max()
    beside = torch.cat([change[ends - 1], change[(ends + 1).clamp(max=len(change) - 1)]])
    elsewhere = torch.maximum(most, beside.quantile(1 - _LOWER))
    leap = change[ends].quantile(_LOWER)
    return float(leap / elsewhere) if float(elsewhere) > 0 else None
