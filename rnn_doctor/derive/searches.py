"""Where a search for a learning rate ends and the training begins, as with `lr_find` before `fit`."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from rnn_doctor.schema.runlog import Step

FEWEST = 15
LEAST = 1.02
"""A factor of 50 within 200 updates: searches take 100 to 200 updates for six decades or more."""
_EVEN = 0.01
"""How far the factors may differ: those of a linear warm-up fall as 1 + 1/k, those of a cosine rise and fall."""


def factor(rates: Sequence[float]) -> float | None:
    """The factor by which each rate exceeds the one before, above 1.02; None where they do not grow so.

    The first is let differ: Lightning's search takes two of its steps at once there.
    """
    factors = [later / rate for rate, later in pairwise(rates)]
    usual = median(factors)
    even = factors[0] > LEAST and all(abs(each / usual - 1) < _EVEN for each in factors[1:])
    return usual if even and usual > LEAST else None


def updates_of_search(steps: Sequence[Step]) -> int:
    """How many updates at the beginning were a search that is over: the rate grew by a factor each time, then fell.

    Libraries put back the weights after it, so that its losses and gradients tell nothing of the training.
    """
    rates: list[float] = []
    for step in steps:
        rate = max(step.lr) if step.lr else 0.0
        if rate <= 0:
            return 0
        if rates and rate < rates[-1]:
            return len(rates) if len(rates) >= FEWEST and factor(rates) is not None else 0
        rates.append(rate)
    return 0
