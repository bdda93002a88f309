"""Whether the sequences of a batch are windows that move along one series: their order is then that of time."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

_ROWS = 9
"""Sequences that are compared, each with the one before it."""
_FARTHEST = 8
"""Steps from a window to the next, at most."""


class Windows:
    """Looks at the first call of the first update, of cells at the first two."""

    def __init__(self) -> None:
        self.follow: bool | None = None
        """Whether each sequence begins within the one before it; None before that was seen."""
        self._before: torch.Tensor | None = None
        """What a cell was given first."""

    def on_call(self, module: Any, given: Any) -> None:
        """A recurrent module ran forward with gradients."""
        if self.follow is not None or isinstance(given, PackedSequence):
            return
        x = given.detach()
        if isinstance(module, nn.RNNBase) and x.dim() == 3:
            self.follow = _follow((x if module.batch_first else x.transpose(0, 1))[:_ROWS])
        elif x.dim() == 2 and self._before is None:
            self._before = x
        elif self._before is not None:
            same = self._before.shape == x.shape and len(x) > 2
            self.follow = same and _equal(x[:-1], self._before[1:]) and not _equal(x[1:], x[:-1])
            self._before = None

    def updated(self) -> None:
        """The first update is over."""
        self._before, self.follow = None, bool(self.follow)


def _follow(x: torch.Tensor) -> bool:
    """Shapes: x (rows, T, I)"""
    if len(x) < 3 or _equal(x[1:], x[:-1]):  # sequences that are all the same follow nothing
        return False
    distances = range(1, min(_FARTHEST, x.shape[1] // 2) + 1)
    # Of most distances the first two sequences tell.
    return any(_equal(x[1, :-by], x[0, by:]) and _equal(x[1:, :-by], x[:-1, by:]) for by in distances)


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-4, atol=1e-6)
