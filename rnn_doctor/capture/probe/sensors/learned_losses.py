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
        self.learned: set[str] = set()
        """Functions that some backward pass went through."""
        self._missed: dict[str, int] = {}
        self.waiting: deque[tuple[str, Any]] = deque(maxlen=_HELD)
        """What a backward pass may go through: functions not known to be learned from, and their results."""

    def only_looked_at(self, function: str, result: torch.Tensor | None) -> bool:
        """A loss of a function not known to be learned from was computed: whether it never is.

        result: the loss, if it could be learned from.
        """
        is_open = self._missed.get(function, 0) < _ENOUGH
        if is_open and result is not None:
            self.waiting.append((function, result.grad_fn))
        return not is_open

    def on_backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run."""
        for function in {function for function, _ in self.waiting}:
            if reaches(loss, {node for name, node in self.waiting if name == function}):
                self.learned.add(function)
            else:
                self._missed[function] = self._missed.get(function, 0) + 1
        self.waiting.clear()
