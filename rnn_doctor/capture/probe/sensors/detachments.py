"""The tensors that the script cuts off from their graph, for as long as hand-written recurrences are looked for."""

from __future__ import annotations

from typing import Any

import torch

from .. import places
from ..recurrence.cut_states import Cut
from ..recurrence.severed import Severed, first_rows, look, rows_of

_MOST_LOOKED_AT = 256
"""Tensors of an update that are looked at: a habit shows in fewer."""
_MOST = 64
"""The latest of those made of weights are kept, so that a loop before the training does not hide it."""


class Detachments:
    """Notes what each tensor was made of that loses its graph by `detach` or `data`."""

    def __init__(self) -> None:
        self.severed: list[Severed] = []
        self._looked_at = 0

    def on_cut(self, node: Any, result: torch.Tensor) -> None:
        """A tensor that the operation `node` made was cut off; `result` is it without its graph."""
        if self._looked_at >= _MOST_LOOKED_AT or result.numel() < 2:
            return
        self._looked_at += 1
        applied = look(node, result)
        if applied:
            self.severed.append(Severed(first_rows(result), rows_of(result), applied, places.here()))
            del self.severed[:-_MOST]

    def where(self, cut: Cut) -> dict[str, Any] | None:
        """The line that cuts off the state of a recurrence; None where it has no such line, as of a copy by numbers."""
        weights = {id(weight) for weight in cut.weights}
        for each in reversed(self.severed):
            if any(id(applied.weight) in weights for applied in each.applied):
                return each.location
        return None

    def forget(self) -> None:
        """The update is over."""
        self.severed.clear()
        self._looked_at = 0
