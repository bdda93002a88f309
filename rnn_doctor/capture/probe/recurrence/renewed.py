"""Hand-written cells that are given a state of zeros at every step: what looks like a recurrence never recurs.

Their recurrent weights are multiplied by nothing but zeros, and get a gradient of exactly zero. In the graph they look
like any weight that is applied several times; the products tell, for they keep what they were given.
"""

from __future__ import annotations

from typing import Callable

import torch

from ..saved import saved
from .cut_states import Cut
from .loop_states import Edge
from .unrolled import KEPT, PRODUCTS, VIEWS, Unrolled

_FEWEST = 3
_FEWEST_ASIDE = 8
"""Operations of two more steps of the smallest cell: two products, their sum, and what bounds it."""
_GATES = ("Add", "Sigmoid", "Hardsigmoid", "Rsub", "Sub")
_NEAR = 24
"""Operations between a product and what its gates multiply."""
_MOST = 64
"""Applications that are looked at: a habit shows in fewer."""


def aside(unrolled: Unrolled, before: int) -> int:
    """How many operations with a gradient were made, after number `before` of autograd's, that no loss depends on."""
    last = unrolled.nodes[0]._sequence_nr()
    reached = sum(before < node._sequence_nr() <= last for node in unrolled.nodes)
    return int(last - before - reached)


def find(
    unrolled: Unrolled,
    known: Callable[[torch.Tensor], bool],
    owner: Callable[[list[torch.Tensor]], str],
    unreached: int = 0,
) -> list[Cut]:
    """The cells that start from zeros at each of their steps, one for each module that `owner` names.

    unreached: operations of each update that no loss depends on. Where a loss reads the last step alone, they tell
    that there were others, if no gate does.
    """
    found: dict[str, Cut] = {}
    applied = unrolled.applied()
    by_product: dict[int, list[int]] = {}
    for weight, products in applied.items():
        for product in products:
            by_product.setdefault(product, []).append(weight)
    for weight, products in applied.items():
        tensor = unrolled.nodes[weight].variable
        if tensor.dim() != 2 or known(tensor):
            continue
        if len(products) < _FEWEST:  # the loss may read the last step alone
            alone = unreached >= _FEWEST_ASIDE
            told = [product for product in products if alone or _gated_zeros(unrolled, product)]
            widths = [_zeros(unrolled, product, by_product, alone) for product in told] or [0]
        else:
            widths = [_zeros(unrolled, product, by_product) for product in products[:_MOST]]
        if widths[0] and len(set(widths)) == 1:
            found.setdefault(owner([tensor]), Cut([tensor], len(products), len(products), 0, widths[0]))
    return list(found.values())


def _zeros(unrolled: Unrolled, product: int, by_product: dict[int, list[int]], alone: bool = False) -> int:
    """H, where a product takes a state of zeros beside an input; 0 where it takes none.

    alone: it is known that there were other steps, so that as many columns of zeros as units are a state.

    Shapes: (B, H) alone, its result added to what another weight makes of the input; or (B, I + H), joined.
    """
    kind, inputs = unrolled.kinds[product], unrolled.inputs[product]
    for position, name in KEPT.get(kind, {}).items():
        given = saved(unrolled.nodes[product], name)
        if given is None or given.dim() != 2:
            continue
        axis = -1 if position == PRODUCTS[kind][0] else -2
        made = inputs[position][0]
        if made < 0:
            width = int(given.shape[axis])
            if not bool(given.any()) and _fits(unrolled, product, axis, width):
                return width if _is_added(unrolled, product, by_product) else 0
            columns = int(unrolled.shape((product, 0))[-1])
            if alone and axis == -1 and columns < given.shape[1] and _ends(given, columns):
                return columns
            return _gated(unrolled, product)
        elif unrolled.kinds[made] == "Cat" and axis == -1:
            width = _joined(unrolled, made, given)
            if width and _fits(unrolled, product, axis, width):
                return width
    return 0


def _fits(unrolled: Unrolled, product: int, axis: int, width: int) -> bool:
    """Whether the product gives a whole number of states."""
    shape = unrolled.shape((product, 0))
    return width > 1 and len(shape) == 2 and shape[axis] % width == 0


def _is_added(unrolled: Unrolled, product: int, by_product: dict[int, list[int]]) -> bool:
    """Whether what the product makes is added to what another weight makes of something that is not zero."""
    if unrolled.kinds[product] == "Addmm" and _made_of_input(
        unrolled, unrolled.inputs[product][0], by_product
    ):
        return True
    seen, stack = {product}, [product]
    while stack:
        number = stack.pop()
        for taker, position in unrolled.takers[number]:
            kind = unrolled.kinds[taker]
            if kind == "Add":
                other = unrolled.inputs[taker][1 - position]
                if _made_of_input(unrolled, other, by_product):
                    return True
            if (kind in VIEWS or kind == "Add") and taker not in seen:  # a bias of its own is added first
                seen.add(taker)
                stack.append(taker)
    return False


def _made_of_input(unrolled: Unrolled, edge: Edge, by_product: dict[int, list[int]]) -> bool:
    """Whether an edge leads, through views and sums, to the product of a weight with what is not zero."""
    seen, stack = set(), [edge[0]]
    while stack:
        number = stack.pop()
        if number < 0 or number in seen:
            continue
        seen.add(number)
        kind = unrolled.kinds[number]
        if number in by_product:
            given = [saved(unrolled.nodes[number], name) for name in KEPT.get(kind, {}).values()]
            return bool(given) and all(each is None or bool(each.any()) for each in given)
        if kind in VIEWS or kind == "Add":
            stack += [made for made, _ in unrolled.inputs[number]]
    return False


def _joined(unrolled: Unrolled, cat: int, given: torch.Tensor) -> int:
    """How many columns of zeros without a gradient were joined with an input; 0 where there are none."""
    inputs = unrolled.inputs[cat]
    if len(inputs) != 2 or sum(made < 0 for made, _ in inputs) != 1:
        return 0
    first = inputs[0][0] < 0
    wide = unrolled.shape(inputs[1] if first else inputs[0])[-1]
    width = int(given.shape[-1]) - wide
    if width < 1:
        return 0
    part, rest = (given[:, :width], given[:, width:]) if first else (given[:, wide:], given[:, :wide])
    return width if not bool(part.any()) and bool(rest.any()) else 0


def _gated(unrolled: Unrolled, product: int) -> int:
    """H, where a product is given an input joined with zeros, and gates of it multiply a state of as many; else 0.

    Of an input without a gradient and a state of zeros the joined tensor tells of no join: so the gates have to.
    """
    kind = unrolled.kinds[product]
    taking = PRODUCTS[kind][0]
    given = saved(unrolled.nodes[product], KEPT[kind][taking]) if taking in KEPT.get(kind, {}) else None
    width = 0 if given is None or given.dim() != 2 else _gated_zeros(unrolled, product)
    if given is None or not 0 < width < given.shape[1] or not _ends(given, width):
        return 0
    return width if _fits(unrolled, product, -1, width) else 0


def _gated_zeros(unrolled: Unrolled, product: int) -> int:
    """H, where a gate that the product makes multiplies a state of zeros, as an LSTM's or a GRU's does; else 0."""
    seen, stack = {product}, [product]
    while stack and len(seen) < _NEAR:
        for taker, position in unrolled.takers[stack.pop()]:
            kind = unrolled.kinds[taker]
            inputs = unrolled.inputs[taker]
            if kind == "Mul" and len(inputs) > 1 and inputs[1 - position][0] < 0:
                state = saved(unrolled.nodes[taker], "_saved_self" if position else "_saved_other")
                if state is not None and state.dim() == 2 and not bool(state.any()):
                    return int(state.shape[1])
            if (kind in VIEWS or kind in _GATES) and taker not in seen:
                seen.add(taker)
                stack.append(taker)
    return 0


def _ends(given: torch.Tensor, width: int) -> bool:
    """Whether the first or the last columns are zeros, and not all are. Shapes: (B, I + H)."""
    parts = ((given[:, :width], given[:, width:]), (given[:, -width:], given[:, :-width]))
    return any(not bool(part.any()) and bool(rest.any()) for part, rest in parts)
