"""The source lines at which the loss reads what a recurrent module returned, where that is worth a line."""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from .. import graph, places
from ..origins import Origins, line_of

_LONGEST = 8
"""Operations between what the module returned and what is taken: a transposition, dropout, a norm."""
_MOST_NODES = 4_000
_WRAPPED = 2**64
"""Autograd saves negative indices as unsigned numbers."""
_PICKS = ("Index", "Gather", "IndexSelect", "Unbind", "Split")
_PASSES = (
    "Clone",
    "Alias",
    "ToCopy",
    "Mul",
    "Div",
    "NativeDropout",
    "NativeLayerNorm",
    "Relu",
    "Tanh",
    "CopySlices",
)
LAST, PICK, OTHER, WHOLE = 3, 2, 1, 0
"""How much a read looks like a read-out: the last step, some part, another step than the last, all of it."""

_Point = tuple[Any, int]
"""A tensor of the graph: the node that returned it, and its number among what that node returned."""


class _Source(NamedTuple):
    """What a module returned."""

    number: int
    what: str
    """`output` or `state`."""
    axis: int | None
    """Of the time; None where the steps of the tensor are not told apart."""
    time: int


class _Read(NamedTuple):
    """An operation that takes what a module returned, or a part of it."""

    rank: int
    node: Any


class ReadSites:
    """Finds the lines that read the modules for which a sensor asked, by the stacks of one update's operations."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._sought: set[int] = set()
        self._sources: dict[_Point, _Source] = {}
        self._packed: dict[tuple[int, ...], _Source] = {}
        """By the sizes that the packed output has once it is padded, but for the first."""
        self._calls: dict[int, dict[str, Any] | None] = {}
        self._found: dict[tuple[int, str], dict[str, Any] | None] = {}

    def seek(self, number: int) -> None:
        """The line is wanted, and looked for at the next update that is followed."""
        self._sought.add(number)

    def on_call(self, number: int, module: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients: its first call of the update is followed."""
        if number not in self._sought or number in self._calls or not isinstance(module, nn.RNNBase):
            return
        self._calls[number] = places.here()
        sequence, last = output
        state = last[0] if isinstance(last, tuple) else last
        self._sources[state.grad_fn, state.output_nr] = _Source(number, "state", None, 0)
        if isinstance(sequence, PackedSequence):
            sizes = sequence.batch_sizes
            source = _Source(number, "output", 0, len(sizes))
            self._packed[int(sizes[0]), sequence.data.shape[-1]] = source
        else:
            axis = 1 if module.batch_first and sequence.dim() > 2 else 0
            source = _Source(number, "output", axis, sequence.shape[axis])
            self._sources[sequence.grad_fn, sequence.output_nr] = source
        self._origins.begin("reads")

    def on_backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run: the lines by which its loss depends on the modules are kept."""
        self._origins.end("reads")
        if not self._sources:
            return
        nodes = graph.nodes(loss, _MOST_NODES)
        users: dict[_Point, list[Any]] = {}
        for node in nodes:
            for child, output in node.next_functions:
                users.setdefault((child, output), []).append(node)
            if self._packed and graph.kind_of(node) == "CopySlices":
                source = self._packed.get((graph.shape_of(node) or ())[1:])
                if source is not None:
                    self._sources[node, 0] = source
        reads: dict[tuple[int, str], list[_Read]] = {}
        for point, source in self._sources.items():
            reads.setdefault((source.number, source.what), []).extend(_reads(users, point, source))
        for key, found in reads.items():
            if found:  # of equals the one that ran first
                best = max(found, key=lambda read: (read.rank, -read.node._sequence_nr()))
                self._found[key] = line_of(best.node)
        self._sources.clear()
        self._packed.clear()

    def where(self, number: int, what: str) -> dict[str, Any] | None:
        """The line that reads a module's output or final state; that of its call where none was seen."""
        return self._found.get((number, what)) or self._calls.get(number)

    def forget(self) -> None:
        """The update is over."""
        self._origins.end("reads")
        self._sought -= set(self._calls)
        self._sources.clear()
        self._packed.clear()
        self._calls.clear()
        self._found.clear()


def _reads(users: dict[_Point, list[Any]], point: _Point, source: _Source) -> Iterator[_Read]:
    """What takes the tensor, looking through operations that leave every number at its place."""
    stack = [(point, source.axis, 0)]
    while stack:
        point, axis, depth = stack.pop()
        for node in users.get(point, ()):
            rank, axis_after = _taken(node, axis, source)
            if rank is not None:
                yield _Read(rank, node)
            elif depth < _LONGEST:
                stack.append(((node, 0), axis_after, depth + 1))


def _taken(node: Any, axis: int | None, source: _Source) -> tuple[int | None, int | None]:
    """How an operation reads the tensor; None where it hands all of it on, then with where its time axis is."""
    kind = graph.kind_of(node)
    if kind in ("Select", "Slice"):
        if axis is None or node._saved_dim == axis:
            return _rank(node._saved_index if kind == "Select" else node._saved_start, source), None
        return (PICK, None) if kind == "Select" else (None, axis)
    if kind in ("Transpose", "Permute"):
        return None, None if axis is None else _moved(node, kind, axis)
    if kind in _PASSES:
        return None, axis
    if kind == "IndexSelect" and axis is not None and _signed(node._saved_dim) != axis:
        return None, axis  # rows in another order, as unpacking puts them back
    return PICK if kind in _PICKS else WHOLE, None


def _rank(index: int, source: _Source) -> int:
    """Of a part of the time axis that begins at an index."""
    if source.axis is None:
        return PICK
    return LAST if _signed(index) % source.time == source.time - 1 else OTHER


def _moved(node: Any, kind: str, axis: int) -> int:
    """Where an axis of a tensor stands after its axes were exchanged."""
    if kind == "Permute":
        dims = [_signed(dim) for dim in node._saved_dims]
        return [dim % len(dims) for dim in dims].index(axis)
    axes = len(graph.shape_of(node) or ()) or 3
    first, second = _signed(node._saved_dim0) % axes, _signed(node._saved_dim1) % axes
    return second if axis == first else first if axis == second else axis


def _signed(number: int) -> int:
    return number - _WRAPPED if number >= _WRAPPED // 2 else number
