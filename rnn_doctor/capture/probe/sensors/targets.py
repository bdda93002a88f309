"""Which target belongs to which sequence of a batch."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from .dependence import MOST_CLASSES, MOST_FEATURES, Abstained
from .losses import BINARY, CLASSIFYING, REGRESSING


class Targets(NamedTuple):
    """One target of each sequence: its own, or that of its last step."""

    values: torch.Tensor
    """Classes (B), or numbers (B, C); detached, the script's own memory."""
    by_step: bool
    """Every step has a target; the last one's is taken, to which the longest way leads."""
    ignored: int | None
    """The class that the loss leaves out."""


class Extent(NamedTuple):
    """The sizes of the call that the targets may belong to."""

    time: int
    batch: int
    batch_first: bool
    packed: bool


def targets_of(function: str, output: Any, target: Any, options: dict[str, Any], extent: Extent) -> Targets:
    """The targets of a loss call, row by row.

    Raises: Abstained: they cannot be told apart by sequence, or are too many for the test.
    """
    if not (isinstance(target, torch.Tensor) and isinstance(output, torch.Tensor)):
        raise Abstained("its targets are no tensor")
    target = target.detach()
    if function in CLASSIFYING and not target.is_floating_point():
        classes = output.shape[1] if output.dim() > 1 else output.shape[0]
        if classes > MOST_CLASSES:
            raise Abstained(f"its targets are of {classes} classes, too many for the test")
        ignored = options.get("ignore_index", -100)
        if target.dim() == 2 and output.dim() == 3:
            return Targets(_last_step(target, extent), True, ignored)
        return Targets(_of_each(target, extent), False, ignored)
    if function not in (*CLASSIFYING, *REGRESSING, *BINARY):
        raise Abstained(f"{function} does not compare output and target element by element")
    if target.shape != output.shape and target.numel() != output.numel():
        raise Abstained("its outputs and targets differ in shape")
    if target.dim() == 3:
        return Targets(_last_step(target, extent), True, None)
    columns = target.unsqueeze(1) if target.dim() == 1 else target
    if columns.dim() != 2 or columns.shape[1] > MOST_FEATURES:
        raise Abstained("its targets have too many values for the test")
    if columns.shape[1] == extent.time and extent.time > 1:
        raise Abstained("its targets may belong to sequences or to their steps")
    return Targets(_of_each(columns, extent), False, None)


def _of_each(target: torch.Tensor, extent: Extent) -> torch.Tensor:
    if (
        target.dim() > 0
        and target.shape[0] == extent.batch
        and (target.dim() == 1 or target.is_floating_point())
    ):
        return target
    if target.dim() > 0 and target.shape[0] == extent.batch * extent.time:
        raise Abstained("the targets of all steps stand in one row, in an order that is not told")
    raise Abstained("its targets belong neither to its sequences nor to their steps")


def _last_step(target: torch.Tensor, extent: Extent) -> torch.Tensor:
    """Shapes: (B, T), (T, B), (B, T, C) or (T, B, C) -> (B) or (B, C)."""
    if target.dim() == 3 and target.shape[2] > MOST_FEATURES:
        raise Abstained("its targets have too many values for the test")
    if extent.packed or extent.batch == extent.time:
        raise Abstained("which target belongs to which step is not told")
    if target.shape[:2] == (extent.batch, extent.time):
        return target[:, -1]
    if target.shape[:2] == (extent.time, extent.batch):
        return target[-1]
    raise Abstained("its targets belong neither to its sequences nor to their steps")
