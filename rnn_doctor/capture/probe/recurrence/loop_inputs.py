"""What the steps of hand-written recurrences were given of a batch, as it lies in memory."""

from __future__ import annotations

import torch

from ..saved import kept
from .loop_products import Product, products
from .loops import Loop
from .unrolled import KEPT, PRODUCTS, Unrolled

_MOST = 64
"""Steps that are looked at, the first ones."""


def by_step(unrolled: Unrolled, found: dict[int, Loop]) -> dict[int, list[torch.Tensor]]:
    """By recurrence what each of its steps multiplied by its input weights, the first of several.

    A recurrence is left out where that is not known of each step. What was joined with the state has been copied.

    Shapes: (B, I) each.
    """
    given = {number: _of_loop(unrolled, loop) for number, loop in found.items()}
    return {number: steps for number, steps in given.items() if len(steps) > 1}


def _of_loop(unrolled: Unrolled, loop: Loop) -> list[torch.Tensor]:
    applied: dict[int, dict[int, Product]] = {}
    states = loop.states[:_MOST]
    for state in states:
        for edge in state:
            for product in products(unrolled, loop, edge):
                applied.setdefault(product.key, {}).setdefault(loop.step[edge[0]], product)
    for steps in applied.values():
        inputs = _inputs(unrolled, loop, list(steps.values())) if len(steps) == len(states) else []
        if inputs:
            return inputs
    return []


def _inputs(unrolled: Unrolled, loop: Loop, steps: list[Product]) -> list[torch.Tensor]:
    """What the applications of one weight were given beside the state; nothing where that is all, or made by layers."""
    last = steps[-1]  # the state that the first was given is no step's
    if not last.taken:
        given = [each for each in (_as_it_lies(unrolled, p.number) for p in steps) if each is not None]
    elif last.state is None or _is_learned(unrolled, loop, last.number):
        return []
    else:
        given = [last.inputs(p.given) for p in steps if p.given is not None]
    return given if len(given) == len(steps) and given[0].shape[1] else []


def _is_learned(unrolled: Unrolled, loop: Loop, number: int) -> bool:
    """Whether a product takes what was joined of a state and of what layers made outside of the loop."""
    made = unrolled.inputs[number][PRODUCTS[unrolled.kinds[number]][0]][0]
    return any(part >= 0 and not loop.step[part] for part, _ in unrolled.inputs[made])


def _as_it_lies(unrolled: Unrolled, number: int) -> torch.Tensor | None:
    """What a product was given, not detached: it would no longer tell what it is a view of."""
    kind = unrolled.kinds[number]
    name = KEPT[kind].get(PRODUCTS[kind][0])
    values = None if name is None else kept(unrolled.nodes[number], name)
    return None if values is None or values.requires_grad or values.dim() != 2 else values
