"""Hand-written recurrences whose state is cut off from its graph at every step, found by their numbers.

In the graph such a weight looks like one that reads inputs: it is applied at every step, and no application depends on
another. The products tell, for they keep what they were given: where that is, number for number, a tensor that the
same weight made at another step without another product between, it is a state that lost its graph.
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple

import torch

from .unrolled import PRODUCTS, Unrolled

_FEWEST = 3
_MOST = 64
"""Applications of a weight that are compared: a habit shows in fewer."""
_NEAR = 48
"""Operations above a product that a state is looked for among."""
_NARROWEST = 2
"""A width of 1 may be a series of numbers that is fed back."""
_KEPT = {
    "Addmm": {1: "_saved_mat1", 2: "_saved_mat2"},
    "Mm": {0: "_saved_self", 1: "_saved_mat2"},
    "Bmm": {0: "_saved_self", 1: "_saved_mat2"},
    "Mv": {0: "_saved_self", 1: "_saved_vec"},
    "Linear": {0: "_saved_input"},
}
"""Where an operation keeps what it was given, by position."""
_RESULTS = ("Tanh", "Sigmoid", "Relu")


class Cut(NamedTuple):
    """A recurrence through which no gradient flows."""

    weights: list[torch.Tensor]
    applied: int
    """Applications of the weight that were compared."""
    cut: int
    """Those to a state that another one had made."""
    hidden_size: int


def find(
    unrolled: Unrolled, known: Callable[[torch.Tensor], bool], owner: Callable[[list[torch.Tensor]], str]
) -> list[Cut]:
    """The recurrences that are cut off at every step, one for each module that `owner` names."""
    found: dict[str, Cut] = {}
    for weight, products in unrolled.applied().items():
        tensor = unrolled.nodes[weight].variable
        if len(products) < _FEWEST or tensor.dim() != 2 or known(tensor):
            continue
        if max(unrolled.levels(products)) > 1:  # one application depends on another: its state is handed on
            continue
        cut = _compared(unrolled, tensor, products[:_MOST])
        if cut is not None:
            found.setdefault(owner([tensor]), cut)
    return list(found.values())


def _compared(unrolled: Unrolled, tensor: torch.Tensor, products: list[int]) -> Cut | None:
    made: dict[tuple[float, ...], list[tuple[int, torch.Tensor]]] = {}
    widths = set()
    for product in products:
        for values in _made(unrolled, product, set(products)):
            size = values.shape[-1] if values.dim() else 0
            if size >= _NARROWEST and unrolled.shape((product, 0))[-1] % size == 0:
                made.setdefault(_key(values), []).append((product, values))
                widths.add(size)
    hits = [size for product in products if (size := _source(unrolled, product, made, widths))]
    # The first application has no state of another; of the rest most must have one.
    if len(hits) < 2 or 2 * len(hits) < len(products) - 1:
        return None
    return Cut([tensor], len(products), len(hits), hits[0])


def _made(unrolled: Unrolled, product: int, own: set[int]) -> Iterator[torch.Tensor]:
    """The tensors made of a product without another one, as far as operations keep them."""
    seen, stack = {product}, [product]
    while stack and len(seen) < _NEAR:
        number = stack.pop()
        node, kind = unrolled.nodes[number], unrolled.kinds[number]
        if kind in _RESULTS:
            yield from _saved(node, "_saved_result")
        elif kind == "Mul":
            for left in _saved(node, "_saved_self"):
                for right in _saved(node, "_saved_other"):
                    yield left * right
        for taker, position in unrolled.takers[number]:
            if unrolled.kinds[taker] in PRODUCTS:
                if taker not in own and position in PRODUCTS[unrolled.kinds[taker]]:
                    yield from _given(unrolled, taker, position)
            elif taker not in seen:
                seen.add(taker)
                stack.append(taker)


def _source(
    unrolled: Unrolled,
    product: int,
    made: dict[tuple[float, ...], list[tuple[int, torch.Tensor]]],
    widths: set[int],
) -> int:
    """The width of the state that another application made and this one was given; 0 where it was given none."""
    for position in _KEPT.get(unrolled.kinds[product], {}):
        for given in _given(unrolled, product, position):
            for size in widths:
                if given.dim() == 0 or given.shape[-1] < size:
                    continue
                for part in {given[..., -size:], given[..., :size]}:
                    candidates = made.get(_key(part), ())
                    if any(o != product and _same(part, values) for o, values in candidates):
                        return size
    return 0


def _given(unrolled: Unrolled, product: int, position: int) -> Iterator[torch.Tensor]:
    name = _KEPT.get(unrolled.kinds[product], {}).get(position)
    if name is not None:
        yield from _saved(unrolled.nodes[product], name)


def _saved(node: object, name: str) -> Iterator[torch.Tensor]:
    try:
        values = getattr(node, name, None)
    except RuntimeError:  # an earlier backward pass has freed it
        return
    if isinstance(values, torch.Tensor):
        yield values.detach()


def _key(values: torch.Tensor) -> tuple[float, ...]:
    """A few of its numbers, which tell most strangers."""
    flat = values.reshape(-1)
    return (values.shape[-1], *flat[:3].tolist(), *flat[-1:].tolist())


def _same(state: torch.Tensor, made: torch.Tensor) -> bool:
    same = state.numel() == made.numel() and state.dtype == made.dtype
    return same and bool(torch.equal(state.reshape(-1), made.reshape(-1))) and bool(state.any())
