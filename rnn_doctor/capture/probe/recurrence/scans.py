"""Recurrences whose steps are computed at once: a scan of what is kept, and another of what is taken up.

h_t = f_t * h_(t-1) + b_t over a whole sequence is a cumulative product of f, or a cumulative sum of its logarithms, and
a cumulative sum of b over it. One of them alone is none: a distribution function, the light that passes, attention
that forgets nothing. No state of a single step is in the graph, but what the scan is made of has an axis of time; so
the gain by lag is taken to that, as it is to the inputs of a module of torch's.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

import torch

from .lag_gain import spread
from .loop_gain import run
from .loop_states import Edge
from .loops import Loop
from .sources import Sources
from .unrolled import PRODUCTS, VIEWS, Unrolled

_KEEPING = ("Cumsum", "Cumprod")
_TAKING = ("Cumsum", "Logcumsumexp")
_FEWEST = 3
_MOST_ROWS = 4
_AXES = 3
"""Of a scan: samples, time and units in some order. Of two, as of rays and their points, there are no units."""
_ABOVE = VIEWS | {"Add", "Sub", "Mul", "Div", "Exp"}
"""Operations by which a scan's result is put together."""
_SIGNS = ("Neg", "Mul", "Add", "Sub", "Clamp", "ClampMin", "ClampMax")
"""Operations between a sum of logarithms and its power: its sign, its scale, a bound against overflow."""
_DIGITS = 4


class Scan(NamedTuple):
    """A recurrence that is computed at once."""

    loop: Loop
    """As one in a loop, its states the scan's whole result."""
    axis: int
    """That of time."""
    made_of: list[Edge]
    """What enters it, each with an axis of time."""


def find(unrolled: Unrolled) -> list[Scan]:
    """The recurrences that are computed at once, by two scans along one axis, the one within the other."""
    taking = [number for number, kind in enumerate(unrolled.kinds) if kind in _TAKING]
    if not taking or sum(kind in (*_KEEPING, *_TAKING) for kind in unrolled.kinds) < 2:
        return []
    sources = Sources(unrolled, unrolled.applied())
    found: list[Scan] = []
    for number in taking:
        shape = unrolled.shape((number, 0))
        axis = _axis(unrolled.nodes[number], len(shape))
        if len(shape) < _AXES or not 0 <= axis < len(shape) - 1 or shape[axis] < _FEWEST or shape[-1] < 2:
            continue
        weights = [unrolled.nodes[w].variable for w in sorted(sources.near[number])]
        if not weights or not _is_kept(unrolled, number, shape, axis):
            continue
        end = _result(unrolled, number, shape)
        inside = list(_below(unrolled, end, shape))
        state = ((end, 0),)
        made_of = _entrances(unrolled, inside, shape, axis)
        if made_of:
            loop = Loop(
                weights=[weight for weight in weights if weight.dim() > 1] or weights,
                steps=unrolled.shape((end, 0))[axis], states=[state] * _FEWEST, hidden_size=shape[-1], axis=-1,
                rows=shape[1 - axis] if len(shape) == _AXES else None, anew=True, linear=False, diagonal=True,
                is_fed=lambda: True, operations=inside, step=[0] * len(unrolled.nodes),
            )  # fmt: skip
            found.append(Scan(loop, axis, made_of))
    return found


def _axis(node: Any, dims: int) -> int:
    axis = getattr(node, "_saved_dim", None)
    if not isinstance(axis, int):
        return -1
    axis = axis - 2**64 if axis >= 2**63 else axis
    return axis + dims if axis < 0 else axis


def _is_kept(unrolled: Unrolled, number: int, shape: tuple[int, ...], axis: int) -> bool:
    """Whether what a scan sums up is scaled by a product along the same axis, or by the power of a sum.

    A sum of a sum alone is a path from its accelerations.
    """
    inside = set(_below(unrolled, number, shape)) - {number}
    for scan in inside:
        kind = unrolled.kinds[scan]
        if kind not in _KEEPING or _axis(unrolled.nodes[scan], len(shape)) != axis:
            continue
        takers = {taker for taker, _ in unrolled.takers[scan]}
        while takers and not any(unrolled.kinds[each] == "Exp" for each in takers):
            views = {each for each in takers if unrolled.kinds[each] in (*VIEWS, *_SIGNS)}
            takers = {taker for each in views for taker, _ in unrolled.takers[each]}
        if kind == "Cumprod" or unrolled.kinds[number] == "Logcumsumexp" or takers:
            return True
    return False


def _below(unrolled: Unrolled, number: int, shape: tuple[int, ...]) -> Iterator[int]:
    """The operations that a result is made by, down to those without its axes."""
    seen, stack = {number}, [number]
    while stack:
        number = stack.pop()
        yield number
        for made, output in unrolled.inputs[number]:
            if made >= 0 and made not in seen and len(unrolled.shape((made, output))) == len(shape):
                seen.add(made)
                if unrolled.kinds[made] not in PRODUCTS:
                    stack.append(made)


def _entrances(unrolled: Unrolled, inside: list[int], shape: tuple[int, ...], axis: int) -> list[Edge]:
    """What enters a scan with as many steps as it has: the last on the way down that has an axis of time."""
    own, found = set(inside), set()
    for number in inside:
        for edge in unrolled.inputs[number]:
            if edge[0] < 0 or getattr(unrolled.nodes[edge[0]], "variable", None) is not None:
                continue
            whole = unrolled.shape(edge)
            timed = len(whole) == len(shape) and whole[axis] >= shape[axis] - 1
            leads_on = edge[0] in own and any(made in own for made, _ in unrolled.inputs[edge[0]])
            if timed and not leads_on:
                found.add(edge)
    return sorted(found)


def _result(unrolled: Unrolled, number: int, shape: tuple[int, ...]) -> int:
    """The operation that the result of a scan is put together by, up to the first that does more."""
    while True:
        takers = [
            taker
            for taker, _ in unrolled.takers[number]
            if unrolled.kinds[taker] in _ABOVE and len(unrolled.shape((taker, 0))) == len(shape)
        ]
        if len(unrolled.takers[number]) != 1 or not takers:
            return number
        number = takers[0]


def gain(unrolled: Unrolled, scan: Scan) -> dict[str, Any]:
    """The fields of a `lag_gain` record: ||d v.h_T / d x_(T-lag)|| relative to lag 0, x all that enters the scan.

    v is random; median over rows.
    """
    axis = scan.axis
    (end,) = scan.loop.states[-1]
    made = unrolled.nodes[end[0]]._input_metadata[end[1]]
    shape = unrolled.shape(end)
    generator = torch.Generator().manual_seed(0)
    cotangent = torch.zeros(shape, dtype=torch.float64)
    last = cotangent.select(axis, shape[axis] - 1)
    last.copy_(torch.randn(last.shape, generator=generator, dtype=torch.float64))
    gradients = run(
        unrolled, scan.loop.states[-1], [cotangent.to(device=made.device, dtype=made.dtype)], scan.made_of
    )
    rows_axis = 1 if axis == 0 else 0
    total: torch.Tensor | None = None
    for gradient in gradients:
        if gradient is None:
            continue
        squares = gradient.detach().double().movedim((rows_axis, axis), (0, 1)).flatten(2).square().sum(2)
        squares = squares.flip(1)[:, : shape[axis]].cpu()  # the latest step first
        total = squares if total is None else total + squares[:, : total.shape[1]]
    assert total is not None
    rows = min(_MOST_ROWS, total.shape[0])
    chosen = torch.linspace(0, total.shape[0] - 1, rows).long()
    lags = spread(total.shape[1])
    norms = total[chosen][:, lags].sqrt()
    decades = (norms.log10() - norms[:, :1].log10()).nan_to_num(nan=float("-inf"), neginf=float("-inf"))
    return {
        "lags": lags,
        "decades": decades.median(0).values.tolist(),
        "samples": [[float(f"{value:.{_DIGITS}g}") for value in row] for row in decades.tolist()],
        "rows": rows,
    }
