"""Recurrences whose steps are the samples of a batch, by where they lie in memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..listening import Listening
from ..writer import Writer
from .drawn_from import DrawnFrom
from .memory_views import Grid, are_the_same, grid_in, grid_of_steps
from .source import Source

_MOST_CALLS = 1_000
_UNTIL = 3
"""Updates until which is looked; what is indexed is listened to from the end of the first, where it may tell."""


class SampleSteps:
    """Looks at the first updates, and writes each recurrence once."""

    def __init__(self, writer: Writer, listening: Listening) -> None:
        self._writer = writer
        self._drawn = DrawnFrom(listening, "axes")
        self._cells: dict[int, list[torch.Tensor]] = {}
        self._written: set[int] = set()
        self._open = False
        """A recurrence runs along the first axis of a tensor of which it is not known what drew it."""

    def on_call(self, step: int, number: int, module: Any, given: Any, source: Source) -> None:
        """A recurrent module ran forward with gradients."""
        if isinstance(given, PackedSequence) or given.grad_fn is not None:
            return
        if not isinstance(module, nn.RNNBase):
            calls = self._cells.setdefault(number, [])
            if len(calls) < _MOST_CALLS:
                calls.append(given)
        elif given.dim() == len(("step", "row", "feature")):
            base = given if given._base is None else given._base
            grid = grid_in(base, given, int(module.batch_first))
            self._judge(step, number, base, grid, source)

    def on_backward(self, step: int, source: Source) -> None:
        """A backward pass is about to run: all calls of cells are made."""
        cells, self._cells = self._cells, {}
        self.on_loops(step, cells, source)

    def on_loops(self, step: int, given: dict[int, list[torch.Tensor]], source: Source) -> None:
        """What the steps of cells, or of recurrences written by hand, took. Shapes: given (B, I) each."""
        for number, steps in given.items():
            base = steps[0] if steps[0]._base is None else steps[0]._base
            self._judge(step, number, base, grid_of_steps(base, steps), source)

    def _judge(self, step: int, number: int, base: torch.Tensor, grid: Grid | None, source: Source) -> None:
        if number in self._written or grid is None or not grid.runs_along_first(base.shape):
            return
        rows = self._drawn.unordered(base)
        loaded = source.shuffled and source.tensor is not None and are_the_same(base, source.tensor)
        if loaded or (rows is not None and grid.steps < rows):
            self._written.add(number)
            self._writer.write(
                "sample_steps", step=step, module=number, steps=grid.steps, rows=grid.rows,
                drawn_by="loader" if loaded else "index",
            )  # fmt: skip
        self._open |= not loaded

    def updated(self, step: int) -> None:
        """An update is over, of those that are looked at."""
        self._cells.clear()
        self._drawn.watch(self._open and step < _UNTIL)

    def finish(self) -> None:
        """Nothing is looked at any more."""
        self._cells.clear()
        self._drawn.watch(False)
