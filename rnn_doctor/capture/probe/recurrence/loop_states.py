"""The state of a recurrence in the graph of a loss: what later steps take of the earlier ones.

`step` tells by operation how many products of the recurrence are on the longest chain below it; 0 is outside.
"""

from __future__ import annotations

from typing import Iterable, NamedTuple, Tuple

import torch

from .unrolled import VIEWS, Unrolled

_MOST_MADE = 16
"""Operations between one tensor of a state and another that it is made of."""
WRITING = "CopySlices"
"""The operation that writes into a part of a tensor: `out[:, t] = h`."""
_PARTS = ("_saved_dim", "_saved_index", "_saved_start", "_saved_end")
"""What tells which part a view takes."""
_MOST_CROSSINGS = 50_000
"""Times that an operation is taken beyond its own step, added up: of a state that grows they are too many."""

Edge = Tuple[int, int]
"""An operation's number, and which of its outputs."""
State = Tuple[Edge, ...]
"""The tensors that carry a recurrence on."""


class _Move(NamedTuple):
    """From an operation to one that takes what it made."""

    kind: str
    position: int
    output: int


def below(unrolled: Unrolled, ends: Iterable[int], step: list[int]) -> list[int]:
    """What the last products depend on, as far as it depends on earlier ones."""
    seen = set(ends)
    stack = list(seen)
    while stack:
        for made, _ in unrolled.inputs[stack.pop()]:
            if made >= 0 and step[made] and made not in seen:
                seen.add(made)
                stack.append(made)
    return sorted(seen)


def crossing(unrolled: Unrolled, inside: list[int], step: list[int], steps: int) -> list[State]:
    """By step from 1 on: the tensors made up to it that later steps take; empty where they are too many."""
    found: list[set[Edge]] = [set() for _ in range(steps)]
    crossings = 0
    for number in inside:
        for position, edge in enumerate(unrolled.inputs[number]):
            if edge[0] < 0 or not 0 < step[edge[0]] < step[number]:
                continue
            if unrolled.kinds[number] == WRITING and not position:
                continue  # a tensor of all states goes on; what is read of it counts
            crossings += step[number] - step[edge[0]]
            if crossings > _MOST_CROSSINGS:
                return []
            parts = _whole(unrolled, edge, step)
            for t in range(step[edge[0]], step[number]):
                found[t].update(parts)
    return [tuple(sorted(_independent(unrolled, state, step))) for state in found[1:]]


def _independent(unrolled: Unrolled, state: set[Edge], step: list[int]) -> set[Edge]:
    """The tensors of a state without those that are made of others of it alone, such as what a peephole sees of c."""
    left = set(state)
    for edge in sorted(state):
        if len(left) > 1 and _is_made_of(unrolled, edge, left - {edge}, step):
            left.discard(edge)
    return left


def _is_made_of(unrolled: Unrolled, edge: Edge, others: set[Edge], step: list[int]) -> bool:
    seen, stack = {edge}, [edge]
    while stack:
        number, _ = stack.pop()
        below = [e for e in unrolled.inputs[number] if e[0] >= 0 and step[e[0]]]
        if not below or any(step[made] < step[number] for made, _ in below) or len(seen) > _MOST_MADE:
            return False
        for each in below:
            if each not in others and each not in seen:
                seen.add(each)
                stack.append(each)
    return True


def _whole(unrolled: Unrolled, edge: Edge, step: list[int]) -> list[Edge]:
    """The tensors behind views of the state, and those that were joined with it or with an input."""
    parts, stack = [], [(edge, edge)]
    while stack:
        each, view = stack.pop()
        below = [e for e in unrolled.inputs[each[0]] if e[0] >= 0 and step[e[0]]]
        kind = unrolled.kinds[each[0]]
        if kind in VIEWS and below:
            stack += [(e, each) for e in below]
        elif kind == WRITING and _is_read_once(unrolled, each[0], view):
            written = unrolled.inputs[each[0]][1]
            stack.append((written, written))
        else:
            parts.append(each)
    return parts


def _is_read_once(unrolled: Unrolled, number: int, view: Edge) -> bool:
    """Whether one part alone is read of a tensor that was written to, of the size of what was written last."""
    inputs = unrolled.inputs[number]
    if len(inputs) < 2 or inputs[1][0] < 0:
        return False
    views = [taker for taker, _ in unrolled.takers[number] if unrolled.kinds[taker] in ("Select", "Slice")]
    parts = {tuple(getattr(unrolled.nodes[n], name, None) for name in _PARTS) for n in views}
    sizes = [torch.Size(unrolled.shape(edge)).numel() for edge in (inputs[1], view)]
    return len(parts) == 1 and sizes[0] == sizes[1]


def alike(unrolled: Unrolled, states: list[State]) -> list[State]:
    """The states up to the last step but two or three, as far back as they have one form: a first step may lack a term.

    Of the last step but one only what the last product takes is known to be state.
    """

    def form(state: State) -> list[tuple[int, ...]]:
        return sorted(unrolled.shape(edge) for edge in state)

    whole = states[:-1]
    # What is added to a state after the product, as of a mask the part that stays, may be read in the last step alone.
    if len(whole) > 2 and form(whole[-1]) != form(whole[-2]) == form(whole[-3]):
        whole.pop()
    first = len(whole)
    while first and form(whole[first - 1]) == form(whole[-1]):
        first -= 1
    return whole[first:]


def following(
    unrolled: Unrolled, step: list[int], products: list[dict[int, int]], state: State, now: int
) -> State:
    """The state of the step after `now`, made of its products as this one was; empty if it is not found."""
    found = []
    for edge in state:
        ends = set()
        for of in products:
            way = _way(unrolled, of[now], edge, step) if now in of and now + 1 in of else None
            if way is not None:
                ends.add(_follow(unrolled, of[now + 1], way, step))
        ends.discard(None)
        end = ends.pop() if len(ends) == 1 else None
        if end is None or unrolled.shape((end, edge[1])) != unrolled.shape(edge):
            return ()
        found.append((end, edge[1]))
    return tuple(found) if len(set(found)) == len(found) else ()


def _way(unrolled: Unrolled, product: int, edge: Edge, step: list[int]) -> list[_Move] | None:
    """The shortest way from a product up to a state."""
    came: dict[int, tuple[int, _Move] | None] = {product: None}
    queue = [product]
    for number in queue:  # grows while it runs
        if number == edge[0]:
            way: list[_Move] = []
            before = came[number]
            while before is not None:
                way.append(before[1])
                before = came[before[0]]
            return way[::-1]
        for taker, position in unrolled.takers[number]:
            if step[taker] == step[product] and taker not in came:
                output = unrolled.inputs[taker][position][1]
                came[taker] = (number, _Move(unrolled.kinds[taker], position, output))
                queue.append(taker)
    return None


def _follow(unrolled: Unrolled, product: int, way: list[_Move], step: list[int]) -> int | None:
    """Where the same way leads from another product; None where it is not there, or not one alone."""
    here = {product}
    for kind, position, output in way:
        here = {
            taker
            for number in here
            for taker, place in unrolled.takers[number]
            if place == position
            and unrolled.kinds[taker] == kind
            and unrolled.inputs[taker][place][1] == output
            and step[taker] == step[product]
        }
    return here.pop() if len(here) == 1 else None
