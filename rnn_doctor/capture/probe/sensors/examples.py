"""Losses of single examples: what a loss function that averages would have returned for each of them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from .losses import BINARY, CLASSIFYING, REGRESSING

_SPLIT = frozenset((*CLASSIFYING, *REGRESSING, *BINARY))
"""Loss functions that are a mean or a sum over independent terms."""
_MOST_VALUES = 1 << 25
"""Values of predictions between two evaluations of which single losses are computed: half a second's work."""
_AGREES = 1e-3
"""Relative distance up to which the mean of the single losses is the loss that the script got."""


class Rows(NamedTuple):
    """How the recurrent module that was called last lays out its batch."""

    batch: int
    time: int
    batch_first: bool


def rows(module: Any, given: Any) -> Rows | None:
    """The layout of a recurrent module's input, of packed sequences once padded; None for a single sequence."""
    if isinstance(given, PackedSequence):
        return Rows(int(given.batch_sizes[0]), len(given.batch_sizes), bool(module.batch_first))
    if not isinstance(given, torch.Tensor):
        return None
    if isinstance(module, torch.nn.RNNBase):
        if given.dim() != 3:
            return None
        b, t = (0, 1) if module.batch_first else (1, 0)
        return Rows(given.shape[b], given.shape[t], bool(module.batch_first))
    return Rows(given.shape[0], 1, True) if given.dim() == 2 else None


def as_given(target: Any, size: int | None, given: Iterable[torch.Tensor]) -> Rows | None:
    """The layout of a batch of `size` samples that no recurrent module of torch's read: as its loader gave it.

    given: the tensors of the batch. None where the targets are neither a row for each sample nor one of these
    tensors, flattened sample by sample.
    """
    if size is None or size < 1 or not isinstance(target, torch.Tensor) or not target.dim():
        return None
    fits = len(target) == size or any(_flattened(each, target, size) for each in given)
    return Rows(size, 1, True) if fits else None


def _flattened(given: torch.Tensor, target: torch.Tensor, size: int) -> bool:
    if not given.dim() or len(given) != size or given.numel() != target.numel():
        return False
    return torch.equal(given.to(target).reshape(-1), target.reshape(-1))


class Examples:
    """The losses of the examples of one evaluation, or of the last training batches."""

    def __init__(self) -> None:
        self._losses: list[torch.Tensor] = []
        self._marks: list[float] = []
        self._batch: Any = None
        self._values = 0

    def add(self, losses: torch.Tensor, target: torch.Tensor, values: int, batch: Any) -> None:
        """Takes the examples of one loss call; `batch` tells which calls are of the same examples."""
        again = batch is not None and batch == self._batch
        if again and self._losses and self._losses[-1].shape == losses.shape:
            self._losses[-1] = self._losses[-1] + losses
        else:
            self._losses.append(losses)
        self._batch = batch
        self._values += values
        weights = torch.arange(1, target.numel() + 1, device=target.device, dtype=torch.float64)
        self._marks.append(float((target.flatten().double() * weights).sum()))

    @property
    def room(self) -> bool:
        """Whether more may be taken."""
        return self._values < _MOST_VALUES

    @property
    def batches(self) -> int:
        """Loss calls, those at one batch counted once."""
        return len(self._losses)

    @property
    def marks(self) -> tuple[float, ...]:
        """What tells whether two evaluations looked at the same examples in the same order."""
        return tuple(self._marks)

    def all(self) -> torch.Tensor | None:
        """All losses, one an example. Shapes: (N), double precision; None for fewer than two."""
        if sum(len(each) for each in self._losses) < 2:
            return None
        return torch.cat(self._losses).double().cpu()


def summary(losses: torch.Tensor) -> dict[str, Any]:
    """Their number, mean and standard deviation."""
    return {"count": len(losses), "mean": float(losses.mean()), "std": float(losses.std())}


def rise(step: int, best: torch.Tensor, losses: torch.Tensor, *, paired: bool = True) -> dict[str, Any]:
    """How far losses lie above those of the best look before, which was after update `step`; with its standard error.

    paired: example by example, for both are of the same ones in the same order; else as two samples.

    Shapes: best (M), losses (N), N and M > 1.
    """
    if paired:
        square = float((losses - best).var()) / len(losses)
    else:
        square = float(losses.var()) / len(losses) + float(best.var()) / len(best)
    mean = float(losses.mean() - best.mean())
    return {"best_step": step, "mean": mean, "error": math.sqrt(square), "paired": paired}


def by_example(
    function: str,
    output: torch.Tensor,
    target: Any,
    result: torch.Tensor,
    options: dict[str, Any],
    layout: Rows | None,
) -> torch.Tensor | None:
    """The loss of each example of a batch; None where the loss does not fall into them.

    The function is computed once more without its reduction, and held against what the script got: options that
    it was given in another way, such as class weights, would show there.

    Shapes: -> (B), B examples of the recurrent module's batch.
    """
    if not isinstance(target, torch.Tensor) or result.numel() != 1 or layout is None:
        return None
    reduction = options.get("reduction", "mean")
    with torch.no_grad():
        plain = inspect.unwrap(getattr(functional, function))
        found = by_row(plain, output.detach(), target.detach(), options, layout)
        if found is None:
            return None
        sums, terms = found
        total = sums.sum() / (terms.sum() if reduction == "mean" else 1)
        losses = (sums / terms)[terms > 0]
        return losses if agrees(total, result) and bool(losses.isfinite().all()) else None


def smoothed(
    output: torch.Tensor, target: torch.Tensor, options: dict[str, Any], layout: Rows, smoothing: float
) -> torch.Tensor | None:
    """The cross-entropy of each example with that label smoothing; None where it does not fall into them.

    Shapes: -> (B).
    """
    with torch.no_grad():
        plain = inspect.unwrap(functional.cross_entropy)
        given = {**options, "label_smoothing": smoothing}
        found = by_row(plain, output.detach(), target.detach(), given, layout)
        return None if found is None else (found[0] / found[1])[found[1] > 0]


def agrees(total: torch.Tensor, result: torch.Tensor) -> bool:
    """Whether the sum or mean of the single losses is what the script got."""
    value = float(result.detach())
    return abs(float(total) - value) <= _AGREES * max(abs(value), 1e-6)


def by_row(
    function: Any, output: torch.Tensor, target: torch.Tensor, options: dict[str, Any], layout: Rows
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The sum of the loss's terms in each example, and their number; None where it does not fall into them.

    With the gradients that `output` has. function: torch's own, as it is without the probe.

    Shapes: -> (B), (B).
    """
    name = getattr(function, "__name__", "")
    reduced = options.get("reduction", "mean") in ("mean", "sum")
    if name not in _SPLIT or not reduced or not isinstance(target, torch.Tensor):
        return None
    each = function(**{**options, "input": output, "target": target, "reduction": "none"}).float()
    counted = torch.ones_like(each)
    if name in CLASSIFYING and not target.is_floating_point():
        counted = (target != options.get("ignore_index", -100)).float().reshape(each.shape)
    parts = _grouped(each * counted, layout)
    counts = _grouped(counted, layout)
    return None if parts is None or counts is None else (parts.sum(1), counts.sum(1))


def _grouped(values: torch.Tensor, layout: Rows) -> torch.Tensor | None:
    """The terms of a loss by example. Shapes: (B, ...), (T, B, ...) or flattened (B T) or (T B) -> (B, n)."""
    batch, time, batch_first = layout
    if values.dim() > 1 and not batch_first and values.shape[:2] == (time, batch) and time > 1:
        values = values.transpose(0, 1)
    length = values.shape[0] if values.dim() else 0
    if length == batch:
        return values.reshape(batch, -1)
    if not length or length % batch or values.dim() > 2:
        return None
    rest = values[0].numel()
    if batch_first:
        return values.reshape(batch, -1)
    return values.reshape(length // batch, batch, rest).transpose(0, 1).reshape(batch, -1)
