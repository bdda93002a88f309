"""The source lines that take something of what a recurrent module returned, on the way to the loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from .. import graph, places
from ..listening import Listening

_PICKING = (
    "__getitem__", "select", "narrow", "index_select", "gather", "take_along_dim", "unbind", "chunk", "split",
)  # fmt: skip
_PASSING = ("squeeze", "view", "reshape", "flatten", "mean", "sum")
_LONGEST = 8
"""Operations between what the module returned and what is taken: a transposition, dropout, a norm, views."""
_MOST = 64
"""Reads of an update that are looked at."""
_MOST_NODES = 4_000


class _Read(NamedTuple):
    """One call that took something."""

    what: str
    """`output` or `state`."""
    rank: int
    """The higher, the more it looks like what reads a sequence out: the last step, a pick, another step, the whole."""
    node: Any
    location: dict[str, Any] | None


class _Output(NamedTuple):
    """Where the numbers of a module's output stand in memory."""

    pointer: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    axis: int
    """Of the time."""


class ReadSites:
    """Follows the first call of each nn.RNN, LSTM and GRU of an update until its backward pass.

    Listens in between to what picks parts of tensors; only those picks count that the loss depends on.
    """

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._sources: dict[Any, tuple[int, str]] = {}
        """What each node returned, by module."""
        self._packed: dict[tuple[int, ...], int] = {}
        """The module whose packed output has these sizes of batch and features, once it is padded."""
        self._outputs: dict[int, _Output] = {}
        self._reads: dict[int, list[_Read]] = {}
        self._calls: dict[int, dict[str, Any] | None] = {}
        self._count = 0
        self.compiles = False
        """The script compiles: what it compiles must meet the functions as torch made them."""

    def on_call(self, number: int, module: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients."""
        if not isinstance(module, nn.RNNBase) or number in self._calls or self.compiles:
            return
        self._calls[number] = places.here()
        sequence, last = output
        state = last[0] if isinstance(last, tuple) else last
        self._sources[state.grad_fn, state.output_nr] = number, "state"
        if isinstance(sequence, PackedSequence):
            self._packed[int(sequence.batch_sizes[0]), sequence.data.shape[-1]] = number
        else:
            self._sources[sequence.grad_fn, sequence.output_nr] = number, "output"
            axis = 1 if module.batch_first and sequence.dim() > 2 else 0
            self._outputs[number] = _Output(
                sequence.untyped_storage().data_ptr(), sequence.storage_offset(), tuple(sequence.shape),
                sequence.stride(), axis,
            )  # fmt: skip
        if not self._count:
            owners = (torch.Tensor, torch)
            self._listening.begin("reads", self._note, owners, (*_PICKING, *_PASSING))
            self._listening.begin("reads", self._note, (nn.functional,), ("linear",))

    def _note(self, name: str, result: Any, args: Any, kwargs: Any) -> None:
        tensor = args[0] if args else kwargs.get("input")
        if not isinstance(tensor, torch.Tensor) or tensor.grad_fn is None or self._count >= _MOST:
            return
        source = self._source(tensor)
        if source is None:
            return
        self._count += 1
        number, what = source
        taken = result[0] if isinstance(result, (tuple, list)) else result
        rank = 2 if name in _PICKING else 0
        if what == "output" and rank:
            steps = _steps(self._outputs.get(number), taken)
            rank = rank if steps is None else 3 if steps == "last" else 1
        self._reads.setdefault(number, []).append(_Read(what, rank, taken.grad_fn, places.here()))

    def _source(self, tensor: torch.Tensor) -> tuple[int, str] | None:
        """The module that a tensor comes from by nothing but a few operations, and what of it that is."""
        node, output = tensor.grad_fn, tensor.output_nr
        for _ in range(_LONGEST):
            if node is None:
                return None
            found = self._sources.get((node, output))
            if found is not None:
                return found
            if self._packed and graph.kind_of(node) == "CopySlices":
                number = self._packed.get((graph.shape_of(node) or ())[1:])
                return None if number is None else (number, "output")
            following = node.next_functions
            node, output = following[0] if following else (None, 0)
        return None

    def on_backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run: what the loss does not depend on was read for something else."""
        self._listening.end("reads")
        self._sources.clear()
        self._packed.clear()
        if not any(self._reads.values()):
            return
        met = graph.nodes(loss, _MOST_NODES)
        for number, reads in self._reads.items():
            self._reads[number] = [r._replace(node=None) for r in reads if r.node is None or r.node in met]

    def where(self, number: int, what: str) -> dict[str, Any] | None:
        """The line that reads a module's output or final state for the loss; that of its call where none was seen."""
        reads = [read for read in self._reads.get(number, ()) if read.what == what]
        best = max(reads, key=lambda read: read.rank, default=None)  # the first of equals
        return best.location if best is not None else self._calls.get(number)

    def forget(self) -> None:
        """The update is over."""
        self._listening.end("reads")
        self._sources.clear()
        self._packed.clear()
        self._outputs.clear()
        self._reads.clear()
        self._calls.clear()
        self._count = 0


def _steps(output: _Output | None, taken: Any) -> str | None:
    """Whether a part of an output is its `last` step or `others`; None where it is no view of it.

    Shapes: taken any part of (T, B, D*P), (B, T, D*P) or (T, D*P).
    """
    if output is None or not isinstance(taken, torch.Tensor):
        return None
    if taken.untyped_storage().data_ptr() != output.pointer:
        return None
    stride, length = output.strides[output.axis], output.shape[output.axis]
    if any(size > 1 and step == stride for size, step in zip(taken.shape, taken.stride())):
        return "others"
    offset, step = int(taken.storage_offset()) - output.offset, 0
    for axis in sorted(range(len(output.shape)), key=lambda a: -output.strides[a]):
        index, offset = divmod(offset, max(1, output.strides[axis]))
        if axis == output.axis:
            step = index
    return "last" if step == length - 1 else "others"
