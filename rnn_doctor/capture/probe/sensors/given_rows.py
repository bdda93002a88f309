"""The examples that the loaders give: which are given again within a pass, and which stand in two loaders' data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import default_collate

from ..writer import Writer
from .row_marks import RowMarks

_MOST_BATCHES = 64
_MOST_TENSORS = 4
_DEEPEST = 4


@dataclass
class _Given:
    """What one loader has given so far."""

    batch_size: int | None
    data: int
    """Identity of its dataset."""
    stacked: bool
    """It puts its examples together as torch does by itself: along a new first axis."""
    batches: int = 0
    passes: list[list[list[torch.Tensor]]] = field(default_factory=lambda: [[]])
    """Of each pass the marks of its batches, tensor by tensor. Shapes: (rows) each."""


class GivenRows:
    """Marks of the examples that go by, by loader; only how many are alike is written."""

    def __init__(self, writer: Writer, training: set[int]) -> None:
        self._writer = writer
        self._training = training
        self._given: dict[int, _Given] = {}
        self._row_marks = RowMarks()
        self._memory: list[int] = []
        """Addresses of the tensors of the batch that was given last."""
        self._widths: list[int] = []
        self._target: int | None = None
        """Which tensor of a training batch is the target."""

    def begun(self, number: int, loader: Any) -> None:
        """A loader began to be iterated."""
        if number not in self._given:
            self._given[number] = _Given(
                loader.batch_size, id(loader.dataset), loader.collate_fn is default_collate
            )
        elif self._given[number].passes[-1]:
            self._given[number].passes.append([])

    def another_training(self) -> None:
        """What was given so far was given to another network, as that of the fold before."""
        self._given.clear()

    def gave(self, number: int | None, batch: Any) -> list[torch.Tensor]:
        """A loader gave a batch: the marks of its first tensors' rows, each (rows); none once enough were seen."""
        given = self._given.get(-1 if number is None else number)
        if given is None or given.batches >= _MOST_BATCHES:
            return []
        given.batches += 1
        tensors = _tensors(batch)
        marks = [self._row_marks.of(tensor) for tensor in tensors]
        if tensors and _by_example(tensors, given):
            given.passes[-1].append(marks)
            if self._target is None:
                self._memory = [tensor.untyped_storage().data_ptr() for tensor in tensors]
                self._widths = [tensor[0].numel() for tensor in tensors]
        else:
            self._memory = []
        return marks

    def learned_from(self, target: Any) -> None:
        """A loss that leads to a gradient was given this target: which tensor of the batch is it?"""
        if self._target is not None or len(self._memory) < 2 or not isinstance(target, torch.Tensor):
            return
        address, found = target.untyped_storage().data_ptr(), None
        if self._memory.count(address) == 1:
            found = self._memory.index(address)
        elif len(self._memory) == 2:  # it was copied: to a device, or to another type
            found = 1 if self._widths[1] <= self._widths[0] else 0
        # What is wider than all else is the input of an autoencoder: the rest of the batch says nothing of it.
        if found is not None and self._widths[found] <= max(
            w for k, w in enumerate(self._widths) if k != found
        ):
            self._target = found

    def repeated(self, number: int) -> float | None:
        """Of the examples of a loader's last pass that was marked, the share that earlier passes gave too.

        None where examples cannot be told apart, or fewer than two passes were marked.
        """
        given = self._given.get(number)
        passes = [each for each in given.passes if each] if given is not None else []
        if len(passes) < 2:
            return None
        before, last = torch.cat([_joined(each) for each in passes[:-1]]), _joined(passes[-1])
        if before.shape[1] != last.shape[1]:
            return None
        return float(torch.isin(_keys(last, None), _keys(before, None)).double().mean())

    def write(self, step: int) -> None:
        """The records of what was seen up to update `step`: one for each loader that is evaluated on."""
        training = [given for number, given in self._given.items() if number in self._training]
        whole = max((_joined(each) for given in training for each in given.passes), key=len, default=_NONE)
        if not len(whole):
            return
        fields: dict[str, Any] = {"examples": len(whole), **self._again(whole)}
        seen = torch.cat([_joined(each) for given in training for each in given.passes if each])
        data = {given.data for given in training}
        held_out = {n: given for n, given in self._given.items() if n not in self._training}
        if not held_out:
            self._writer.write("shared_examples", step=step, **fields)
        for number, given in held_out.items():
            rows = [_joined(each) for each in given.passes if each]
            apart: dict[str, Any] = {"held_out": number, "same_data": given.data in data or None}
            if rows and rows[0].shape[1] == seen.shape[1]:
                keys = torch.unique(_keys(torch.cat(rows), None))
                found = int(torch.isin(keys, _keys(seen, None)).sum())
                apart |= {"held_out_examples": len(keys), "held_out_seen": found}
            self._writer.write("shared_examples", step=step, **fields, **apart)

    def _again(self, rows: torch.Tensor) -> dict[str, Any]:
        """How many examples of a pass equal another one of it, and how many do but for their target."""
        _, sizes = torch.unique(_keys(rows, None), return_counts=True)
        found: dict[str, Any] = {"twins": int(sizes[sizes > 1].sum())}
        if self._target is None or rows.shape[1] < 2:
            return found
        _, groups, sizes = torch.unique(_keys(rows, self._target), return_inverse=True, return_counts=True)
        targets = rows[:, self._target]
        low = torch.full_like(sizes, torch.iinfo(torch.int64).max).scatter_reduce(0, groups, targets, "amin")
        high = torch.full_like(sizes, torch.iinfo(torch.int64).min).scatter_reduce(0, groups, targets, "amax")
        return {**found, "contradicting": int(sizes[low != high].sum())}


_NONE = torch.empty(0, 1, dtype=torch.int64, device="cpu")


def _joined(batches: list[list[torch.Tensor]]) -> torch.Tensor:
    """The rows of a pass; batches of fewer or more tensors than its first are left out. Shapes: -> (N, tensors)."""
    alike = [torch.stack(marks, 1) for marks in batches if len(marks) == len(batches[0])]
    return torch.cat(alike) if alike else _NONE


def _keys(rows: torch.Tensor, without: int | None) -> torch.Tensor:
    """One number an example, of all its tensors but one. Shapes: (N, tensors) -> (N)."""
    key = torch.zeros_like(rows[:, 0])
    for column in range(rows.shape[1]):
        if column != without:
            key = key * 0x5DEECE66D + rows[:, column]
    return key


def _by_example(tensors: list[torch.Tensor], given: _Given) -> bool:
    """Whether the first axis of each is that of the examples: it is as long as the loader's batches, no other is."""
    rows = {len(tensor) for tensor in tensors}
    if len(rows) > 1 or 0 in rows:
        return False
    if given.stacked:
        return True
    if given.batch_size is None:  # of a sampler of its own
        return any(tensor.dim() == 1 for tensor in tensors) and len(tensors) > 1
    if any(given.batch_size in tensor.shape[1:2] for tensor in tensors):
        return False
    return min(rows) <= given.batch_size


def _tensors(batch: Any) -> list[torch.Tensor]:
    """The first tensors of a batch, in their order, that can be read without waiting for a device."""
    found: list[torch.Tensor] = []
    _collect(batch, found, 0)
    return found[:_MOST_TENSORS]


def _collect(batch: Any, found: list[torch.Tensor], depth: int) -> None:
    if isinstance(batch, torch.Tensor):
        plain = batch.layout == torch.strided and not (batch.is_complex() or batch.is_quantized)
        if batch.device.type == "cpu" and plain and batch.dim() and batch.numel():
            found.append(batch)
    elif depth < _DEEPEST and isinstance(batch, (dict, list, tuple)):
        for item in batch.values() if isinstance(batch, dict) else batch:
            if len(found) < _MOST_TENSORS:
                _collect(item, found, depth + 1)
