"""Whether a batch repeats itself: all of its rows are one sequence, or each row is one input at all of its steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from .tokens import tokens_of


class Repeated:
    """Follows the calls of one module in one update; as soon as neither can be told any more, nothing is compared."""

    def __init__(self, module: Any, given: Any) -> None:
        self._rows = self._steps = False
        self._first: torch.Tensor | None = None
        """Of a cell: what it was given first. Shape: (B, I)"""
        self._count = [0, 0]
        """Rows and steps."""
        if isinstance(given, PackedSequence):
            return
        x = tokens_of(given) if given.dim() == 3 else None
        x = given.detach() if x is None else x
        if not isinstance(module, nn.RNNBase):
            if x.dim() == 2:
                self._first, self._count = x, [len(x), 1]
                self._rows, self._steps = _alike(x), True
            return
        if given.dim() != 3:
            return
        x = x if module.batch_first else x.transpose(0, 1)
        self._count = list(x.shape[:2])
        self._rows = _alike(x)
        # One number along time that torch itself repeats, as `expand` does, is meant.
        meant = given.stride(1 if module.batch_first else 0) == 0
        self._steps = not meant and _alike(x.transpose(0, 1))

    def add(self, given: Any) -> None:
        """The module was called once more."""
        if not (self._rows or self._steps):
            return
        first, self._count[1] = self._first, self._count[1] + 1
        if first is None or isinstance(given, PackedSequence) or given.shape != first.shape:
            self._rows = self._steps = False
            return
        x = given.detach()
        self._rows = self._rows and _alike(x)
        self._steps = self._steps and torch.equal(x, first)
        if not (self._rows or self._steps):
            self._first = None

    @property
    def alike(self) -> str | None:
        """`rows` or `steps`, whichever repeats itself; None where neither or both do."""
        rows = self._rows and self._count[0] > 1
        steps = self._steps and self._count[1] > 1
        if rows == steps:
            return None
        return "rows" if rows else "steps"


def _alike(x: torch.Tensor) -> bool:
    """Whether all along the first axis is the same; the second is looked at first, which mostly differs."""
    if len(x) < 2 or not torch.equal(x[0], x[1]):
        return False
    return bool((x == x[:1]).all())
