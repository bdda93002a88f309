"""From numbers to places on an axis, with ticks at round numbers; linear or logarithmic."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_ROUND = (1.0, 2.0, 5.0, 10.0)
_LOG_FROM = 30.0
"""A range of positive numbers wider than this factor is shown on a log scale where either would do."""

_FEWEST = 3
"""Ticks of a log scale below which parts of a power are ticks too: between two numbers nothing can be read off."""

_HUGE, _TINY = 1e300, 1e-290
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DECADES, _FLOATS = 300.0, 307.0
"""Larger numbers are drawn at the edge, smaller differences not at all: floats would overflow or vanish."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    def at(self, value: float) -> float | None:
        """The share of the way from `low` to `high`; None for what has no place on it: NaN, infinity, log of 0."""
        if not math.isfinite(value) or (self.log and value <= 0):
            return None
        low, high = (math.log10(self.low), math.log10(self.high)) if self.log else (self.low, self.high)
        place = math.log10(value) if self.log else value
        return min(1.0, max(0.0, (place - low) / (high - low)))


def linear(values: Iterable[float], *, most: int = 5, whole: bool = False, tight: bool = False) -> Scale:
    """An axis that holds the finite values.

    most: ticks at most. whole: they are whole numbers. tight: it ends where the values end, not at round numbers.
    """
    finite = [min(_HUGE, max(-_HUGE, v)) for v in values if math.isfinite(v)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    size = max(abs(low), abs(high))
    if not high - low > max(size * 1e-9, _TINY):
        room = max(0.5 if whole else 0.0, size * 0.1)
        room = room if room > _TINY else 0.5
        low, high = low - room, high + room
    step = _round_up((high - low) / max(1, most - 1))
    step = max(1.0, step) if whole else step
    first, last = math.floor(low / step), math.ceil(high / step)
    if not tight:
        low, high = first * step, last * step
    ticks = [k * step for k in range(first, last + 1)]
    edge = (high - low) * 1e-9
    return Scale(low, high, False, tuple(t for t in ticks if low - edge <= t <= high + edge))


def logarithmic(values: Iterable[float], *, most: int = 5) -> Scale:
    """An axis of powers that holds the positive finite values."""
    found = [min(_DECADES, max(-_DECADES, math.log10(v))) for v in values if math.isfinite(v) and v > 0]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if high - low < 1:
        middle = (low + high) / 2
        low, high = middle - 0.5, middle + 0.5
    first, last = math.floor(low), math.ceil(high)
    stride = max(1, math.ceil((last - first) / max(1, most - 1)))
    room = 0.05 * (high - low)
    low, high = max(low - room, -_FLOATS), min(high + room, _FLOATS)
    ticks = [10.0**k for k in range(first, last + 1, stride) if low <= k <= high]
    for parts in ((1, 3), (1, 2, 5)):
        if len(ticks) < _FEWEST:
            ticks = [
                m * 10.0**k for k in range(first, last + 1) for m in parts if low <= math.log10(m) + k <= high
            ]
    return Scale(10.0**low, 10.0**high, True, tuple(ticks[:: max(1, math.ceil(len(ticks) / most))]))


def fitting(values: Sequence[float], *, most: int = 5) -> Scale:
    """Logarithmic where all values are positive and far apart, else linear."""
    finite = [v for v in values if math.isfinite(v)]
    wide = bool(finite) and min(finite) > 0 and max(finite) / min(finite) > _LOG_FROM
    return logarithmic(values, most=most) if wide else linear(values, most=most)


def _round_up(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(m for m in _ROUND if m * power >= step * (1 - 1e-9)) * power


def words(value: float) -> str:
    """A number for an axis: `0.001`, `20`, `10⁻⁶`, `2·10⁹`, with a real minus."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.6g}".replace("-", "−")
    mantissa, _, power = f"{value:.2e}".partition("e")
    digits = f"{float(mantissa):g}".replace("-", "−")
    ten = f"10{raised(int(power))}"
    return {"1": ten, "−1": f"−{ten}"}.get(digits, f"{digits}·{ten}")


def raised(power: int) -> str:
    """`⁻⁶`, as it stands after a 10."""
    return str(power).translate(_RAISED)
