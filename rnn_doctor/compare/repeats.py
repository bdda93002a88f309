"""Where a number lies in a further run of the same code, as repeats of the run tell."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

LEVEL = 0.99
"""Share of further runs whose number lies in the range: of a hundred numbers that have not changed one is shown."""
FEWEST = 3
"""Repeats that tell of a spread: two that happen to lie close would make anything a move."""


class Range(NamedTuple):
    """Where the number of one further run lies."""

    centre: float
    low: float
    high: float


def expected(values: Sequence[float], *, multiplies: bool) -> Range | None:
    """The range of one further run of the same code: the prediction interval by Student's t.

    With `multiplies` in logarithms, where all are above 0: what multiplies scatters by factors. None where the repeats
    tell of no spread: too few of them, one that is not finite, or all the same, as counts and fixed settings are.

    Source: Hahn and Meeker 1991, Statistical Intervals, sec. 4.7.
    """
    if len(values) < FEWEST or not all(map(math.isfinite, values)) or len(set(values)) == 1:
        return None
    if multiplies and min(values) > 0:
        within = expected([math.log(value) for value in values], multiplies=False)
        return None if within is None else Range(*map(_exp, within))
    from scipy.special import stdtrit

    centre, n = fmean(values), len(values)
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * stdev(values) * math.sqrt(1 + 1 / n)
    return Range(centre, centre - reach, centre + reach)


def _exp(value: float) -> float:
    """Infinite where that is too large for a float."""
    return math.exp(value) if value < 709 else math.inf
