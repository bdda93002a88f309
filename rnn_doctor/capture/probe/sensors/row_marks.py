"""A number for each example of a batch, equal where the examples are."""

from __future__ import annotations

import torch

_MOST_ROWS = 256
"""Of a batch: the first so many."""
_MOST_COLUMNS = 512
"""Values of a row, evenly spaced, that tell it from others."""
_WIDE = 8
"""Bytes of a value whose upper half is folded onto the lower: the bits of a round double are all in the upper one."""


class RowMarks:
    """Marks of examples.

    A mark is the sum of an example's bits, each value times an odd number of its own, modulo 2^64: exact in any order,
    so that equal examples have equal marks wherever they stand in a batch. Zeros that pad a row add nothing.
    """

    def __init__(self) -> None:
        self._factors: torch.Tensor | None = None

    def of(self, tensor: torch.Tensor) -> torch.Tensor:
        """Shapes: (B, ...) -> (B), at most _MOST_ROWS of them."""
        rows = tensor.detach()
        if len(rows) > _MOST_ROWS:
            rows = rows[:_MOST_ROWS]
        if rows.dim() == 1:
            return _bits(rows)
        if rows.dim() > 2:
            rows = rows.reshape(len(rows), -1)
        width = rows.shape[1]
        bits = _bits(rows if width <= _MOST_COLUMNS else rows[:, :: -(-width // _MOST_COLUMNS)])
        if self._factors is None:
            own = torch.Generator("cpu").manual_seed(0)  # the script's random numbers stay as they are
            self._factors = (
                torch.randint(-(1 << 62), 1 << 62, (_MOST_COLUMNS,), generator=own, device="cpu") * 2 + 1
            )
        return (bits * self._factors[: bits.shape[1]]).sum(1)


def _bits(values: torch.Tensor) -> torch.Tensor:
    """The values as whole numbers that are equal where the values are, 0 where they are 0."""
    if not values.is_floating_point():
        return values.long()
    size = values.element_size()
    bits = values.view({1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[size]).long()
    return bits ^ (bits >> 32) if size == _WIDE else bits
