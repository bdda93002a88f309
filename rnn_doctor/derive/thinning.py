"""Long series in few points: what stands out stays."""

import math
from collections.abc import Sequence

from rnn_doctor.schema.curves import Curve

STRETCHES = 160
"""A picture is a few hundred pixels wide; smallest, largest and a gap of each stretch are at most 482 points."""


def thinned(steps: Sequence[int], values: Sequence[float], absent: str | None = None) -> Curve:
    """The series as a curve: all of it where it is short, else what stands out in each stretch of equal length.

    absent: why there is none, told where the series is empty.
    """
    if not values:
        return Curve(absent=absent)
    kept = _standing_out(values) if len(values) > 3 * STRETCHES else range(len(values))
    return Curve(steps=tuple(steps[k] for k in kept), values=tuple(values[k] for k in kept), seen=len(values))


def _standing_out(values: Sequence[float]) -> list[int]:
    """Indices of the first and the last value, and of smallest, largest and first not finite of each stretch."""
    kept = {0, len(values) - 1}
    for stretch in range(STRETCHES):
        inside = range(stretch * len(values) // STRETCHES, (stretch + 1) * len(values) // STRETCHES)
        finite = [k for k in inside if math.isfinite(values[k])]
        if finite:
            kept |= {min(finite, key=values.__getitem__), max(finite, key=values.__getitem__)}
        kept |= set([k for k in inside if not math.isfinite(values[k])][:1])
    return sorted(kept)
