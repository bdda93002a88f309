"""Long series in bounded memory: what is kept of a million steps, so that trends, levels and spikes stay the same.

Up to `MOST` steps all are kept. Beyond that, blocks of consecutive steps: every second one, then every fourth and
so on, chosen by the number of the step alone. Shares, medians and trends over the whole are as before, and within a
block what needs neighbours finds them. Kept besides are the last block, and the neighbourhood of sudden large values
and of the first that are not finite.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import pairwise
from statistics import median
from typing import Generic, TypeVar

MOST = 16_384
"""Steps that are kept: memory of some ten megabytes, and a diagnosis in a second or two."""
BLOCK = 64
"""Consecutive steps in a block: more than the 20 before and the few after that a spike is judged by."""
EVENTS = 16
"""Neighbourhoods that are kept: more spikes than that change no verdict."""
SUDDEN = 5.0
"""Times the median of the values before: half of what counts as a spike, so that none is lost that does."""
_BEFORE = 20
_AFTER = 24

Item = TypeVar("Item")


class LongSeries(Generic[Item]):
    """Items by the number of their step, fed in about the order of the steps."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[int, Item] = {}
        self._recent: OrderedDict[int, Item] = OrderedDict()
        self._events: dict[int, Item] = {}
        self._doublings = 0
        self._spacing = 1
        self._awaited: set[int] = set()
        self._to_follow = 0
        self._marks = 0
        self.seen = 0
        """How many steps were fed."""

    @property
    def thinned(self) -> bool:
        """Whether anything was left out."""
        return self._doublings > 0

    def at(self, step: int, new: Callable[[], Item]) -> Item:
        """The item of a step, made where there is none (or none any more)."""
        for place in (self._recent, self._kept, self._events):
            if step in place:
                return place[step]
        item = new()
        self.add(step, item)
        return item

    def add(self, step: int, item: Item) -> None:
        """Take an item in; another of the same step is replaced."""
        self.seen += 1
        self._recent[step] = item
        if len(self._recent) > BLOCK:
            self._recent.popitem(last=False)
        if self._to_follow or step in self._awaited:
            self._to_follow -= bool(self._to_follow)
            self._events[step] = item
        if self._keeps(step):
            self._kept[step] = item
            if len(self._kept) > self._most:
                self._thin()

    def mark(self) -> None:
        """Keep the neighbourhood of the step that was fed last, whatever becomes of its block."""
        if self._marks < EVENTS and not self._to_follow:
            self._marks += 1
            self._events.update(self._recent)
            self._to_follow = _AFTER

    def keep(self, step: int) -> None:
        """Keep one step, whether it was fed just before or is still to come."""
        if step in self._recent:
            self._events[step] = self._recent[step]
        else:
            self._awaited.add(step)

    def items(self) -> list[tuple[int, Item]]:
        """What is kept, in the order of the steps."""
        return sorted((self._kept | self._events | self._recent).items(), key=lambda pair: pair[0])

    def _keeps(self, step: int) -> bool:
        return (step // (BLOCK * self._spacing)) % (1 << self._doublings) == 0

    def _thin(self) -> None:
        if not self._doublings:
            self._spacing = spacing(self._kept)
        while len(self._kept) > self._most:
            self._doublings += 1
            self._kept = {step: item for step, item in self._kept.items() if self._keeps(step)}


class Sudden:
    """Tells a value that stands out of those just before it, or is not finite for the first time."""

    def __init__(self) -> None:
        self._before: deque[float] = deque(maxlen=_BEFORE)
        self._broke = False

    def __call__(self, value: float | None) -> bool:
        """Whether this next value does."""
        if value is None:
            return False
        if not math.isfinite(value):
            first, self._broke = not self._broke, True
            return first
        before = self._before
        # The minimum is found faster than the median, and settles nearly every case.
        stands_out = (
            bool(before)
            and value > SUDDEN * min(before)
            and value > (level := median(before)) * SUDDEN
            and level > 0
        )
        before.append(value)
        return stands_out


def spacing(steps: Iterable[int]) -> int:
    """Median distance of consecutive steps, at least 1."""
    ordered = sorted(steps)
    gaps = [b - a for a, b in pairwise(ordered)]
    return max(1, int(median(gaps))) if gaps else 1
