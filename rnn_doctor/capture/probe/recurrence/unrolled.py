"""The autograd graph of a loss as lists: its operations, who takes what from whom, and the weights they apply."""

from __future__ import annotations

from typing import Any

import torch

from ..graph import kind_of

LARGEST = 20_000
"""Operations that are looked at: more would cost too much time in Python."""
PRODUCTS = {
    "Mm": (0, 1), "Bmm": (0, 1), "Mv": (0, 1), "Dot": (0, 1), "Matmul": (0, 1), "Linear": (0, 1),
    "Addmm": (1, 2), "Addmv": (1, 2), "Baddbmm": (1, 2), "Addbmm": (1, 2), "Addr": (1, 2),
    "Convolution": (0, 1), "MkldnnRnnLayer": (0, 1, 2), "CudnnRnn": (0, 1), "Scaling": (0, 1),
    "ScaledSum": (1, 2), "Mixture": (0, 1, 2),
}  # fmt: skip
"""Operations that multiply, with the positions of their factors: a bias that is added is none."""
VIEWS = frozenset((
    "View", "UnsafeView", "ReshapeAlias", "Transpose", "Permute", "Squeeze", "Unsqueeze", "Select", "Slice", "T",
    "Expand", "Clone", "ToCopy", "Alias", "Split", "SplitWithSizes", "UnsafeSplit", "Chunk", "Unbind", "Index",
    "IndexSelect", "Repeat", "AsStrided", "Cat", "Stack",
))  # fmt: skip
"""Operations that move numbers about without changing them."""
SCALING = "Scaling"
"""Not a name of torch's: a multiplication of each unit by a weight or a gate of its own."""
ELEMENTWISE = {"Mul": SCALING, "Div": SCALING, "Addcmul": "ScaledSum", "Lerp": "Mixture"}
"""What multiplies unit by unit, and its kind where it carries a state on."""
UNIT_BY_UNIT = frozenset(ELEMENTWISE.values())
_OF_ONE_AXIS = VIEWS | {"Sigmoid", "Tanh", "Exp", "Abs", "Neg", "Softplus", "Clamp", "ClampMin", "ClampMax"}
"""What bounds the weights of single units."""
_OF_WEIGHTS = VIEWS | {
    "Mul", "Div", "Add", "Sub", "Neg", "NativeDropout", "WeightNormInterface",
    "Abs", "Relu", "Softplus", "Exp", "Pow", "Sigmoid", "Tril", "Triu", "LinalgMatrixExp", "LinalgSolveEx",
    "LinalgSolve", "LinalgHouseholderProduct", "Sum", "Reciprocal",
}  # fmt: skip
"""Operations that make the matrix of a product of weights alone: masked, dropped, normalized, kept positive or
orthogonal."""
_SCALES = ("Mul", "Div")
_MOST_OF_A_SCALE = 16
KEPT = {
    "Addmm": {1: "_saved_mat1", 2: "_saved_mat2"},
    "Mm": {0: "_saved_self", 1: "_saved_mat2"},
    "Bmm": {0: "_saved_self", 1: "_saved_mat2"},
    "Mv": {0: "_saved_self", 1: "_saved_vec"},
    "Linear": {0: "_saved_input"},
}
"""Where an operation keeps its factors, by position."""


class Unrolled:
    """The operations under a loss by number, the loss's own first."""

    def __init__(self, loss: torch.Tensor, root: Any = None) -> None:
        """The operations under a loss; under `root` where that is the operation that made another tensor."""
        self.loss = loss
        self.nodes: list[Any] = [loss.grad_fn if root is None else root]
        self.kinds: list[str] = []
        self.inputs: list[list[tuple[int, int]]] = []
        """By position: the operation that made it, -1 where no gradient flows, and which of its outputs."""
        self.whole = True
        self._number()
        self.takers: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        """Who takes what an operation made, and at which position."""
        for taker, inputs in enumerate(self.inputs):
            for position, (made, _) in enumerate(inputs):
                if made >= 0:
                    self.takers[made].append((taker, position))
        self.order = self._order()
        """All numbers, what makes something before what takes it."""

    def _number(self) -> None:
        numbers = {self.nodes[0]: 0}
        for node in self.nodes:  # grows while it runs
            self.kinds.append(kind_of(node))
            inputs = []
            for child, output in node.next_functions:
                number = -1 if child is None else numbers.get(child, -1)
                if child is not None and number < 0:
                    if len(self.nodes) < LARGEST:
                        number = numbers[child] = len(self.nodes)
                        self.nodes.append(child)
                    else:
                        self.whole = False
                inputs.append((number, output))
            self.inputs.append(inputs)

    def _order(self) -> list[int]:
        missing = [sum(made >= 0 for made, _ in inputs) for inputs in self.inputs]
        order = [number for number, count in enumerate(missing) if not count]
        for number in order:  # grows while it runs
            for taker, _ in self.takers[number]:
                missing[taker] -= 1
                if not missing[taker]:
                    order.append(taker)
        return order

    def shape(self, edge: tuple[int, int]) -> tuple[int, ...]:
        """The shape of one output of an operation."""
        return tuple(int(n) for n in self.nodes[edge[0]]._input_metadata[edge[1]].shape)

    def dtype(self, number: int) -> torch.dtype:
        """The type of what an operation made."""
        dtype: torch.dtype = self.nodes[number]._input_metadata[0].dtype
        return dtype

    def applied(self) -> dict[int, list[int]]:
        """By the number of each weight: the products that it is a factor of, as it is, transposed or masked."""
        made_of: list[frozenset[int] | None] = [None] * len(self.nodes)
        found: dict[int, list[int]] = {}
        scales: set[int] = set()
        for number in self.order:
            kind = self.kinds[number]
            parts = [made_of[made] for made, _ in self.inputs[number] if made >= 0]
            if getattr(self.nodes[number], "variable", None) is not None:
                made_of[number] = frozenset((number,))
            elif kind in PRODUCTS:
                factors = [self.inputs[number][p] for p in PRODUCTS[kind] if p < len(self.inputs[number])]
                makers = [made_of[made] for made, _ in factors if made >= 0]
                if None not in makers and self._makes_matrix(number, factors):
                    made_of[number] = frozenset().union(*(maker for maker in makers if maker is not None))
                    continue
                for weight in {w for maker in makers for w in maker or ()}:
                    found.setdefault(weight, []).append(number)
            elif kind in _OF_WEIGHTS and parts and None not in parts:
                made_of[number] = frozenset().union(*(part for part in parts if part is not None))
            elif kind in _SCALES and len(parts) > 1:
                made_of[number], scale = self._scaled(number, made_of)
                scales |= self._beneath(scale)
        kept = {weight: [p for p in products if p not in scales] for weight, products in found.items()}
        return {weight: products for weight, products in kept.items() if products}

    def _makes_matrix(self, number: int, factors: list[tuple[int, int]]) -> bool:
        """Whether a product of weights alone makes another matrix, as of a low rank, that a product is made with.

        Also one that turns what was computed of weights by a fixed matrix of the same size, as orthogonal
        parametrizations do. Weights that are a first state are no matrix.
        """
        known = [edge for edge in factors if edge[0] >= 0]
        if len(factors) != 2 or not known:
            return False  # a whole layer, or nothing that learns
        if len(known) > 1:
            return self._is_factor(number)
        return self._is_computed(known[0]) and self.shape(known[0]) == self.shape((number, 0))

    def _is_factor(self, number: int) -> bool:
        """Whether products alone take what an operation made, as it is or turned."""
        takers = [taker for taker, _ in self.takers[number]]
        return bool(takers) and all(
            self.kinds[taker] in PRODUCTS or (self.kinds[taker] in VIEWS and self._is_factor(taker))
            for taker in takers
        )

    def _is_computed(self, edge: tuple[int, int]) -> bool:
        while self.kinds[edge[0]] in (*VIEWS, "Mul") and self.inputs[edge[0]][0][0] >= 0:
            edge = self.inputs[edge[0]][0]
        return self.kinds[edge[0]].startswith("Linalg")

    def _scaled(self, number: int, made_of: list[frozenset[int] | None]) -> tuple[frozenset[int] | None, int]:
        """What the matrix is made of that is multiplied or divided by one number, and the operation that made that."""
        edges = self.inputs[number][:2]
        for (made, _), scale in zip(edges, edges[::-1]):
            if made_of[made] is not None and torch.Size(self.shape(scale)).numel() == 1:
                return made_of[made], scale[0]
        return None, -1

    def _beneath(self, number: int) -> set[int]:
        """The few operations that make a number out of weights, as a spectral norm; none where they are many."""
        seen, stack = {number}, [number]
        while stack and number >= 0:
            for made, _ in self.inputs[stack.pop()]:
                if made >= 0 and made not in seen:
                    seen.add(made)
                    stack.append(made)
            if len(seen) > _MOST_OF_A_SCALE:
                return set()
        return seen

    def scalings(self) -> dict[int, list[int]]:
        """By the number of each weight of one axis: where it multiplies what is no weight, unit by unit.

        These operations are of the kind `Scaling` from then on, so that they count among the products.
        """
        made_of: list[int] = [-1] * len(self.nodes)
        found: dict[int, list[int]] = {}
        for number in self.order:
            inputs = self.inputs[number]
            leaf = getattr(self.nodes[number], "variable", None)
            if leaf is not None:
                made_of[number] = number if leaf.numel() > 1 and leaf.numel() == max(leaf.shape) else -1
            elif self.kinds[number] == "Mul" and all(made >= 0 for made, _ in inputs):
                weights = {made_of[made] for made, _ in inputs}
                if len(weights) == 2 and -1 in weights:
                    self.kinds[number] = SCALING
                    found.setdefault(max(weights), []).append(number)
            elif self.kinds[number] in _OF_ONE_AXIS:
                weights = {made_of[made] for made, _ in inputs if made >= 0}
                made_of[number] = weights.pop() if len(weights) == 1 else -1
        return found

    def levels(self, products: list[int]) -> list[int]:
        """By operation: how many of these products are on the longest chain that it depends on, itself counted."""
        own = set(products)
        level = [0] * len(self.nodes)
        for number in self.order:
            below = max((level[made] for made, _ in self.inputs[number] if made >= 0), default=0)
            level[number] = below + (number in own)
        return level
