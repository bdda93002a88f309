"""How the loss takes the steps of a recurrent output together: the maximum of each unit, or the mean of all."""

from __future__ import annotations

from typing import Any, Literal

import torch

from .padded import Padded
from .readings import Reading

_ENDS = 2
"""Steps that a read-out takes a row from at most: the last one, and of two directions the first one too."""
_SINGLE = 1.05
"""Steps from which each unit is taken, where a maximum is: one, or by chance two that are equal."""
_ALIKE = 1e-3
"""By how much, relative to their mean, the squared gradients of the steps of a mean may differ: rounding."""


class Pooling(Reading):
    """A reading that counts, too, from how many steps each unit is taken."""

    def __init__(self, module: Any, output: Any) -> None:
        super().__init__(module, output)
        self._width = 0
        self._counts: torch.Tensor | None = None
        """Units of which the loss takes something. Shape: (T, B)."""

    def add_output(self, gradient: torch.Tensor) -> None:
        """Shapes: as of a Reading."""
        super().add_output(gradient)
        counts = self._by_time((gradient.detach() != 0).sum(-1).float())
        self._counts = counts if self._counts is None else self._counts + counts
        self._width = gradient.shape[-1]

    @property
    def pooling(self) -> Literal["maximum", "mean", "otherwise"]:
        """The maximum or the mean over the time of each row, if the loss does not read the output otherwise."""
        if self._counts is None or self.output is None:
            return "otherwise"
        read = self._counts.sum(0) > 0
        counts, squares = self._counts[:, read], self.output[:, read]
        if not counts.shape[1] or float((counts > 0).sum(0).float().mean()) <= _ENDS:
            return "otherwise"
        if float(counts.sum(0).mean()) <= _SINGLE * self._width:
            return "maximum"
        time, batch = self.output.shape
        ends = torch.full((batch,), time) if self.lengths is None else self.lengths
        valid = (torch.arange(time).unsqueeze(1) < ends).to(read.device)[:, read]
        means = (squares * valid).sum(0) / valid.sum(0)
        apart = (squares - means).abs() * valid
        return "mean" if bool((apart <= _ALIKE * means).all()) else "otherwise"

    def taken_beyond(self, padded: Padded) -> float | None:
        """Share of all units, of all rows that are padded, that the loss takes from the padding.

        Of packed sequences the output is zero beyond their ends, and nothing is taken of a unit whose maximum that zero
        is: the share of those, as far as it is larger than in rows that reach the end.
        None where it does not take the steps together, or no row is padded.
        """
        pooling = self.pooling
        short = torch.tensor([end < last for end, last in zip(padded.ends, padded.last)])
        if self._counts is None or pooling == "otherwise" or not bool(short.any()):
            return None
        counts = self._counts[:, padded.rows].cpu()
        if self.lengths is not None and padded.lengths is None:
            lost = 1 - counts.sum(0) / self._width
            full = float(lost[~short].mean()) if bool((~short).any()) else 0.0
            return max(0.0, float(lost[short].mean()) - full) if pooling == "maximum" else 0.0
        beyond = torch.arange(padded.time).unsqueeze(1) >= torch.tensor(padded.ends)
        whole = float(counts[:, short].sum())
        return float(counts[beyond & short].sum()) / whole if whole else None
