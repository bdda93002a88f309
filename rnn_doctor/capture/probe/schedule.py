"""Which steps are looked at closely: ever rarer ones, so that the cost a step fades."""

from __future__ import annotations

_ENDLESS = 1_000_000
_LEAST_LATER = 21
"""Before it a network has hardly changed since the first step."""


def sampled_steps(last: int | None) -> frozenset[int]:
    """1, 3, 8, 21, 55, 144, ... (every second Fibonacci number) and the last step; to a million where none is."""
    end = last or _ENDLESS
    steps, a, b = set(), 1, 2
    while a <= end:
        steps.add(a)
        a, b = a + b, a + 2 * b
    if last:
        steps.add(last)
    return frozenset(steps)


def examined_steps(last: int | None) -> frozenset[int]:
    """The sampled steps at which recurrences are examined: the first, one in the middle, and the last.

    Where no last step is known, the first and every sampled one from the 21st.
    """
    sampled = sampled_steps(last)
    if last is None:
        return frozenset(step for step in sampled if step == 1 or step >= _LEAST_LATER)
    middle = min(sampled, key=lambda step: (abs(step - last / 2), step))
    return frozenset({1, middle, last})
