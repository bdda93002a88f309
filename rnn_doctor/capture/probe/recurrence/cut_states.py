"""Hand-written recurrences whose state is cut off from its graph at every step, found by their numbers.

In the graph such a weight looks like one that reads inputs: it is applied at every step, and no application depends on
another. The products tell, for they keep what they were given: where that is, number for number, a tensor that the
same weight made at another step without another product between, it is a state that lost its graph.
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple, Tuple

import torch

from ..saved import saved
from .unrolled import KEPT, PRODUCTS, Unrolled

_FEWEST = 3
_MOST = 64
"""Applications of a weight that are compared: a habit shows in fewer."""
_NEAR = 48
"""Operations above a product that a state is looked for among."""
_NARROWEST = 2
"""A width of 1 may be a series of numbers that is fed back."""
_RESULTS = ("Tanh", "Sigmoid", "Relu")


_Made = Tuple[int, int, torch.Tensor]
"""A state: the product that it was made of, the operation that made it, and its numbers."""


class Cut(NamedTuple):
    """A recurrence through which no gradient flows, or hardly any."""

    weights: list[torch.Tensor]
    applied: int
    """Applications of the weight that were compared."""
    stretches: int
    """Those that no gradient leads from to an earlier one."""
    cut: int
    """Those of them that were given a state that an earlier one had made."""
    hidden_size: int
    length: int = 1
    """Applications in a row that a gradient flows through, at most."""


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
    made: dict[tuple[float, ...], list[_Made]] = {}
    widths = set()
    for product in products:
        for number, values in _made(unrolled, product, set(products)):
            size = values.shape[-1] if values.dim() else 0
            if size >= _NARROWEST and unrolled.shape((product, 0))[-1] % size == 0:
                made.setdefault(_key(values), []).append((product, number, values))
                widths.add(size)
    sources = {product: _source(unrolled, product, made, widths) for product in products}
    hits = [source[2].shape[-1] for source in sources.values() if source is not None]
    # The first application has no state of another; of the rest most must have one.
    if len(hits) < 2 or 2 * len(hits) < len(products) - 1:
        return None
    # A state that an earlier application reaches, too, is cut off in part: an LSTM's c may be handed on.
    if any(_below(unrolled, s[1], set(products)) != {s[0]} for s in sources.values() if s is not None):
        return None
    return Cut([tensor], len(products), len(products), len(hits), hits[0])


def _below(unrolled: Unrolled, number: int, own: set[int]) -> set[int]:
    """The products of the weight that an operation takes without another product between."""
    found: set[int] = set()
    seen, stack = {number}, [number]
    while stack:
        number = stack.pop()
        if unrolled.kinds[number] in PRODUCTS:
            found |= {number} & own
            continue
        for made, _ in unrolled.inputs[number]:
            if made >= 0 and made not in seen:
                seen.add(made)
                stack.append(made)
    return found


def _made(unrolled: Unrolled, product: int, own: set[int]) -> Iterator[tuple[int, torch.Tensor]]:
    """The tensors made of a product without another one, with what made them, as far as operations keep them."""
    seen, stack = {product}, [product]
    while stack and len(seen) < _NEAR:
        number = stack.pop()
        node, kind = unrolled.nodes[number], unrolled.kinds[number]
        if kind in _RESULTS:
            for values in _saved(node, "_saved_result"):
                yield number, values
        elif kind == "Mul":
            for left in _saved(node, "_saved_self"):
                for right in _saved(node, "_saved_other"):
                    yield number, left * right
        for taker, position in unrolled.takers[number]:
            if unrolled.kinds[taker] in PRODUCTS:
                if taker not in own and position in PRODUCTS[unrolled.kinds[taker]]:
                    for values in _given(unrolled, taker, position):
                        yield unrolled.inputs[taker][position][0], values
            elif taker not in seen:
                seen.add(taker)
                stack.append(taker)


def _source(
    unrolled: Unrolled,
    product: int,
    made: dict[tuple[float, ...], list[_Made]],
    widths: set[int],
) -> _Made | None:
    """The state that another application made and this one was given; None where it was given none."""
    for position in KEPT.get(unrolled.kinds[product], {}):
        for given in _given(unrolled, product, position):
            for size in widths:
                if given.dim() == 0 or given.shape[-1] < size:
                    continue
                for part in {given[..., -size:], given[..., :size]}:
                    for state in made.get(_key(part), ()):
                        if state[0] != product and _same(part, state[2]):
                            return state
    return None


def _given(unrolled: Unrolled, product: int, position: int) -> Iterator[torch.Tensor]:
    name = KEPT.get(unrolled.kinds[product], {}).get(position)
    if name is not None:
        yield from _saved(unrolled.nodes[product], name)


def _saved(node: object, name: str) -> Iterator[torch.Tensor]:
    values = saved(node, name)
    if values is not None:
        yield values


def _key(values: torch.Tensor) -> tuple[float, ...]:
    """A few of its numbers, which tell most strangers."""
    flat = values.reshape(-1)
    return (values.shape[-1], *flat[:3].tolist(), *flat[-1:].tolist())


def _same(state: torch.Tensor, made: torch.Tensor) -> bool:
    same = state.numel() == made.numel() and state.dtype == made.dtype
    return same and bool(torch.equal(state.reshape(-1), made.reshape(-1))) and bool(state.any())
