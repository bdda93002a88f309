"""Where the numbers under an operation come from: the weights next to it, and whether two steps are given the same."""

from __future__ import annotations

from typing import Any, NamedTuple, Tuple

import torch

from ..saved import saved
from .loop_states import Edge
from .unrolled import KEPT, PRODUCTS, UNIT_BY_UNIT, Unrolled

_MOST = 32
"""Weights next to an operation: a gate has a few."""
_LONGEST = 64
"""Operations between a gate and what it is made by."""
_OF_WEIGHTS_ALONE = frozenset((
    "View", "UnsafeView", "ReshapeAlias", "Transpose", "Permute", "Squeeze", "Unsqueeze", "Select", "Slice", "T",
    "Expand", "Clone", "ToCopy", "Alias", "Split", "SplitWithSizes", "UnsafeSplit", "Unbind", "Repeat", "Cat", "Stack",
    "Mul", "Div", "Add", "Sub", "Rsub", "Neg", "Exp", "Log", "Log1P", "Expm1", "Pow", "Sqrt", "Rsqrt", "Abs", "Relu",
    "Sigmoid", "LogSigmoid", "Tanh", "Softplus", "Softmax", "Clamp", "ClampMin", "ClampMax", "WeightNormInterface",
    "Complex", "ViewAsComplex", "ViewAsReal",
))  # fmt: skip
"""Operations that make something of weights without a number of a batch."""
_PICKS = {"Select": "_saved_index", "Slice": "_saved_start"}
"""Views that take a part, and where they keep which."""
_PARTS = ("Unbind", "Split", "SplitWithSizes", "UnsafeSplit", "Chunk")
"""Views that return several parts."""

_Way = Tuple[Any, ...]


class Source(NamedTuple):
    """The nearest operation below that reads numbers of a batch."""

    number: int
    way: _Way
    """The operations between, with the parts that they take."""
    given: torch.Tensor | None
    """What it was applied to, where it keeps that."""


class Sources:
    """What lies below each operation of a graph, up to the nearest products."""

    def __init__(self, unrolled: Unrolled, applied: dict[int, list[int]]) -> None:
        self._unrolled = unrolled
        by_product: dict[int, set[int]] = {}
        for weight, products in applied.items():
            for product in products:
                by_product.setdefault(product, set()).add(weight)
        nothing: frozenset[int] = frozenset()
        self.near: list[frozenset[int]] = [nothing] * len(unrolled.nodes)
        """By operation: the weights that made it with no product of another weight between."""
        self.constant: list[bool] = [False] * len(unrolled.nodes)
        """Whether it is made of weights alone: the same at every step of time."""
        for number in unrolled.order:
            made = {edge[0] for edge in unrolled.inputs[number] if edge[0] >= 0}
            if getattr(unrolled.nodes[number], "variable", None) is not None:
                self.near[number], self.constant[number] = frozenset((number,)), True
            elif number in by_product:
                self.near[number] = frozenset(by_product[number])
            elif made:
                first = self.near[next(iter(made))]
                if not all(self.near[each] is first for each in made):
                    first = first.union(*(self.near[each] for each in made))
                self.near[number] = first if len(first) <= _MOST else nothing
                self.constant[number] = unrolled.kinds[number] in _OF_WEIGHTS_ALONE and all(
                    self.constant[each] for each in made
                )

    def of(self, edge: Edge) -> Source | None:
        """The nearest reader of a batch below an edge, down the first inputs; None where there is none near."""
        way: list[Any] = []
        unrolled = self._unrolled
        while len(way) < _LONGEST:
            number, output = edge
            kind, node = unrolled.kinds[number], unrolled.nodes[number]
            if kind == "Embedding":
                return Source(number, tuple(way), saved(node, "_saved_indices"))
            if kind in PRODUCTS and kind not in UNIT_BY_UNIT:
                return Source(number, tuple(way), self._given(number))
            part = getattr(node, _PICKS[kind], None) if kind in _PICKS else None
            way.append((kind, part, output if kind in _PARTS else 0))
            below = [e for e in unrolled.inputs[number] if e[0] >= 0 and not self.constant[e[0]]]
            if not below:
                return None
            edge = below[0]
        return None

    def _given(self, number: int) -> torch.Tensor | None:
        """What a product was given beside its weight."""
        unrolled = self._unrolled
        kind = unrolled.kinds[number]
        for position, name in KEPT.get(kind, {}).items():
            made = unrolled.inputs[number][position][0]
            if made < 0 or not self.constant[made]:
                return saved(unrolled.nodes[number], name)
        return saved(unrolled.nodes[number], "_saved_input") if kind == "Convolution" else None

    def differ(self, edges: list[Edge]) -> bool:
        """Whether these edges hold other numbers from step to step, as far as the graph tells."""
        if len(set(edges)) < 2:
            return False
        found = [self.of(edge) for edge in dict.fromkeys(edges)]
        first = found[0]
        for other in found[1:]:
            if first is None or other is None:
                return True
            if first.number == other.number:
                if first.way != other.way:
                    return True
            elif first.given is None or other.given is None or not _equal(first.given, other.given):
                return True
        return False


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one is other or (
        one.shape == other.shape and one.dtype == other.dtype and bool(torch.equal(one, other))
    )
