"""What makes the state of a hand-written recurrence: its matrices, and what they are given beside the state.

The products keep their factors for the script's own backward pass, so that nothing is computed anew. Where the rows of
a batch are the rows of a state, a product `given @ matrix.T` makes the sums of H units, or of several gates of each.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple

import torch

from ..graph import leaf_of
from ..saved import saved
from .loop_layers import within
from .loop_states import Edge
from .loops import Loop
from .unrolled import KEPT, PRODUCTS, Unrolled

_MOST = 128
"""Operations between a state and the products that make it: the gates of an LSTM, each of its own layer, are 60."""
_MATRIX = 2


class Product(NamedTuple):
    """A product of which a state is made with no other between."""

    number: int
    """Of the operation."""
    key: int
    """The same for all applications of one weight."""
    matrix: torch.Tensor
    """Shape: (G*H, I), or (G*H, I + H) where an input and the state are joined."""
    bias: torch.Tensor | None
    """Shape: (G*H); None where it has none, or another form."""
    given: torch.Tensor | None
    """Shape: (B, I) or (B, I + H); None where it was not kept."""
    state: tuple[int, int] | None
    """The columns that hold the state before."""
    taken: bool
    """It is made of the state before, of which `state` does not tell the columns."""
    weight: torch.Tensor | None = None
    """The parameter that the matrix is, or is the transpose of; None where it is made of others."""
    transposed: bool = False
    """The matrix is its transpose."""

    def inputs(self, values: torch.Tensor) -> torch.Tensor:
        """The columns beside those of the state. Shapes: (N, I + H) -> (N, I); (N, H) -> (N, 0)."""
        if self.state is None:
            return values
        first, last = self.state
        return torch.cat((values[:, :first], values[:, last:]), 1)


class _Factor(NamedTuple):
    """The constant one of a product's two: fields as of a `Product`."""

    matrix: torch.Tensor | None
    key: int
    weight: torch.Tensor | None = None
    transposed: bool = False


_NO_FACTOR = _Factor(None, 0)


def products(unrolled: Unrolled, loop: Loop, edge: Edge) -> list[Product]:
    """Those that make one tensor of a state; empty where its rows are no rows of a batch."""
    if loop.axis != -1 or len(unrolled.shape(edge)) != _MATRIX or unrolled.shape(edge)[1] != loop.hidden_size:
        return []
    edges = {each for state in loop.states for each in state}
    found = (_product(unrolled, loop, number, edges) for number in _makers(unrolled, loop, edge))
    return [each for each in found if each is not None]


def _makers(unrolled: Unrolled, loop: Loop, edge: Edge) -> Iterator[int]:
    """The products of the state's own step, and those outside of the loop that it adds."""
    now = loop.step[edge[0]]
    seen, stack = {edge[0]}, [edge[0]]
    while stack and len(seen) < _MOST:
        number = stack.pop()
        if unrolled.kinds[number] in KEPT:
            yield number
            continue
        if unrolled.kinds[number] in PRODUCTS:
            continue
        for made, _ in unrolled.inputs[number]:
            if made >= 0 and made not in seen and loop.step[made] in (0, now):
                seen.add(made)
                stack.append(made)


def given_to(unrolled: Unrolled, number: int, key: int) -> torch.Tensor | None:
    """What an application of the weight of a `Product` was given; None of any other operation. Shape: (B, any)."""
    kind = unrolled.kinds[number]
    if kind not in KEPT or _factor(unrolled, number).key != key:
        return None
    return _given(unrolled, number)


def _product(unrolled: Unrolled, loop: Loop, number: int, edges: set[Edge]) -> Product | None:
    inputs, node = unrolled.inputs[number], unrolled.nodes[number]
    taking = PRODUCTS[unrolled.kinds[number]][0]
    matrix, key, weight, transposed = _factor(unrolled, number)
    if matrix is None or not matrix.is_floating_point():
        return None
    made = inputs[taking][0]
    taken = made >= 0 and loop.step[made] > 0
    state = _columns(unrolled, loop, inputs[taking], edges, matrix.shape[1]) if taken else None
    bias, _ = leaf_of(node.next_functions[0][0]) if taking else (None, False)
    bias = bias.detach() if bias is not None and bias.shape == matrix.shape[:1] else None
    return Product(number, key, matrix, bias, _given(unrolled, number), state, taken, weight, transposed)


def _factor(unrolled: Unrolled, number: int) -> _Factor:
    kind, node = unrolled.kinds[number], unrolled.nodes[number]
    weighing = PRODUCTS[kind][1]
    if len(node.next_functions) <= weighing:
        return _NO_FACTOR
    leaf, turned = leaf_of(node.next_functions[weighing][0])
    turned ^= kind == "Linear"  # which takes its weight as it is
    if leaf is not None and leaf.dim() == _MATRIX:
        return _Factor(leaf.detach() if turned else leaf.detach().t(), id(leaf), leaf, not turned)
    name = KEPT[kind].get(weighing)
    kept = saved(node, name) if name else None  # of one that is made of weights
    return _Factor(kept.t(), kept.data_ptr()) if kept is not None and kept.dim() == _MATRIX else _NO_FACTOR


def _given(unrolled: Unrolled, number: int) -> torch.Tensor | None:
    kind = unrolled.kinds[number]
    name = KEPT[kind].get(PRODUCTS[kind][0])
    values = saved(unrolled.nodes[number], name) if name else None
    return None if values is None or values.dim() < _MATRIX else values.reshape(-1, values.shape[-1])


def _columns(
    unrolled: Unrolled, loop: Loop, edge: Edge, edges: set[Edge], size: int
) -> tuple[int, int] | None:
    width = loop.hidden_size
    for _, side in within(unrolled, edge, edges):
        if side is None:
            return (0, width) if size == width else None
        return (size - width, size) if side == "last" else (0, width)
    return None
