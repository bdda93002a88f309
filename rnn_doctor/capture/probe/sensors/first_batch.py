"""Whether updates go on being made of a loader's first batch, though it has given others since."""

from __future__ import annotations

from typing import Any

import torch

from .row_marks import RowMarks


class FirstBatch:
    """Compares the targets of sampled updates with those of the first batch and of the one that was given last.

    Targets that are one and the same for all examples tell nothing, nor do those that no batch holds, as the script
    makes them itself: the right answers of a contrast, or of a discriminator.
    """

    def __init__(self) -> None:
        self._loader: int | None = None
        """Which gave the first batch."""
        self._first: list[torch.Tensor] = []
        """The marks of its tensors. Shapes: (rows) each."""
        self._last: list[torch.Tensor] = []
        self._row_marks = RowMarks()
        self._old = self._other = False
        """Of this update: targets of the first batch alone were seen, or others."""
        self.updates = 0
        """Sampled ones that were made of the first batch, after another was given."""
        self._all = True
        """No sampled update was made of anything else."""

    def gave(self, loader: int, marks: list[torch.Tensor]) -> None:
        """A loader gave a batch with these marks."""
        if self._loader is None:
            self._loader, self._first = loader, marks
        if loader == self._loader:
            self._last = marks

    def on_loss(self, target: Any) -> None:
        """A loss function that leads to a gradient was given this target, at a sampled step."""
        if self._last is self._first or not isinstance(target, torch.Tensor) or not target.dim():
            return
        whole = target if target._base is None else target._base
        marks = self._row_marks.of(whole.detach().cpu())
        if not len(marks) or bool((marks == marks[0]).all()):
            return
        first, last = _holds(self._first, marks), _holds(self._last, marks)
        self._old |= first and not last
        self._other |= not first  # what is in both, as where a pass begins in the same order, is either

    def updated(self) -> None:
        """A sampled update is complete."""
        self.updates += self._old and not self._other
        self._all &= not self._other
        self._old = self._other = False

    def fields(self) -> dict[str, Any]:
        """What the record says of it; nothing where an update was made of another batch."""
        return {"first": self.updates} if self.updates and self._all else {}


def _holds(batch: list[torch.Tensor], marks: torch.Tensor) -> bool:
    return any(torch.equal(each, marks) for each in batch)
