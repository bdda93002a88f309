"""The tensors that the script cuts off from their graph, for as long as hand-written recurrences are looked for."""

from __future__ import annotations

import weakref
from typing import Any, Callable

import torch
from torch.nn.utils.rnn import PackedSequence

from .. import places
from ..recurrence.cut_states import Cut
from ..recurrence.severed import Severed, first_rows, look, rows_of

_MOST_LOOKED_AT = 256
"""Tensors of an update that are looked at: a habit shows in fewer."""
_MOST = 64
"""The latest of those made of weights are kept, so that a loop before the training does not hide it."""
_LONGEST = 8
"""Operations between what a module returned and what is cut off: a pick of a step, a transposition, dropout."""


class Detachments:
    """Notes what each tensor was made of that loses its graph by `detach` or `data`.

    A look walks the operations that made the tensor in Python: their number is bounded, and that of the looks.
    """

    def __init__(self) -> None:
        self.severed: list[Severed] = []
        self.beneath: Callable[[Any, torch.Tensor, dict[str, Any] | None], None] | None = None
        """Looks for recurrences in the graph that a tensor is cut off from; None where nobody does."""
        self._lines: list[tuple[weakref.ref[torch.Tensor], dict[str, Any] | None]] = []
        """The tensors that were cut off, and where."""
        self._looked_at = 0
        self._outputs: dict[Any, int] = {}
        """The operations that returned a module's output, and the module."""
        self._output_lines: dict[int, dict[str, Any] | None] = {}

    def returned(self, number: int, output: Any) -> None:
        """A recurrent module returned this: whether it is cut off is followed until the update is over."""
        first = output[0] if isinstance(output, tuple) else output
        data = first.data if isinstance(first, PackedSequence) else first
        if data.grad_fn is not None:
            self._outputs[data.grad_fn] = number

    def output_line(self, number: int) -> dict[str, Any] | None:
        """Where in this update the output of a module, or a part of it, was first cut off from its graph."""
        return self._output_lines.get(number)

    def on_cut(self, node: Any, result: torch.Tensor) -> None:
        """A tensor that the operation `node` made was cut off; `result` is it without its graph."""
        if self._looked_at >= _MOST_LOOKED_AT or result.numel() < 2:
            return
        self._looked_at += 1
        location = places.here()
        number = self._returned_by(node)
        if number is not None:
            self._output_lines.setdefault(number, location)
        self._lines.append((weakref.ref(result), location))
        if self.beneath is not None:
            self.beneath(node, result, location)
        applied = look(node, result)
        if applied:
            self.severed.append(Severed(first_rows(result), rows_of(result), applied, location))
            del self.severed[:-_MOST]

    def _returned_by(self, node: Any) -> int | None:
        """The module whose output an operation hands on."""
        for _ in range(_LONGEST if self._outputs else 0):
            if node is None or node in self._outputs:
                return self._outputs.get(node)
            node = node.next_functions[0][0] if node.next_functions else None
        return None

    def where(self, cut: Cut) -> dict[str, Any] | None:
        """The line that cuts off the state of a recurrence; None where it has no such line, as of a copy by numbers."""
        weights = {id(weight) for weight in cut.weights}
        for each in reversed(self.severed):
            if any(id(applied.weight) in weights for applied in each.applied):
                return each.location
        return None

    def line(self, state: Any) -> dict[str, Any] | None:
        """Where the state that a module is given was cut off; None where that was not seen."""
        first = state[0] if isinstance(state, (tuple, list)) and state else state
        for reference, location in reversed(self._lines):
            if reference() is first and first is not None:
                return location
        return None

    def forget(self) -> None:
        """The update is over."""
        self.severed.clear()
        self._lines.clear()
        self._outputs.clear()
        self._output_lines.clear()
        self._looked_at = 0
