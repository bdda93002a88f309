"""The losses of single examples in the last training batches before an evaluation, to hold its own against."""

from __future__ import annotations

from typing import Any

import torch

from .examples import Examples, summary
from .loaders import Loaders

_EXAMPLES = 64
"""Examples that are enough: with them a gap of half a standard deviation shows at 3 sigma against as many."""
_FEWEST, _MOST = 2, 8
"""Batches that are looked at, by their size."""
_OFTEN, _GROWTH = 20, 1.3
"""Evaluations that all have their training batches looked at; after them every 1.3 times as many."""
_PATIENCE = 3
"""Batches in a row whose loss does not fall into examples, after which none is looked at."""


class Trained:
    """Says at which training batches to look, and keeps their losses until the evaluation that follows.

    Batches are looked at where an evaluation is likely to follow: at the end of an epoch and of the observation. The
    losses are those that the script computes, before the update and with dropout: both make them larger.
    """

    def __init__(self, loaders: Loaders, steps: int | None) -> None:
        self._loaders = loaders
        self._steps = steps
        self.step = 1
        """The update that is under way."""
        self._kept: list[tuple[int, Examples]] = []
        self._size: int | None = None
        self._evaluations = 0
        self._next = 0.0
        """The evaluation, counted from 0, before which to look again."""
        self._every: int | None = None
        self._last = 0
        self._refused = 0

    @property
    def wanted(self) -> bool:
        """Whether the losses of the current batch are of use."""
        if self._refused >= _PATIENCE or _OFTEN <= self._evaluations < self._next:
            return False
        most = _MOST if self._size is None else min(_MOST, max(_FEWEST, -(-_EXAMPLES // self._size)))
        if self._every is not None and 0 <= self._last + self._every - self.step < most:
            return True
        if self._loaders.current is None:
            return False  # nobody ends an epoch of batches drawn by hand, so that no evaluation follows the last step
        if self._steps is not None and 0 <= self._steps - self.step < most:
            return True
        left = self._loaders.left
        return left is not None and 0 <= left < most

    def add(self, losses: torch.Tensor | None, output: torch.Tensor, target: Any, batch: Any) -> None:
        """Takes the losses of a training batch; None where they do not fall into examples."""
        if losses is None:
            self._refused += 1
            return
        self._refused = 0
        self._size = max(1, len(losses))
        if not self._kept or self._kept[-1][0] != self.step:
            self._kept.append((self.step, Examples()))
        self._kept[-1][1].add(losses, target, output.numel(), batch)
        del self._kept[:-_MOST]

    def summary(self, step: int) -> dict[str, Any] | None:
        """Number, mean and deviation of the losses in the last batches up to an evaluation after update `step`."""
        recent = [each for each in self._kept if step - _MOST < each[0] <= step]
        losses = [found for _, examples in recent if (found := examples.all()) is not None]
        if len(losses) < _FEWEST:
            return None
        return {**summary(torch.cat(losses)), "since": recent[0][0]}

    def used(self, step: int) -> None:
        """An evaluation after update `step` was written."""
        gap = step - self._last
        # Where evaluations follow each other evenly within an epoch, the next one is foreseen.
        self._every, self._last = (gap if gap > 0 else self._every), step
        if self._evaluations >= self._next:
            self._next = max(self._evaluations + 1, self._evaluations * _GROWTH)
        self._evaluations += 1
        # The batch of the next update has been compared before its backward pass told that training goes on.
        self._kept = [each for each in self._kept if each[0] > step]
