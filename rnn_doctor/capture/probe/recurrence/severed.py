"""Hand-written recurrences whose state is cut off every few steps, also where the loss reads the last step alone.

Nothing of the earlier steps is left in the graph of such a loss. So what a tensor was made of is noted at the moment
that the script cuts it off: the weights that were applied, and the numbers that they were given. Where a weight is
given, number for number, what an earlier application of it made, and no gradient leads from one to the other, the
state was handed on without its graph. Of a few steps that are attached, a stretch, the first tells what was given.
"""

from __future__ import annotations

import heapq
from typing import Any, Callable, Collection, Iterator, NamedTuple, Sequence, Tuple

import torch

from ..graph import kind_of, leaf_of
from ..saved import saved
from .cut_states import Cut
from .unrolled import KEPT, PRODUCTS, VIEWS, Unrolled

ROWS = 4
"""Rows of the batch that are kept and compared."""
_FEWEST = 3
_NARROWEST = 2
"""A width of 1 may be a series of numbers that is fed back."""
_NEAR = 128
"""Operations that make a state of its products: the gates of an LSTM, each of its own layer, are 60."""
_FAR = 256
"""Operations behind what a weight is given, among which its own earlier application is looked for."""
LONGEST = 3
"""Steps of a stretch: longer ones are recurrences in the graph of a loss, and sound where they are cut off."""
_READ = 8
"""States, the latest, that the loss must read one of."""
_LINEAR = VIEWS | {"Add", "Sub", "Neg", "Div", "NativeDropout", "Sum", "Mean"}


class Application(NamedTuple):
    """A weight that was applied to make a tensor, once or several times in a row."""

    number: int
    """Of the first time, in autograd's sequence."""
    weight: torch.Tensor
    given: torch.Tensor
    """The first rows of what it was applied to then. Shape: (R, any)."""
    rows: int
    """How many rows it was applied to."""
    length: int
    """How many times; 0 where they are more than LONGEST, or not told apart."""


_Taken = Tuple[torch.Tensor, torch.Tensor, Any]
"""A weight, what it was applied to, and the operation that made that."""


class _Before(NamedTuple):
    """An operation beneath that applied a weight."""

    number: int
    """In autograd's sequence."""
    taken: _Taken | None
    """None where something else than a product took the weight, or what is too far to be looked at."""


class Severed(NamedTuple):
    """A tensor that was cut off from its graph."""

    values: torch.Tensor
    """Its first rows. Shape: (R, H)."""
    rows: int
    applied: list[Application]
    """What it was made of without another product between."""
    location: dict[str, Any] | None


def look(node: Any, tensor: torch.Tensor) -> list[Application]:
    """The applications that made a tensor; empty where it can be no state: it is too narrow, too far from a weight.

    node: the operation that made the tensor, whose graph is whole. What is linear in its products is none: a
    forecast that is fed back without its graph is wanted so.
    """
    if not tensor.is_floating_point() or not tensor.dim() or tensor.shape[-1] < _NARROWEST:
        return []
    seen, stack = {node}, [node]
    bent = False
    products: list[Any] = []
    while stack:
        node = stack.pop()
        kind = kind_of(node)
        if kind in KEPT:
            products.append(node)
            continue
        if kind in PRODUCTS:
            continue
        bent = bent or not (kind in _LINEAR or kind == "AccumulateGrad")
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                stack.append(child)
        if len(seen) > _NEAR:
            return []
    found: list[Application] = []
    attached: set[int] = set()
    for product in sorted(products, key=lambda each: -each._sequence_nr()) if bent else ():
        found += _applied(product, attached)
        # What else made it of such a weight tells no more.
        attached |= {id(each.weight) for each in found if not each.length}
    return found


def _applied(node: Any, but: Collection[int] = ()) -> Iterator[Application]:
    """The weights that a product applies, but those of these ids."""
    for weight, given, behind in _taken(node):
        if id(weight) in but:
            continue
        number, length = node._sequence_nr(), 1
        first, below = given, behind
        while length:
            before = _before(below, weight)
            if before is None:
                break
            length = length + 1 if before.taken and length < LONGEST else 0
            if before.taken:
                number, (_, first, below) = before.number, before.taken
        yield Application(number, weight, first_rows(first), rows_of(first), length)


def _taken(node: Any) -> Iterator[_Taken]:
    """The weights that an operation applies, to what, and the operation that made that; none if it is no product."""
    kind = kind_of(node)
    if kind not in KEPT:
        return
    factors = PRODUCTS[kind][:2]
    for weighing, taking in (factors, factors[::-1]):
        if weighing >= len(node.next_functions):
            continue
        weight, _ = leaf_of(node.next_functions[weighing][0])
        name = KEPT[kind].get(taking)
        given = None if weight is None or name is None else saved(node, name)
        if weight is not None and weight.dim() == 2 and given is not None and given.dim():
            yield weight, given, node.next_functions[taking][0]


def _before(node: Any, weight: torch.Tensor) -> _Before | None:
    """How the weight was applied last, beneath an operation; None where it was not.

    The latest come first: of an LSTM's steps the last is met by its output, earlier ones by what its cell holds, too.
    """
    seen = {node}
    waiting = [] if node is None else [(-node._sequence_nr(), 0, node)]
    while waiting:
        node = heapq.heappop(waiting)[2]
        taken = next((each for each in _taken(node) if each[0] is weight), None)
        if taken or getattr(node, "variable", None) is weight or len(seen) > _FAR:
            return _Before(node._sequence_nr(), taken)
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                heapq.heappush(waiting, (-child._sequence_nr(), len(seen), child))
    return None


def first_rows(tensor: torch.Tensor) -> torch.Tensor:
    """A copy of the first rows, which the script cannot change. Shapes: (..., B, H) -> (R, H); (H) -> (1, H)."""
    while tensor.dim() > 2:
        tensor = tensor[0]
    return (tensor if tensor.dim() == 2 else tensor.unsqueeze(0))[:ROWS].detach().clone()


def rows_of(tensor: torch.Tensor) -> int:
    """Shapes: (..., any) -> the product of all sizes but the last."""
    return tensor.numel() // tensor.shape[-1] if tensor.shape[-1] else 0


class _Weight:
    """What is known of the applications of one weight."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.applied: dict[int, Application] = {}
        """By number; of several stretches that begin together the longest."""
        self.made: list[tuple[int, Severed]] = []
        """By which application, and what."""
        self.attached = False
        """Whether gradients flow through more of its applications than a stretch has."""

    def add(self, applied: Application) -> None:
        """It was applied."""
        known = self.applied.get(applied.number)
        if known is None or known.length < applied.length:
            self.applied[applied.number] = applied
        self.attached = self.attached or not applied.length


def find(
    unrolled: Unrolled,
    severed: Sequence[Severed],
    known: Callable[[torch.Tensor], bool],
    owner: Callable[[list[torch.Tensor]], str],
) -> list[tuple[Cut, dict[str, Any] | None]]:
    """The recurrences that are cut off every few steps and read by the loss, with the line that cuts them off.

    One for each module that `owner` names. severed: of this update, in the order in which they were cut off.
    """
    weights = {i: w for i, w in _by_weight(severed).items() if not w.attached and not known(w.tensor)}
    if not weights:
        return []
    products = unrolled.applied()
    for number, applied in products.items():
        weight = weights.get(id(unrolled.nodes[number].variable))
        if weight is not None and max(unrolled.levels(applied)) > LONGEST:
            weight.attached = True
        elif weight is not None:
            for node in (unrolled.nodes[product] for product in applied):
                for each in _applied(node):
                    if each.weight is weight.tensor:
                        weight.add(each)
    found: dict[str, tuple[Cut, dict[str, Any] | None]] = {}
    for weight in weights.values():
        cut = None if weight.attached else _handed_on(weight, severed)
        if cut is not None and _is_read(unrolled, weight):
            name = owner([weight.tensor])
            if name not in found:
                found[name] = cut, weight.made[-1][1].location
    return list(found.values())


def _by_weight(severed: Sequence[Severed]) -> dict[int, _Weight]:
    weights: dict[int, _Weight] = {}
    for each in severed:
        for applied in each.applied:
            weight = weights.setdefault(id(applied.weight), _Weight(applied.weight))
            weight.add(applied)
            weight.made.append((applied.number, each))
    return weights


def _handed_on(weight: _Weight, severed: Sequence[Severed]) -> Cut | None:
    """The recurrence of this weight; None where it takes no state of its own, or reads the same input at all steps."""
    hits: list[tuple[Application, int, Severed]] = []
    for number in sorted(weight.applied):
        applied = weight.applied[number]
        for by, made in weight.made:
            if by < number and holds(applied.given, made.values):
                hits.append((applied, by, made))
                break
    # The first application has no state of another; of the rest most must have one.
    if len(hits) < _FEWEST - 1 or 2 * len(hits) < len(weight.applied) - 1:
        return None
    # A state that two applications made: one came in by a state that is handed on, such as an LSTM's c.
    if any(len(_applications(weight, made)) > 1 for _, _, made in hits) or _settles(weight, hits, severed):
        return None
    lengths = [applied.length for applied in weight.applied.values()]
    width = hits[0][2].values.shape[-1]
    return Cut([weight.tensor], sum(lengths), len(lengths), len(hits), width, max(lengths))


def _applications(weight: _Weight, made: Severed) -> set[int]:
    return {applied.number for applied in made.applied if applied.weight is weight.tensor}


def _settles(
    weight: _Weight, hits: list[tuple[Application, int, Severed]], severed: Sequence[Severed]
) -> bool:
    """Whether all that is known of the inputs is the same at every step: a fixed point is sought, no sequence read."""
    beside: dict[int, list[torch.Tensor]] = {}
    for each in severed:
        numbers = _applications(weight, each)
        for number in numbers:
            beside[number] = [
                # Of a whole sequence, transformed at once, each step has another part.
                a.given
                for a in each.applied
                if a.number not in numbers and a.rows == each.rows
            ]
    inputs = []
    for applied, _, made in hits:
        rest = applied.given.shape[-1] - made.values.shape[-1]
        if rest > 0:
            ends = holds(applied.given[..., rest:], made.values)
            inputs.append([applied.given[..., :rest] if ends else applied.given[..., -rest:]])
        elif applied.number in beside:
            inputs.append(beside[applied.number])
    if len(inputs) < 2 or not inputs[0]:
        return False
    return all(
        len(now) == len(inputs[0]) and all(torch.equal(a, b) for a, b in zip(now, inputs[0]))
        for now in inputs[1:]
    )


def holds(given: torch.Tensor, state: torch.Tensor) -> bool:
    """Whether the state stands in the first or last columns. Shapes: given (R, any), state (R, H)."""
    width = state.shape[-1]
    if given.dtype != state.dtype or given.shape[0] != state.shape[0] or given.shape[-1] < width:
        return False
    parts = (given[..., -width:], given[..., :width])
    return any(torch.equal(part, state) for part in parts) and bool(state.any())


def _is_read(unrolled: Unrolled, weight: _Weight) -> bool:
    """Whether the loss applies a weight to one of the states: a loop that draws samples has none that reads it."""
    states = [made.values for _, made in weight.made[-_READ:]]
    for number, kind in enumerate(unrolled.kinds):
        for name in KEPT.get(kind, {}).values():
            given = saved(unrolled.nodes[number], name)
            if given is not None and given.dim() and any(_contains(given, state) for state in states):
                return True
    return False


def _contains(given: torch.Tensor, state: torch.Tensor) -> bool:
    """Whether each row of the state is among the rows, as where states were stacked. Shapes: (..., any), (R, H)."""
    width = state.shape[-1]
    if given.dtype != state.dtype or given.shape[-1] < width:
        return False
    for part in (given[..., -width:], given[..., :width]):
        rows = part.reshape(-1, width)
        rows = rows[(rows[:, 0].unsqueeze(1) == state[:, 0]).any(1)]  # one column tells most strangers
        if all(bool((rows == row).all(1).any()) for row in state):
            return bool(state.any())
    return False
