"""Which steps are sampled: each 2.6 times the one before, so that the cost a step fades."""

from __future__ import annotations


def sampled_steps(last: int | None) -> frozenset[int]:
    """1, 3, 8, 21, 55, 144, ... (every second Fibonacci number) and the last step; to a million where none is."""
    end = last or 1_000_000
    steps, a, b = set(), 1, 2
    while a <= end:
        steps.add(a)
        a, b = a + b, a + 2 * b
    if last:
        steps.add(last)
    return frozenset(steps)
