"""Where the initial state of each training call of a recurrent module came from."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import torch
from torch import nn

from .. import places
from ..graph import kind_of, reaches
from ..recurrence.kernel import time_and_batch
from ..writer import Writer

_RECENT = 4
"""Outputs of a module that a state is compared with: one cell may serve several streams in turn."""
_COMPARED = 64
_NEAR = 24
"""Operations between a state and the output that it was made of by a mask, dropout or selection."""
_HANDED_ON = frozenset((
    "Clone", "Alias", "ToCopy", "Mul", "Div", "Add", "Sub", "Where", "MaskedFill", "NativeDropout",
    "View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Select", "Slice", "Split", "Unbind", "Index",
    "IndexSelect", "Transpose", "Permute", "Expand", "Cat", "Stack", "CopySlices",
))  # fmt: skip
_SEVERAL = 3
"""Calls that may be the steps of a loop."""
_CHANGED = "changed"
"""Of a link: attached, but the numbers are others."""
_LINKS = ("fresh", "attached", "detached", "continued", "kept")
_PLACED = frozenset(("detached", "continued", "kept"))
"""Links that may be faults, whose calls a finding points to."""


class _Output(NamedTuple):
    """What a call left behind; `nodes` alone belong to the graph, and go when the update is over."""

    h: torch.Tensor
    c: torch.Tensor | None
    length: int
    """Time steps through which gradients can flow to the start of the stretch that ends here."""
    nodes: tuple[Any, ...]
    batch: Any
    """What tells the loader's batch that it was made from; None where there was none."""


class _Flow:
    """What is known of one module."""

    def __init__(self) -> None:
        self.links = dict.fromkeys(_LINKS, 0)
        self.longest = 0
        self.detours = 0
        """Calls whose state was changed on its way from another, by dropout or a mask."""
        self.same_batch = 0
        self.handed_on = 0
        """Calls of other modules that began with a state of this one."""
        self.location: dict[str, Any] | None = None
        """Where the first call stands that took over a state of an earlier one."""
        self.cut_at: dict[str, Any] | None = None
        """Where its state was cut off."""
        self.recent: deque[_Output] = deque(maxlen=_RECENT)
        self.earlier: deque[_Output] = deque(maxlen=_RECENT)
        self.kept: set[Any] = set()
        """What made the states that were kept with their graph."""
        self.unlearned = False
        """No loss of this update goes back through them: an agent acts on, and learns from replayed episodes."""

    def leave_out(self) -> None:
        """Forgets the calls that only went on with a state, and from which no loss learns."""
        if self.unlearned:
            self.same_batch = max(0, self.same_batch - self.links["kept"])
            self.links["kept"] = 0
            if not (self.links["continued"] or self.links["detached"]):
                self.location = None

    def end(self) -> None:
        """The update is over."""
        if self.recent:
            self.earlier = deque([output._replace(nodes=()) for output in self.recent], _RECENT)
            self.recent.clear()
        self.links = dict.fromkeys(_LINKS, 0)
        self.longest = self.detours = self.same_batch = self.handed_on = 0
        self.location = self.cut_at = None
        self.kept.clear()
        self.unlearned = False


class StateFlows:
    """Links the calls of each recurrent module by the values of their states.

    A link to the earlier update is seen only if that update's calls were passed on too: a sampled step needs
    its own calls and those of the step before.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._flows: dict[int, _Flow] = {}

    def on_call(
        self,
        number: int,
        module: Any,
        given: Any,
        state: Any,
        output: Any,
        batch: Any = None,
        cut_at: dict[str, Any] | None = None,
    ) -> str:
        """How the call is linked: fresh, attached, detached, continued or kept, as schema StateFlow tells them.

        batch: what tells the loader's current batch from others. cut_at: where the state lost its graph, if known.
        Shapes: given, state and output as the module takes and returns them.
        """
        flow = self._flows.get(number)
        if flow is None:
            flow = self._flows[number] = _Flow()
        length, _ = time_and_batch(module, given)
        link = "fresh"
        if state is not None:
            link, source = _link(flow, state)
            if link == _CHANGED:
                link = "attached"
                flow.detours += 1
            if link == "fresh":
                self._hand_on(state)
            if source is not None and link in ("attached", "kept"):
                length += source.length
            if source is not None and link in ("continued", "kept"):
                flow.same_batch += batch is not None and batch == source.batch
            if link == "kept":
                flow.kept.update(
                    part.grad_fn for part in _pair(state) if getattr(part, "grad_fn", None) is not None
                )
        if link in _PLACED and flow.location is None:
            flow.location, flow.cut_at = places.here(), cut_at
        flow.links[link] += 1
        flow.longest = max(flow.longest, length)
        h, c = _pair(output if isinstance(module, nn.modules.rnn.RNNCellBase) else output[1])
        nodes = (h.grad_fn,) if c is None else (h.grad_fn, c.grad_fn)
        flow.recent.append(_Output(h.detach(), None if c is None else c.detach(), length, nodes, batch))
        return link

    def _hand_on(self, state: Any) -> None:
        """A call began with a state that is none of its own module's: was it another's?"""
        made = {part.grad_fn for part in _pair(state) if getattr(part, "grad_fn", None) is not None}
        for flow in self._flows.values() if made else ():
            flow.handed_on += any(made.intersection(output.nodes) for output in flow.recent)

    def on_backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run: does it go through the states that were kept?"""
        for flow in self._flows.values():
            if flow.kept:
                flow.unlearned = not reaches(loss, flow.kept)
                if not flow.unlearned:
                    flow.kept.clear()

    def unlinked(self) -> list[int]:
        """Modules that were called several times in this update, no call on the output of another."""
        return [
            number
            for number, flow in self._flows.items()
            if flow.links["fresh"] >= _SEVERAL and flow.links["fresh"] == sum(flow.links.values())
        ]

    def longest(self, number: int) -> int:
        """Time steps of the longest stretch that was seen of a module in this update."""
        return self._flows[number].longest

    def detoured(self) -> list[int]:
        """Modules of which most calls in this update took what another had returned, but with other numbers."""
        return [
            number
            for number, flow in self._flows.items()
            if flow.detours >= _SEVERAL - 1 and 2 * flow.detours >= sum(flow.links.values())
        ]

    def linked(self, number: int, calls: int) -> None:
        """The graph shows that so many of its calls depend on the one before, by whatever operations."""
        flow = self._flows[number]
        taken = min(calls, flow.links["fresh"] - 1)  # the first has none before it
        flow.links["fresh"] -= taken
        flow.links["attached"] += taken
        flow.longest = max(flow.longest, taken + 1)

    def ended(self, step: int, write: bool) -> None:
        """An update is over, or was given up: its last outputs become the earlier update's, its graph is let go."""
        for number, flow in self._flows.items():
            flow.leave_out()
            calls = sum(flow.links.values())
            if write and calls:
                self._writer.write(
                    "state_flow", step=step, module=number, calls=calls, length=flow.longest, **flow.links,
                    same_batch=flow.same_batch or None, handed_on=flow.handed_on or None,
                    location=flow.location, cut_at=flow.cut_at,
                )  # fmt: skip
            flow.end()


def _link(flow: _Flow, state: Any) -> tuple[str, _Output | None]:
    """The link of a call, and the call that it leads to; one of `_LINKS`, or `_CHANGED`."""
    h, c = _pair(state)
    made = h.grad_fn or (None if c is None else c.grad_fn)
    if made is not None:  # what most loops do, told without a look at the numbers
        for last in reversed(flow.recent):
            if made in last.nodes:
                return "attached", last
    h_values, c_values = _values(h), [] if c is None else _values(c)
    for outputs, whole, cut in ((flow.recent, "attached", "detached"), (flow.earlier, "kept", "continued")):
        for last in reversed(outputs):
            same = _same(h, h_values, last.h)
            if same and h.grad_fn is not None:
                return whole, last
            if last.c is not None and (not same or c.grad_fn is not None) and _same(c, c_values, last.c):
                carried = whole if c.grad_fn is not None else cut
                # h may be changed on its way, beside c.
                changed = carried == "attached" and not same and h.grad_fn is not None
                return (_CHANGED if changed else carried), last
            if same:
                return cut, last
    for last in reversed(flow.recent):
        if any(_made_of(part.grad_fn, last.nodes) for part in (h, c) if part is not None):
            return _CHANGED, last
    return "fresh", None


def _pair(state: Any) -> tuple[Any, Any]:
    if isinstance(state, (tuple, list)):
        return state[0], (state[1] if len(state) > 1 else None)
    return state, None


def _values(tensor: torch.Tensor) -> list[float]:
    """At most 64 of its numbers, evenly spaced; none where they are all zero."""
    flat = tensor.detach().reshape(-1)
    stride = _stride(flat)
    numbers: list[float] = (flat if stride < 2 else flat[::stride]).tolist()
    return numbers if any(numbers) else []


def _stride(tensor: torch.Tensor) -> int:
    return -(-tensor.numel() // _COMPARED)


def _same(state: torch.Tensor, values: list[float], last: torch.Tensor) -> bool:
    """Whether the state holds an output's numbers: all rows, the first ones, or the top layer alone.

    Rows may have been set to zero, as at the start of an episode.

    Shapes: (L*D, B, H), (L*D, H); of cells (B, H), (H).
    """
    if not values:
        return False
    if state.shape != last.shape and state.numel() != last.numel():
        if state.dim() != last.dim() or any(a > b for a, b in zip(state.shape, last.shape)):
            return False
        last = last[tuple([slice(n) for n in state.shape])]
    if state.dtype != last.dtype:
        last = last.to(state.dtype)
    # One number tells most strangers, at a fraction of the cost. The last that is not zero is of the top layer.
    place = max(k for k, number in enumerate(values) if number)
    if last.reshape(-1)[place * _stride(last)].item() != values[place]:
        return False
    if _equal(values, _values(last)):
        return True
    layers = state.dim() == 3 and state.shape == last.shape and state.shape[0] > 1
    return layers and _equal(_values(state[-1]), _values(last[-1]))


def _equal(state: list[float], last: list[float]) -> bool:
    if not state or not last:
        return False
    return state == last or all(not a or a == b for a, b in zip(state, last))


def _made_of(node: Any, sources: tuple[Any, ...]) -> bool:
    """Whether a few operations that only mask, scale, add or select lead from one of the sources here."""
    if node is None or not sources:
        return False
    seen, queue = {node}, [node]  # the nearest first: what is far may be an earlier state that was added
    for each in queue:  # grows while it runs
        if each in sources:
            return True
        if kind_of(each) not in _HANDED_ON or len(seen) >= _NEAR:
            continue
        for child, _ in each.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                queue.append(child)
    return False
