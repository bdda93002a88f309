"""How often a ReduceLROnPlateau is told a loss, and what it makes of that: an epoch's is meant, not a batch's."""

from __future__ import annotations

import weakref
from typing import Any

from ..places import here
from ..writer import Writer
from .optimizers import Optimizers, rates


class Plateaus:
    """Counts the calls of step() by scheduler."""

    def __init__(self, writer: Writer, optimizers: Optimizers) -> None:
        self._writer = writer
        self._optimizers = optimizers
        self._calls: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._numbers: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._count = 0

    def told(self, scheduler: Any, update: int, sampled: bool) -> None:
        """step() is about to run, after so many updates; what it is by now is written at the sampled ones."""
        if scheduler not in self._numbers:
            self._numbers[scheduler] = self._count
            self._count += 1
        self._calls[scheduler] = self._calls.get(scheduler, 0) + 1
        largest = max(rates(scheduler.optimizer), default=0.0) if sampled else 0.0
        if largest <= 0:
            return
        self._writer.write(
            "plateau", step=update, scheduler=self._numbers[scheduler], calls=self._calls[scheduler],
            optimizer=self._optimizers.of_scheduler(scheduler.optimizer),
            patience=int(scheduler.patience) + int(scheduler.cooldown), factor=float(scheduler.factor),
            floor=float(max(scheduler.min_lrs)) / largest, location=here(),
        )  # fmt: skip
