"""Robust trends of short series: Mann-Kendall, medians of the two ends. Plain numpy."""

import math
from collections.abc import Sequence

import numpy as np

MOST_POINTS = 500
"""Longer series are thinned to medians of blocks: the test looks at all pairs."""


def mann_kendall(series: Sequence[float]) -> float:
    """Mann-Kendall Z: how far the signs of all differences speak for a rise (> 0) or a fall (< 0).

    With continuity correction and the variance of tied groups; 0 where all values are equal.
    Source: Mann 1945; Kendall 1975; Hipel & McLeod 1994, sec. 23.3.
    """
    values = thin(series)
    n = len(values)
    if n < 3:
        return 0.0
    score = float(np.sign(values[None, :] - values[:, None])[np.triu_indices(n, 1)].sum())
    _, ties = np.unique(values, return_counts=True)
    variance = (_pairs(n) - float(sum(_pairs(int(t)) for t in ties if t > 1))) / 18
    if variance <= 0:
        return 0.0
    return (score - math.copysign(min(1.0, abs(score)), score)) / math.sqrt(variance)


def _pairs(n: int) -> float:
    return n * (n - 1) * (2 * n + 5)


def thin(series: Sequence[float]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The series, or medians of equal blocks where it has more than `MOST_POINTS` values."""
    values = np.asarray(series, dtype=np.float64)
    if len(values) <= MOST_POINTS:
        return values
    return np.array([np.median(block) for block in np.array_split(values, MOST_POINTS)])


def ends(series: Sequence[float]) -> tuple[float, float]:
    """Medians of the first and of the last quarter, each of at least three values where there are three."""
    width = max(min(3, len(series)), len(series) // 4)
    return float(np.median(series[:width])), float(np.median(series[-width:]))


def running_median(series: Sequence[float], window: int) -> list[float]:
    """For each value after the first, the median of up to `window` values before it."""
    values = np.asarray(series, dtype=np.float64)
    first = [float(np.median(values[:k])) for k in range(1, min(window, len(values)))]
    if len(values) <= window:
        return first
    windows = np.lib.stride_tricks.sliding_window_view(values[:-1], window)
    return first + [float(m) for m in np.median(windows, axis=1)]
