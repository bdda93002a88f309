"""Which steps are sampled: each gap about 1.6 times the one before, so that the cost a step fades."""

from __future__ import annotations

from typing import NamedTuple


class Schedule(NamedTuple):
    """Two densities, since norms by parameter cost several passes over the memory and shapes cost nothing."""

    sampled: frozenset[int]
    """Inputs, losses, gradients: 1, 2, 3, 5, 8, 13, ... and the last step."""
    weighed: frozenset[int]
    """Also norms by parameter: every second of them, and the last step."""


def schedule(last: int | None) -> Schedule:
    """The schedule up to the last step, or up to a million where there is none."""
    end = last or 1_000_000
    steps, a, b = [], 1, 2
    while a <= end:
        steps.append(a)
        a, b = b, a + b
    final = {last} if last else set()
    return Schedule(frozenset(steps) | final, frozenset(steps[::2]) | final)
