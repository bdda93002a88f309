"""States and gates of a hand-written recurrence, as its operations keep them for the backward pass.

A product keeps the state that it is given, whatever the cell made it of; a sigmoid or tanh keeps its result. Nothing is
computed anew. What part a sigmoid plays is told by what it multiplies: the earlier state, or something new.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

import torch

from ..saved import saved
from .gates import gates, spread_times, units
from .loop_states import Edge
from .loops import Loop
from .unrolled import KEPT, PRODUCTS, VIEWS, Unrolled

_MOST_ROWS = 4
_MATRIX = 2
_SPLITS = ("Split", "SplitWithSizes", "UnsafeSplit", "Chunk", "Unbind")
_ALONE = VIEWS - {"Cat", "Stack"}
"""Views of one tensor."""
_SQUASHES = {"Sigmoid": "sigmoid", "Tanh": "tanh"}
_COMPLEMENTS = ("Rsub", "Sub", "Neg", "Lerp")
"""What makes 1 - g of a gate g, which then chooses between two states and shuts neither out."""


class _Squash(NamedTuple):
    """A sigmoid or tanh of one step, or the part of one that is split into several gates."""

    number: int
    part: int
    parts: int


def layers(unrolled: Unrolled, loop: Loop) -> list[dict[str, Any]]:
    """The fields of a `layer` record of each tensor of the state that products take, lowest first.

    Gates are told with the first. Empty where the state is no matrix of rows, or what was kept may not be read.
    """
    edges = {edge for state in loop.states for edge in state}
    series = _states(unrolled, loop, edges)
    found: list[dict[str, Any]] = []
    for number, states in enumerate(series):
        times = spread_times(len(states))
        values = torch.stack([states[time] for time in times])
        norms = values.double().square().mean((1, 2)).sqrt()
        found.append({"layer": number, "times": times, "hidden_norm": norms.tolist(),
                      **units(values.flatten(0, 1), relu=_rectified(values))})  # fmt: skip
    if found:
        found[0]["gates"] = _gates(unrolled, loop, edges)
    return found


def _rectified(values: torch.Tensor) -> bool:
    """Whether a ReLU made the states: none is below zero, and some are zero. Shapes: values (T, R, H)."""
    return float(values.min()) == 0 < float(values.max())


def _states(unrolled: Unrolled, loop: Loop, edges: set[Edge]) -> list[list[torch.Tensor]]:
    """By tensor of the state, its values on a few rows by time. Shapes: (R, H) each."""
    kept: dict[Edge, torch.Tensor] = {}
    for number in loop.operations if loop.axis == -1 else ():
        if loop.step[number]:
            kept.update(_given(unrolled, loop, number, edges))
    taken = [
        sorted((edge for edge in state if edge in kept), key=lambda edge: _made(unrolled, edge[0]))
        for state in loop.states
    ]
    usual = max(map(len, taken), default=0)  # of the last step one layer's state may have no taker yet
    whole = [each for each in taken if len(each) == usual]
    return [[kept[each[place]] for each in whole] for place in range(usual)] if len(whole) > 1 else []


def _given(
    unrolled: Unrolled, loop: Loop, product: int, edges: set[Edge]
) -> Iterator[tuple[Edge, torch.Tensor]]:
    """The tensor of the state that a product takes, alone or joined with others, as it was kept."""
    kind = unrolled.kinds[product]
    position = PRODUCTS[kind][0] if kind in PRODUCTS else -1
    name = KEPT.get(kind, {}).get(position)
    if name is None or position >= len(unrolled.inputs[product]):
        return
    places = list(within(unrolled, unrolled.inputs[product][position], edges))
    values = saved(unrolled.nodes[product], name) if places else None
    width = loop.hidden_size
    if values is None or values.dim() != _MATRIX or values.shape[1] < width:
        return
    for edge, side in places:
        if side is not None or values.shape[1] == width:
            yield edge, _few(values.narrow(1, values.shape[1] - width if side == "last" else 0, width))


def within(unrolled: Unrolled, edge: Edge, edges: set[Edge]) -> Iterator[tuple[Edge, str | None]]:
    """Which tensors of the state this is or was joined of, and at which side of the others they stand."""
    whole = _behind(unrolled, edge, edges)
    if whole in edges:
        yield whole, None
    elif whole[0] >= 0 and unrolled.kinds[whole[0]] == "Cat":
        inputs = unrolled.inputs[whole[0]]
        for side, part in (("first", inputs[0]), ("last", inputs[-1])):
            end = _behind(unrolled, part, edges)
            if end in edges:
                yield end, side


def _few(values: torch.Tensor) -> torch.Tensor:
    """Some rows, in single precision at least. Shapes: (B, N) -> (R, N)."""
    rows = torch.linspace(0, len(values) - 1, min(_MOST_ROWS, len(values))).long()
    some = values[rows.to(values.device)]
    return some.float() if some.dtype in (torch.float16, torch.bfloat16) else some


def _made(unrolled: Unrolled, number: int) -> int:
    made: int = unrolled.nodes[number]._sequence_nr()
    return made


def _gates(unrolled: Unrolled, loop: Loop, edges: set[Edge]) -> list[dict[str, Any]]:
    """Sigmoid gates, candidates and tanh states over the steps at which all of them were made."""
    by_step: dict[int, list[int]] = {}
    for number in loop.operations:
        if loop.step[number] and unrolled.kinds[number] in _SQUASHES and _is_of_units(unrolled, loop, number):
            by_step.setdefault(loop.step[number], []).append(number)
    if not by_step:
        return []
    usual = max(map(len, by_step.values()))
    whole = [
        sorted(numbers, key=lambda n: _made(unrolled, n))
        for numbers in by_step.values()
        if len(numbers) == usual
    ]
    whole = [whole[time] for time in spread_times(len(whole))]
    told = whole[len(whole) // 2]
    values: dict[str, list[torch.Tensor]] = {}
    for place, number in enumerate(told):
        parts = unrolled.shape((number, 0))[1] // loop.hidden_size
        for part in range(parts):
            name = _role(unrolled, loop, edges, _Squash(number, part, parts))
            results = (
                [saved(unrolled.nodes[numbers[place]], "_saved_result") for numbers in whole] if name else []
            )
            if name and all(each is not None for each in results):
                width = loop.hidden_size
                some = [_few(each.narrow(1, part * width, width)) for each in results if each is not None]
                values.setdefault(name, []).append(torch.cat(some))
    kinds = {name: "tanh" if name in "gh" else "sigmoid" for name in values}
    return [
        fields
        for name, each in values.items()
        for fields in gates((name,), torch.cat(each, dim=1).unsqueeze(0), kinds[name])
    ]


def _is_of_units(unrolled: Unrolled, loop: Loop, number: int) -> bool:
    """Whether it has rows, and one or several values for each unit."""
    shape = unrolled.shape((number, 0))
    return len(shape) == _MATRIX and loop.axis == -1 and shape[1] > 0 and shape[1] % loop.hidden_size == 0


def _role(unrolled: Unrolled, loop: Loop, edges: set[Edge], squash: _Squash) -> str | None:
    """The letter of a gate, candidate or state; None of what is none, such as the tanh of a cell state."""
    taken = list(_takers(unrolled, squash))
    if unrolled.kinds[squash.number] == "Tanh":
        if any(edge in edges for edge, _ in taken) or (squash.number, 0) in edges:
            return "h"
        made_of = _behind(unrolled, unrolled.inputs[squash.number][0], edges)
        return None if made_of in edges else "g"
    kinds = [unrolled.kinds[taker] for _, taker in taken]
    products = [taker for _, taker in taken if unrolled.kinds[taker] == "Mul"]
    if any(kind in _COMPLEMENTS for kind in kinds):
        return "z"
    return next((_of_product(unrolled, loop, edges, taker, squash) for taker in products), None)


def _of_product(unrolled: Unrolled, loop: Loop, edges: set[Edge], product: int, squash: _Squash) -> str:
    """What a gate is that multiplies: an output gate makes a state, a forget or reset gate takes the one before."""
    if (product, 0) in edges:
        return "o"
    others = [_behind(unrolled, edge, edges) for edge in unrolled.inputs[product]]
    if not any(edge in edges and loop.step[edge[0]] < loop.step[squash.number] for edge in others):
        return "i"
    further = (unrolled.kinds[taker] for _, taker in _takers(unrolled, _Squash(product, 0, 1)))
    return "r" if any(kind in PRODUCTS or kind == "Cat" for kind in further) else "f"


def _behind(unrolled: Unrolled, edge: Edge, edges: set[Edge]) -> Edge:
    """What a tensor is a view of, down to one of these."""
    while edge[0] >= 0 and edge not in edges and unrolled.kinds[edge[0]] in _ALONE:
        edge = unrolled.inputs[edge[0]][0]
    return edge


def _takers(unrolled: Unrolled, squash: _Squash) -> Iterator[tuple[Edge, int]]:
    """Who takes this result or part of it, looking through views, each with what it takes."""
    stack, seen = [(squash.number, 0)], {(squash.number, 0)}
    while stack:
        edge = stack.pop()
        for taker, position in unrolled.takers[edge[0]]:
            if unrolled.inputs[taker][position][1] != edge[1]:
                continue
            kind = unrolled.kinds[taker]
            yield edge, taker
            if kind in VIEWS and kind != "Cat":
                output = squash.part if kind in _SPLITS and squash.parts > 1 else 0
                reached = (taker, output)
                if reached not in seen:
                    seen.add(reached)
                    stack.append(reached)
