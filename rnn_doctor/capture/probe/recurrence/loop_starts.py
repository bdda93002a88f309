"""The weights that a hand-written recurrence starts from, and what it is given: as told of torch's own modules."""

from __future__ import annotations

import math
from typing import Any, Callable

import torch

from .gates import spread_times
from .initial import asymmetry, distribution
from .loop_products import Product, given_to, products
from .loops import Loop
from .unrolled import Unrolled

_DRIVE = 4.0
"""As of torch's own modules: beyond it a gate's derivative is below 0.02."""
_TIMES = 16
"""Steps that are looked at."""
_DRIVEN = 16
"""Rows, of all steps looked at, that are multiplied by the input weights."""


def initial_weights(
    unrolled: Unrolled, loop: Loop, named: Callable[[torch.Tensor], str | None]
) -> list[dict[str, Any]]:
    """The fields of an `initial_weights` record for each tensor of the state that matrices of its own carry on.

    named: the name of a parameter; None of a bare tensor.


    Only what takes the state and makes the next one with no product between counts as recurrent: the last layer of a
    residual step may start at zero, and its units are no copies.
    """
    found: list[dict[str, Any]] = []
    known: set[frozenset[int]] = set()
    for edge in loop.states[-1] if loop.states else ():
        each = products(unrolled, loop, edge)
        matrices = frozenset(product.key for product in each)
        recurrent = [product for product in each if product.state is not None]
        if matrices in known or not recurrent or not all(_fits(p, loop) for p in recurrent):
            continue
        known.add(matrices)
        fields = _fields(each, recurrent, loop.hidden_size)
        found.append({"layer": len(found), **fields, "recurrent": [_place(p, named) for p in recurrent]})
    return found


def _fits(product: Product, loop: Loop) -> bool:
    return product.matrix.shape[0] % loop.hidden_size == 0


def _fields(each: list[Product], recurrent: list[Product], hidden: int) -> dict[str, Any]:
    states = [p.matrix[:, p.state[0] : p.state[1]].float() for p in recurrent if p.state is not None]
    inputs = [p.inputs(p.matrix).float() for p in each if p.state is not None or not p.taken]
    inputs = [weight for weight in inputs if weight.shape[1]]
    others = [p.matrix.float() for p in each if p.state is None and p.taken]
    spread = [
        asymmetry(weight, weight.shape[0] // hidden, hidden)
        for weight in (*states, *inputs, *others)
        if weight.shape[0] % hidden == 0
    ]
    return {
        # Without input weights the units may differ by what they are given.
        "asymmetry": max(spread) if inputs else math.nan,
        "hidden_gain": _size(states) * hidden**0.5,
        "input_gain": _size(inputs) * sum(weight.shape[1] for weight in inputs) ** 0.5
        if inputs
        else math.nan,
        **(distribution(states[0], states[0].shape[0] // hidden) if len(states) == 1 else {}),
    }


def _place(product: Product, named: Callable[[torch.Tensor], str | None]) -> dict[str, Any]:
    """Where the weights stand that a state passes through."""
    if product.weight is None or product.state is None:
        return {}
    whole = product.state == (0, product.matrix.shape[1])
    return {
        "name": named(product.weight),
        "transposed": product.transposed,
        "columns": None if whole else product.state,
    }


def _size(weights: list[torch.Tensor]) -> float:
    """Root mean square of all their numbers."""
    squares = sum(float(weight.square().sum()) for weight in weights)
    return math.sqrt(squares / sum(weight.numel() for weight in weights))


def given(unrolled: Unrolled, loop: Loop) -> dict[str, Any] | None:
    """The fields of a `loop_input` record: what the steps of a recurrence that starts from zeros take beside its state.

    None where that is not known, or it begins with a state that may be all it needs, as a decoder's is.
    """
    seen: dict[int, list[Product]] = {}
    later = [state for state in loop.states if all(loop.step[number] > 1 for number, _ in state)]
    for time in spread_times(len(later), _TIMES):
        for edge in later[time]:
            for product in products(unrolled, loop, edge):
                if product.given is not None and (product.state is not None or not product.taken):
                    seen.setdefault(product.key, []).append(product)
    series = [each for each in seen.values() if _takes_input(each[0])]
    first = [each[0] for each in seen.values() if each[0].state is not None]
    if not series or not first or not all(_from_zeros(unrolled, loop, product) for product in first):
        return None
    values = [
        torch.cat([p.inputs(p.given) for p in _distinct(each) if p.given is not None]).float()
        for each in series
    ]
    if not all(len(each) and bool(each.isfinite().all()) for each in values):
        return None
    driven = [_driven(each[0], x) for each, x in zip(series, values)]
    lows, highs = [each.amin(0) for each in values], [each.amax(0) for each in values]
    whole = torch.cat([each.reshape(-1) for each in values])
    return {
        "vectors": max(len(each) for each in values),
        "constant": all(bool((low == high).all()) for low, high in zip(lows, highs)),
        "mean": float(whole.mean()),
        "std": float((whole - whole.mean()).square().mean().sqrt()),
        "absmax": float(whole.abs().max()),
        "drive": float(torch.cat([each.reshape(-1) for each in driven]).mean()),
    }


def _takes_input(product: Product) -> bool:
    return product.state is None or product.matrix.shape[1] > product.state[1] - product.state[0]


def _distinct(each: list[Product]) -> list[Product]:
    """One of each operation: what is computed of all steps at once is met at each of them."""
    return list({product.number: product for product in each}.values())


def _from_zeros(unrolled: Unrolled, loop: Loop, product: Product) -> bool:
    """Whether the first application of a recurrent weight was given zeros for a state."""
    assert product.state is not None
    begins, ends = product.state
    firsts = [
        values
        for number in loop.operations
        if loop.step[number] == 1 and (values := given_to(unrolled, number, product.key)) is not None
    ]
    return bool(firsts) and not any(bool(values[:, begins:ends].any()) for values in firsts)


def _driven(product: Product, x: torch.Tensor) -> torch.Tensor:
    """Where the input alone saturates a gate of a unit. Shapes: x (N, I) -> (n, G*H), 0 or 1."""
    rows = x[:: max(1, -(-len(x) // _DRIVEN))]
    sums = rows @ product.inputs(product.matrix).float().t()
    if product.bias is not None:
        sums = sums + product.bias.float()
    return (sums.abs() > _DRIVE).float()
