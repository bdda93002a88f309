"""How far back a gradient reaches in a hand-written recurrence: one injection on its last state, through the graph.

The graph that the script's own backward pass will use is asked once more before it runs, from the last state to the
earlier ones alone: no parameter is reached, so that no `.grad` changes and no hook of a parameter is called.
"""

from __future__ import annotations

from typing import Any, Container

import torch
from torch.autograd.graph import GradientEdge

from .lag_gain import spread
from .loop_states import State
from .loops import Loop
from .unrolled import Unrolled

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
    if any(unrolled.dtype(number) == torch.float16 for number in loop.operations):
        return "it runs in half precision, in which small gradients are zero"
    # The script's own code would run an additional time.
    own = torch.autograd.function.BackwardCFunction
    if any(isinstance(unrolled.nodes[number], own) for number in loop.operations):
        return "a torch.autograd.Function or a backward hook of the script lies on the way"
    made = {*loop.operations, *(number for number, _ in loop.states[-1])}
    if hooked and any(unrolled.nodes[number]._sequence_nr() in hooked for number in made):
        return "the script hooks the gradient of its state, and would be called once more"
    return None


def gain(unrolled: Unrolled, loop: Loop) -> dict[str, Any] | None:
    """The fields of a `lag_gain` record; None where this torch cannot start from a state.

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
        if norms is None:
            return None
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
) -> torch.Tensor | None:
    """2-norms of the gradient by lag, over all tensors of the state. Shape: (lags, rows), double precision."""
    cotangents = []
    for number, output in last:
        made = unrolled.nodes[number]._input_metadata[output]
        values = torch.randn(tuple(int(n) for n in made.shape), generator=generator, dtype=torch.float64)
        cotangents.append(values.to(device=made.device, dtype=made.dtype))
    edges = [GradientEdge(unrolled.nodes[n], k) for state in asked for n, k in state]
    roots = tuple(GradientEdge(unrolled.nodes[n], k) for n, k in last)
    try:
        # Not torch.autograd.grad: for a given cotangent it imports torch's symbolic shapes, a second or two.
        gradients = torch.autograd.Variable._execution_engine.run_backward(
            roots, tuple(cotangents), True, False, tuple(edges), allow_unreachable=True, accumulate_grad=False
        )
    except TypeError:  # torch before 2.7 starts from tensors alone
        return None
    squares, k = [], 0
    for state in asked:
        total = sum(_squares(gradient, rows) for gradient in gradients[k : k + len(state)])
        squares.append(total)
        k += len(state)
    return torch.stack([torch.as_tensor(each) for each in squares]).sqrt()


def _squares(gradient: torch.Tensor | None, rows: int) -> torch.Tensor:
    if gradient is None:
        return torch.zeros(max(1, rows), dtype=torch.float64)
    wide = gradient.detach().double()
    if not rows:
        return wide.square().sum().reshape(1).cpu()
    flat = wide.reshape(-1, wide.shape[-1])
    chosen = torch.linspace(0, flat.shape[0] - 1, rows).long()
    return flat[chosen].square().sum(-1).cpu()
