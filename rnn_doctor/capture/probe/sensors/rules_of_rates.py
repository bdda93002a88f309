"""What a scheduler's function of the number of updates will make of the rate: it is asked, where that has no effect."""

from __future__ import annotations

import functools
import math
from typing import Any, Callable

from .computing import only_computes

_FURTHEST = 20
"""Powers of two that are asked for, from 1 on: to a million updates."""
_TOP = 0.999
"""Of its largest value, at which a rule is taken to have arrived."""


def rises_until(rule: Callable[[int], Any]) -> int | None:
    """Up to which number a rule's value rises to its largest one; None where it begins there, or does not tell."""
    found = rise(rule)
    return None if found is None else found[0]


def rise(rule: Callable[[int], Any]) -> tuple[int, float] | None:
    """That number, and the value there; None where it begins there, or does not tell.

    It tells if it does nothing but compute a number of its argument and what it reads, so that asking has no effect.
    """
    try:
        return _arrival(functools.partial(_value, rule)) if only_computes(rule) else None
    except Exception:  # whatever a rule raises beyond the updates that it was written for
        return None


def _arrival(value: Callable[[int], float]) -> tuple[int, float] | None:
    asked = [0, *(2**power for power in range(_FURTHEST + 1))]
    values = [value(number) for number in asked]
    # Only up to where it falls: a cosine comes back to its largest value long after the training that it was made for.
    end = next((at for at, (now, then) in enumerate(zip(values, values[1:])) if then < now), _FURTHEST + 1)
    largest = values.index(max(values[: end + 1]))
    # What still rises at the end, as a search for a rate does, has no end to tell.
    if not largest or largest == _FURTHEST + 1 or values[largest] <= 0:
        return None
    below, beyond = asked[largest - 1], asked[largest + 1]
    summit = _summit(value, below, beyond)
    number = _first(value, _TOP * value(summit), below, summit)
    return None if number is None else (number, value(summit))


def _summit(value: Callable[[int], float], low: int, high: int) -> int:
    """The number between two at which a value that rises and then falls is largest."""
    while high - low > 2:
        third = (high - low) // 3
        if value(low + third) < value(high - third):
            low += third
        else:
            high -= third
    return max(range(low, high + 1), key=value)


def _first(value: Callable[[int], float], enough: float, low: int, high: int) -> int | None:
    """The first number between two, of which the last is enough, where a rising value is."""
    if value(low) >= enough:
        return low or None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if value(middle) >= enough else (middle, high)
    return high


def _value(rule: Callable[[int], Any], number: int) -> float:
    value = rule(number)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError("not a number")
    return float(value)
