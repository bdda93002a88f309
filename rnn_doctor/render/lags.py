"""Decades of a gradient lost by lag, at as many lags as there is room for."""

import math
from itertools import pairwise

from rnn_doctor.schema.report import LagProfile


def columns(longest: int, most: int) -> list[int]:
    """The lag of each column: every one where they fit, else evenly spread."""
    cells = min(longest + 1, most)
    return [round(k * longest / max(1, cells - 1)) for k in range(cells)]


def lost_at(profile: LagProfile, lag: int) -> float:
    """Decades lost at a lag, interpolated between those that were measured."""
    pairs = list(zip(profile.lags, profile.decades, strict=True))
    for (low, first), (high, second) in pairwise(pairs):
        if low <= lag <= high:
            if not (math.isfinite(first) and math.isfinite(second)):
                return -first if lag == low else -second
            return -(first + (second - first) * (lag - low) / (high - low))
    return -pairs[0][1] if lag <= pairs[0][0] else -pairs[-1][1]
