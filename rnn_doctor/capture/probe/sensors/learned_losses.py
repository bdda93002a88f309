"""Which loss functions the training learns from, and which it only looks at, such as those of a part that rests."""

from __future__ import annotations

from collections import deque
from typing import Any

import torch

from ..graph import reaches

_ENOUGH = 3
"""Backward passes in a row that do not go through a function's results: it is not what is minimized."""
_HELD = 4
"""Results that wait for a backward pass; a loop over time adds up many, and the last ones tell as well."""


class LearnedLosses:
    """Tells loss functions that some backward pass went through from those that none did.

    A network of several parts learns by turns, as a GAN does: the loss of a part that rests moves with the others,
    and its rise on other data says nothing of memorizing.
    """

    def __init__(self) -> None:
        self._learned: set[str] = set()
        self._missed: dict[str, int] = {}
        self.waiting: deque[tuple[str, Any]] = deque(maxlen=_HELD)
        """What a backward pass may go through: functions not known to be learned from, and their results."""

    def on_loss(self, function: str, result: torch.Tensor) -> None:
        """A loss that could be learned from was computed."""
        if function not in self._learned and self._is_open(function):
            self.waiting.append((function, result.grad_fn))

    def on_backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run."""
        for function in {function for function, _ in self.waiting}:
            if reaches(loss, {node for name, node in self.waiting if name == function}):
                self._learned.add(function)
            else:
                self._missed[function] = self._missed.get(function, 0) + 1
        self.waiting.clear()

    def only_looked_at(self, function: str) -> bool:
        """Whether the training computes this loss and never learns from it."""
        return function not in self._learned and not self._is_open(function)

    def _is_open(self, function: str) -> bool:
        return self._missed.get(function, 0) < _ENOUGH
