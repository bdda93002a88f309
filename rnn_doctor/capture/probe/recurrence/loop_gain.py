"""How far back a gradient reaches in a hand-written recurrence: one injection on its last state, through the graph.

The graph that the script's own backward pass will use is asked once more before it runs, from the last state to the
earlier ones alone: no parameter is reached, so that no `.grad` changes and no hook of a parameter is called.
"""

from __future__ import annotations

import functools
from typing import Any, Container, Sequence

import torch
from torch.autograd.graph import GradientEdge

from ..saved import is_packed, why_packed
from .lag_gain import spread
from .loop_states import WRITING, Edge, State
from .loops import Loop
from .unrolled import Unrolled

STARTS_WITHIN = tuple(int(n) for n in torch.__version__.split(".")[:2]) >= (2, 7)
"""Whether autograd can start from within a graph, not from tensors alone (pytorch#144744)."""
_FEWEST_STATES = 3
_MOST_ROWS = 4
_DIGITS = 4
_NOTHING = float("-inf")


def absent(unrolled: Unrolled, loop: Loop, hooked: Container[int] = ()) -> str | None:
    """Why the backward gain of a recurrence cannot be had; None where it can.

    hooked: operations whose gradients the script hooks, by their numbers in autograd's sequence.
    """
    if not unrolled.whole:
        return "its graph has too many operations"
    if len(loop.states) < _FEWEST_STATES:
        return "its state has not the same form from step to step"
    if any(unrolled.kinds[number] == WRITING for state in loop.states for number, _ in state):
        return "its states are written into one tensor, and which of them a step reads is not seen"
    if any(unrolled.dtype(number) == torch.float16 for number in loop.operations):
        return "it runs in half precision, in which small gradients are zero"
    return _own_code(unrolled, loop, hooked)


def _own_code(unrolled: Unrolled, loop: Loop, hooked: Container[int]) -> str | None:
    """Which code of the script's own one more backward pass would run."""
    own = torch.autograd.function.BackwardCFunction
    made = {*loop.operations, *(number for number, _ in loop.states[-1])}
    if not STARTS_WITHIN:
        made.update(range(len(unrolled.nodes)))
    if any(isinstance(unrolled.nodes[number], own) for number in made):
        return "a torch.autograd.Function or a backward hook of the script lies on the way"
    if any(is_packed(unrolled.nodes[number]) for number in made):
        return why_packed()
    if hooked and any(unrolled.nodes[number]._sequence_nr() in hooked for number in made):
        return "the script hooks the gradient of its state, and would be called once more"
    return None


def gain(unrolled: Unrolled, loop: Loop) -> dict[str, Any]:
    """The fields of a `lag_gain` record.

    ||d v.s_T / d s_(T-lag)|| relative to lag 0, where s are all tensors of the state, and v is random. Of modules of
    torch it is measured to the input x_(T-lag), which differs by what the input weights do: a factor that all lags
    share. A state's gradient counts all paths, so that of an LSTM's c holds what passes through h of the same step.
    """
    count = len(loop.states)
    lags = spread(count)
    asked = [loop.states[count - 1 - lag] for lag in lags]
    rows = _rows(unrolled, loop)
    generator = torch.Generator().manual_seed(0)
    samples: list[list[float]] = []
    for _ in range(1 if rows > 1 else 2):
        norms = _norms(unrolled, loop.states[-1], asked, rows, generator)
        decades = (norms.log10() - norms[:1].log10()).t()  # (rows, lags)
        samples += decades.nan_to_num(nan=_NOTHING, neginf=_NOTHING).tolist()
    middle = torch.tensor(samples, dtype=torch.float64).median(0).values.tolist()
    return {
        "lags": lags,
        "decades": middle,
        "samples": [[float(f"{value:.{_DIGITS}g}") for value in row] for row in samples],
        "rows": max(1, rows),
    }


def _rows(unrolled: Unrolled, loop: Loop) -> int:
    """How many rows of the state are told apart, of those that all its tensors share; 0 where it has no rows."""
    leading = {unrolled.shape(edge)[:-1] for edge in loop.states[-1]}
    if loop.axis != -1 or len(leading) != 1:
        return 0
    return min(_MOST_ROWS, int(torch.Size(leading.pop()).numel()))


def _norms(
    unrolled: Unrolled, last: State, asked: list[State], rows: int, generator: torch.Generator
) -> torch.Tensor:
    """2-norms of the gradient by lag, over all tensors of the state. Shape: (lags, rows), double precision."""
    cotangents = []
    for number, output in last:
        made = unrolled.nodes[number]._input_metadata[output]
        values = torch.randn(tuple(int(n) for n in made.shape), generator=generator, dtype=torch.float64)
        cotangents.append(values.to(device=made.device, dtype=made.dtype))
    edges = [edge for state in asked for edge in state]
    gradients = run(unrolled, last, cotangents, edges)
    squares, k = [], 0
    for state in asked:
        total = sum(_squares(gradient, rows) for gradient in gradients[k : k + len(state)])
        squares.append(total)
        k += len(state)
    return torch.stack([torch.as_tensor(each) for each in squares]).sqrt()


def run(
    unrolled: Unrolled, last: State, cotangents: list[torch.Tensor], edges: list[Edge]
) -> list[torch.Tensor | None]:
    """The gradients at these edges of the cotangents at a state; nothing is accumulated, and the graph is kept."""
    way = _from_states if STARTS_WITHIN else _from_loss
    return way(unrolled, last, cotangents, edges)


def _run(
    unrolled: Unrolled, roots: Sequence[Any], given: Sequence[torch.Tensor], edges: list[Edge]
) -> list[torch.Tensor | None]:
    """The gradients at these edges; nothing is accumulated in leaves, and the graph is kept."""
    sought = tuple(GradientEdge(unrolled.nodes[number], output) for number, output in edges)
    # Not torch.autograd.grad: for a given cotangent it imports torch's symbolic shapes, a second or two.
    engine = torch.autograd.Variable._execution_engine
    return list(
        engine.run_backward(
            tuple(roots), tuple(given), True, False, sought, allow_unreachable=True, accumulate_grad=False
        )
    )


def _from_states(
    unrolled: Unrolled, last: State, cotangents: list[torch.Tensor], edges: list[Edge]
) -> list[torch.Tensor | None]:
    roots = [GradientEdge(unrolled.nodes[number], output) for number, output in last]
    return _run(unrolled, roots, cotangents, edges)


def _from_loss(
    unrolled: Unrolled, last: State, cotangents: list[torch.Tensor], edges: list[Edge]
) -> list[torch.Tensor | None]:
    """The same where autograd starts from tensors alone: from the loss, whose own gradient is kept out by hooks.

    What lies above the last state gives zeros to what lies below, and the cotangent is added on the way.
    """
    inside = _below(unrolled, [number for number, _ in last])
    above = {taker for number in inside for taker, _ in unrolled.takers[number]} - inside
    handles = [unrolled.nodes[number].register_hook(_silenced) for number in above]
    for number in {number for number, _ in last}:
        added = {output: c for (n, output), c in zip(last, cotangents) if n == number}
        handles.append(unrolled.nodes[number].register_prehook(functools.partial(_with, added)))
    try:
        found = _run(unrolled, [unrolled.loss], [torch.ones_like(unrolled.loss)], edges)
    finally:
        for handle in handles:
            handle.remove()
    of_last = dict(zip(last, cotangents))  # what is asked for is read before an operation's own hooks
    return [_sum(gradient, of_last.get(edge)) for gradient, edge in zip(found, edges)]


def _below(unrolled: Unrolled, numbers: list[int]) -> set[int]:
    seen, stack = set(numbers), list(numbers)
    while stack:
        for made, _ in unrolled.inputs[stack.pop()]:
            if made >= 0 and made not in seen:
                seen.add(made)
                stack.append(made)
    return seen


def _silenced(gradients: tuple[Any, ...], _: Any) -> tuple[Any, ...]:
    return tuple(None if g is None else torch.zeros_like(g) for g in gradients)


def _with(added: dict[int, torch.Tensor], gradients: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_sum(gradient, added.get(k)) for k, gradient in enumerate(gradients))


def _sum(gradient: torch.Tensor | None, added: torch.Tensor | None) -> torch.Tensor | None:
    if added is None or gradient is None:
        return gradient if added is None else added
    return gradient + added


def _squares(gradient: torch.Tensor | None, rows: int) -> torch.Tensor:
    if gradient is None:
        return torch.zeros(max(1, rows), dtype=torch.float64)
    wide = gradient.detach().double()
    if not rows:
        return wide.square().sum().reshape(1).cpu()
    flat = wide.reshape(-1, wide.shape[-1])
    chosen = torch.linspace(0, flat.shape[0] - 1, rows).long()
    return flat[chosen].square().sum(-1).cpu()
