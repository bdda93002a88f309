"""Weights that the script makes smaller between two updates, all by the same share."""

from collections.abc import Sequence
from statistics import median

_ALIKE = 0.02
"""Of the share by which the weights shrink; that of a limit on their norm differs from matrix to matrix."""
_DIGITS = 1e-6
"""Shares that seven digits of a norm tell apart."""

Norms = Sequence[tuple[float | None, float]]
"""Of each matrix at one sample: its norm right after the update before, and right before the next."""


def taken_by_hand(samples: Sequence[Norms]) -> list[float]:
    """By sample: the share of the weights that the script takes between two updates, where that is a decay; else 0.

    A decay takes the same share of every matrix, or where there is one alone at every sample, whenever it was looked
    for. What a script does now and then (weights put back, averaged, or begun anew) and what bounds a norm or each
    weight does not. A sample at which it was not looked for has the share of the next.
    """
    told = [[1 - size / left for left, size in norms if left] for norms in samples]
    shares = [median(each) if each else None for each in told]
    seen = [share for share in shares if share is not None]
    if not seen or min(seen) < _DIGITS or not (all(map(_alike, told)) and (_several(told) or _alike(seen))):
        return [0.0] * len(samples)
    found, after = [], seen[-1]
    for share in reversed(shares):
        after = after if share is None else share
        found.append(after)
    return found[::-1]


def _several(told: Sequence[Sequence[float]]) -> bool:
    return all(len(each) != 1 for each in told)


def _alike(shares: Sequence[float]) -> bool:
    return not shares or max(shares) - min(shares) <= _ALIKE * max(shares) + _DIGITS
