"""Where a line of text may stand in a picture: where no curve runs through it, or the fewest do."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

_LINE, _BELOW = 12, 3
"""Pixels of a line of text above its base, and below it."""


class Room(NamedTuple):
    """Room for a line of text: pixels from the top to its base, and from where to where along x, in shares."""

    base: float
    start: float
    end: float


Place = tuple[float, float]
"""A share of the width, and pixels from the top."""


def freest(rooms: Sequence[Room], curves: Iterable[Sequence[Place]], bottom: float) -> tuple[Room, int]:
    """The first of the rooms above `bottom` that the fewest strokes of curves run through, and how many do.

    A curve is what is drawn in one go, from left to right.
    """
    strokes = [stroke for curve in curves for stroke in pairwise(curve if len(curve) > 1 else [*curve] * 2)]
    inside = [room for room in rooms if _LINE < room.base < bottom] or rooms[:1]
    crowds = [sum(_runs(stroke, room) for stroke in strokes) for room in inside]
    fewest = min(crowds)
    return inside[crowds.index(fewest)], fewest


def _runs(stroke: tuple[Place, Place], room: Room) -> bool:
    """Whether a stroke runs through a room."""
    (x, y), (next_x, next_y) = stroke
    begin, end = max(x, room.start), min(next_x, room.end)
    if begin > end:
        return False
    if next_x > x:
        slope = (next_y - y) / (next_x - x)
        y, next_y = y + slope * (begin - x), y + slope * (end - x)
    return min(y, next_y) <= room.base + _BELOW and max(y, next_y) >= room.base - _LINE
