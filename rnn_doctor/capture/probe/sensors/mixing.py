"""Views that take the numbers of one sample for those of another, found in the graph of the loss."""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..graph import kind_of, shape_of
from ..listening import Listening
from ..recurrence.kernel import time_and_batch
from ..writer import Writer
from .input_views import made_by_layer, mixed_state, read_by
from .joined import Pairs, layout_of_pair, made_of_pairs, owner, pair_of, pairs_of, put_together
from .layouts import Layout, Mixed, after, compares, keeps_places, laid_out_alike, layout_of
from .memory_order import reread
from .memory_views import mixed_either_way, mixed_given, mixed_steps
from .source import Source
from .view_sites import ViewSites

_MOST_NODES = 4_000
_MOST_CALLS = 1_000
_Point = tuple[Any, int]
"""A tensor of the graph: the node that returned it, and its number among what that node returned."""


class _Walk:
    """The part of a graph that lies above the recurrent modules: which operations take each tensor."""

    def __init__(self, ends: dict[Any, int], padded: dict[tuple[int, ...], int], loaded: bool = True) -> None:
        self._ends = ends
        self._padded = padded
        self._loaded = loaded
        """A loader gave the batch, so that a target which is no view has a row for each sample."""
        self._users: dict[_Point, list[tuple[Any, int]]] = {}

    def down(self, root: Any) -> set[Any]:
        """Goes down to the recurrent modules and the leaves; returns the nodes that it met."""
        met, stack = {root}, [root]
        while stack and len(self._users) < _MOST_NODES:
            node = stack.pop()
            if node in self._ends or self.module_of(node) is not None:
                continue
            for place, (child, output) in enumerate(node.next_functions):
                if child is not None:
                    self._users.setdefault((child, output), []).append((node, place))
                    if child not in met:
                        met.add(child)
                        stack.append(child)
        return met

    def module_of(self, node: Any) -> int | None:
        """The number of the module whose packed output this node, made by many writes, holds padded."""
        if not self._padded or kind_of(node) != "CopySlices":
            return None
        return self._padded.get((shape_of(node) or ())[1:])

    def mixed(self, point: _Point, layout: Layout) -> Mixed | None:
        """The first view on the way up from a tensor of this layout that mixes its samples."""
        stack = [(point, layout)]
        seen = set()
        while stack:
            point, layout = stack.pop()
            for user, place in self._users.get(point, ()):
                if user in seen:
                    continue
                seen.add(user)
                found = after(layout, user, place)
                if isinstance(found, Mixed):
                    if self._pairs_alike(user, found):
                        continue
                    return found
                if found is not None:
                    stack.append(((user, 0), found))
        return None

    def of_steps(self, nodes: set[Any], rows: set[int]) -> Iterator[tuple[Any, Mixed]]:
        """The views that mix what the steps of loops over so many rows were put together to, with its operation."""
        for node in nodes.difference(self._ends):  # layers stack their final states themselves
            layout = put_together(node, rows - {1})
            found = None if layout is None else self.mixed((node, 0), layout)
            if found is not None:
                yield node, found

    def _pairs_alike(self, view: Any, found: Mixed) -> bool:
        """Whether the view's numbers are only held against those of a target that lies as they did before it."""
        stack, met = [view], 0
        while stack:
            for user, _ in self._users.get((stack.pop(), 0), ()):
                if compares(user):
                    alike = laid_out_alike(user, found.shape)
                    if alike is False or (alike is None and self._loaded):
                        return False
                    met += 1
                elif keeps_places(user):
                    stack.append(user)
                else:
                    return False
        return met > 0


class Mixings:
    """Follows the outputs, final states and inputs of recurrent modules through the views of one step.

    The graph knows a view but not its line: where one mixes samples, the views up to the next step that is
    looked at are watched, and the record is written again with its line.
    """

    def __init__(self, writer: Writer, listening: Listening) -> None:
        self._writer = writer
        self._sites = ViewSites(listening)
        self._located: dict[tuple[int, str], bool] = {}
        """What was found, by module, and whether with its line."""
        self._sought = False
        self._forget()

    def _forget(self) -> None:
        self._tensors: list[_Followed] = []
        self._padded: dict[tuple[int, ...], int] = {}
        self._inputs: dict[int, _Input] = {}
        self._steps: dict[int, list[torch.Tensor]] = {}
        """What each cell was given, call by call, as far as it has no gradient."""
        self._root: Any = None
        """The operation that made the loss."""
        self._ends: dict[Any, int] = {}
        """The modules by what they returned."""

    def on_call(
        self,
        number: int,
        module: Any,
        given: Any,
        state: Any,
        output: Any,
        source: Source,
    ) -> None:
        """A recurrent module ran forward with gradients.

        Shapes: given, state and output as the module takes and returns them.
        """
        if len(self._ends) > _MOST_CALLS:
            return
        if number not in self._inputs:
            self._inputs[number] = _input(module, given, state, source)
        if isinstance(module, nn.modules.rnn.RNNCellBase):
            self._ends.update(
                {t.grad_fn: number for t in (output if isinstance(output, tuple) else (output,))}
            )
            if given.grad_fn is None:
                self._steps.setdefault(number, []).append(given)
            return
        sequence, last = output
        for tensor in last if isinstance(last, tuple) else (last,):
            self._follow(number, "state", tensor, 1)
        if not isinstance(sequence, PackedSequence):
            self._follow(number, "output", sequence, 0 if module.batch_first else 1)
        elif sequence.data.grad_fn is not None:
            self._ends[sequence.data.grad_fn] = number
            self._padded[int(sequence.batch_sizes[0]), sequence.data.shape[-1]] = number

    def _follow(self, number: int, what: str, tensor: torch.Tensor, row_axis: int) -> None:
        self._ends[tensor.grad_fn] = number
        if tensor.dim() == 3:
            point = tensor.grad_fn, tensor.output_nr
            self._tensors.append(_Followed(number, what, point, tuple(tensor.shape), row_axis))

    def on_backward(self, step: int, loss: torch.Tensor) -> None:
        """A backward pass is about to run: what mixes samples is written."""
        if not self._inputs:
            self._root = loss.grad_fn
            return
        loaded = any(first.source.tensor is not None for first in self._inputs.values())
        walk = _Walk(self._ends, self._padded, loaded)
        above = walk.down(loss.grad_fn) if loss.grad_fn is not None else set()
        beneath = {number: first.nodes(walk) for number, first in self._inputs.items()}
        pairs = pairs_of(set().union(*beneath.values()), [first.pair for first in self._inputs.values()])
        for number, first in self._inputs.items():
            self._tell_input(step, number, first.mixed(walk, beneath[number], pairs))
        for node in above:
            module = walk.module_of(node)
            if module is not None:
                self._tensors.append(_Followed(module, "output", (node, 0), shape_of(node) or ()))
        for followed in self._tensors:
            views = [walk.mixed(followed.point, layout) for layout in followed.layouts(pairs)]
            for found in [view for view in views if view is not None][:1]:
                self._write(step, followed.module, followed.what, found)
        rows = {first.rows for first in self._inputs.values()}
        for node, found in walk.of_steps(above.union(*beneath.values()), rows):
            maker = owner(node, self._ends)
            if maker is not None:
                self._write(step, maker, "output", found)
        self._forget()
        self._seek()

    def _tell_input(self, step: int, number: int, found: Mixed | None) -> None:
        first = self._inputs[number]
        if found is not None:
            self._write(step, number, "input", found, first.raw is not None)
        elif number in self._steps:
            self._tell_steps(step, number, self._steps[number], first.source)
        for node in first.states:
            start = mixed_state(node)
            if start is not None:
                self._write(step, number, "start", start)

    def on_loops(
        self,
        step: int,
        given: dict[int, list[torch.Tensor]],
        sizes: dict[int, tuple[int, int]],
        source: Source,
    ) -> None:
        """A graph was searched for recurrences that the script wrote by hand; given: what each took, step by step.

        Shapes: given (B, I) each. Sizes: the steps and rows of each.
        """
        for number, steps in given.items():
            self._tell_steps(step, number, steps, source)
        if self._root is not None and sizes:
            walk = _Walk({}, {}, source.tensor is not None)
            by_rows = {rows: number for number, (_, rows) in sizes.items()}
            for _, found in walk.of_steps(walk.down(self._root), set(by_rows)):
                number = next((n for rows, n in by_rows.items() if rows in found.shape[:2]), min(sizes))
                self._write(step, number, "output", found)
        if sizes:
            self._seek()

    def _tell_steps(self, step: int, number: int, given: list[torch.Tensor], source: Source) -> None:
        found = mixed_steps(given, source)
        if found is not None:
            self._write(step, number, "input", found, True)

    def _write(self, step: int, number: int, what: str, found: Mixed, raw: bool = False) -> None:
        location = None if found.by_numbers else self._sites.where(found.shape, found.viewed, raw)
        known = self._located.get((number, what))
        if known or (known is False and location is None):
            return
        self._located[number, what] = location is not None or found.by_numbers
        self._writer.write(
            "mixing", step=step, module=number, what=what, shape=list(found.shape), viewed=list(found.viewed),
            within=found.within or None, by_numbers=found.by_numbers or None, location=location,
        )  # fmt: skip

    def _seek(self) -> None:
        """Watches the views once, from the first find to the next step that is looked at."""
        wanted = not (self._sought or all(self._located.values()))
        self._sought |= wanted
        self._sites.watch(wanted)

    def ended(self) -> None:
        """An update is over: nothing of its graph is kept."""
        self._forget()

    def finish(self) -> None:
        """Nothing is looked at any more."""
        self._forget()
        self._sites.watch(False)


class _Followed(NamedTuple):
    """A tensor that a module returned."""

    module: int
    what: str
    point: _Point
    shape: tuple[int, ...]
    row_axis: int | None = None

    def layouts(self, pairs: Pairs) -> list[Layout]:
        """Its axes, and the same with the two that its rows were made of."""
        found = [layout_of(self.shape)]
        pair = None if self.row_axis is None else pairs.get(self.shape[self.row_axis])
        if self.row_axis is not None and pair is not None:
            found.append(layout_of_pair(self.shape, self.row_axis, pair))
        return found


class _Input(NamedTuple):
    """What the first call of a module was given."""

    rows: int
    pair: tuple[int, int] | None
    """What its rows are made of, where it is a view of them."""
    roots: list[Any]
    """The nodes that made its input and its state."""
    raw: Mixed | None
    """A view of the loader's batch, or of a tensor that the script made itself."""
    source: Source
    states: list[Any]
    """The nodes that made its first states."""

    def nodes(self, walk: _Walk) -> set[Any]:
        """The operations that made what it was given."""
        return set().union(*(walk.down(root) for root in self.roots))

    def mixed(self, walk: _Walk, nodes: set[Any], pairs: Pairs) -> Mixed | None:
        """The view that mixes the samples of the batch, or of what layers made of it, or of the module's states."""
        if self.raw is not None:
            return self.raw
        for node in nodes:
            read = read_by(node)
            found = None if read is None else mixed_either_way(read, self.source)
            layout = made_by_layer(node) if found is None else None
            if layout is not None:
                found = walk.mixed((node, 0), layout)
            if found is not None:
                return found
        of_pairs = (walk.mixed((node, 0), layout) for node, layout in made_of_pairs(nodes, pairs))
        return next((found for found in of_pairs if found is not None), None)


def _input(module: Any, given: Any, state: Any, source: Source) -> _Input:
    packed = isinstance(given, PackedSequence)
    states = state if isinstance(state, (tuple, list)) else (state,)
    tensors = (given.data if packed else given, *states)
    roots = [t.grad_fn for t in tensors if t is not None and t.grad_fn is not None]
    raw = None
    if isinstance(module, nn.RNNBase) and not packed and given.grad_fn is None and given.dim() == 3:
        raw = mixed_given(given, int(module.batch_first), source)
        if raw is None:
            raw = reread(given.detach() if module.batch_first else given.detach().transpose(0, 1))
    begun = [t.grad_fn for t in states if t is not None and t.grad_fn is not None]
    whole = isinstance(given, torch.Tensor) and given.dim() == 3 and isinstance(module, nn.RNNBase)
    pair = pair_of(given) if whole and module.batch_first and given.grad_fn is None else None
    return _Input(time_and_batch(module, given)[1], pair, roots, raw, source, begun)
