"""Whether a loss holds all rows of an output against the target of a single one."""

from __future__ import annotations

import torch


def rows_of_one(output: torch.Tensor, target: torch.Tensor) -> int | None:
    """How many rows the output and the tensor have of which the target is cut out of a single row, where they differ.

    As `target[-1]` is where `target` was meant. None where it is none such: a view alone tells what it was cut out of.
    One that is made of the output itself is meant, as where all are drawn to the first.

    Shapes: output (B, ...), target as the loss is given it
    """
    rows = output.shape[0] if output.dim() else 1
    base = target._base
    if base is None or rows < 2 or base.shape[:1] != (rows,) or not base.is_contiguous():
        return None
    if base.requires_grad or base.untyped_storage().data_ptr() == output.untyped_storage().data_ptr():
        return None
    given_to_all = target.dim() > 0 and target.shape[0] == rows and target.stride(0) == 0
    size = base.numel() // rows
    if not size or not target.numel() or (target.shape == output.shape and not given_to_all):
        return None
    first = int(target.storage_offset() - base.storage_offset())
    last = first + sum((n - 1) * stride for n, stride in zip(target.shape, target.stride()))
    return rows if first // size == last // size and bool((base != base[:1]).any()) else None
