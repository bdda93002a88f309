"""What the autograd graph of a loss tells: its parameters, and how it was made."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from .saved import saved

VIEWS = (
    "View", "UnsafeView", "ReshapeAlias", "Transpose", "Permute", "Squeeze", "Unsqueeze", "Select", "Slice",
    "Index", "Expand", "Clone", "T", "ToCopy", "Gather", "IndexSelect", "Alias", "Cat", "Stack",
    "Unbind", "Split", "SplitWithSizes",
)  # fmt: skip
TURNS = ("T", "Transpose", "Permute")
_OF_A_LEAF = (*TURNS, "View", "Expand", "Unsqueeze")
_HEADS = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "Relu": "relu",
    "Tanh": "tanh",
}
_REDUCTIONS = ("Mean", "Sum", "Nansum")
_WEIGHING = frozenset(
    (*_REDUCTIONS, "Neg", "Mul", "Div", "Add", "Sub", "MaskedSelect", "MaskedFill", "Where")
)
"""What makes a loss of logarithms of probabilities."""
_FEW = 500
"""Operations between a loss and its softmax that are looked at."""
_LARGEST = 20_000
_SMALL = 1_024
"""Numbers of a factor that are looked at."""
_PRODUCTS: dict[str, tuple[tuple[int, int, str, int], ...]] = {
    "Mul": ((0, 1, "_saved_self", _SMALL), (1, 0, "_saved_other", _SMALL)),
    "Mm": ((0, 1, "_saved_self", 1),),
    "Addmm": ((1, 2, "_saved_mat1", 1),),  # a Linear of one 0, whose bias alone is wanted
}
"""Of a product: the place of a constant factor, that of what it multiplies, its name, and the most numbers looked at.

Matrices of several numbers are not looked at: states that begin at 0 are no weight, and data that are 0 are a fault."""

_CONSTANT_SIDES: dict[str, tuple[str | None, str | None]] = {
    "Sub": (None, None),
    "Rsub": (None, None),
    "Mul": ("_saved_self", "_saved_other"),
    "Div": ("_saved_self", "_saved_other"),
}
"""Where an operation of two sides keeps the one that has no gradient, if it does."""
_LAYERS = frozenset(
    ("Addmm", "Mm", "Bmm", "Linear", "Convolution", "MkldnnRnnLayer", "CudnnRnn", "Embedding")
)
"""Operations with which a network begins, and its loss ends."""
_MOST_OF_A_LOSS = 200


class Difference(NamedTuple):
    """The subtraction under a hand-written regression loss."""

    prediction_shape: tuple[int, ...]
    result_shape: tuple[int, ...]
    head: str | None
    paired: bool = False
    """An axis was put into the prediction for it to be held against several targets, in results of 3 axes or more."""


def kind_of(node: Any) -> str:
    """The name of the operation, e.g. `View`."""
    name: str = node.name().rsplit("::", 1)[-1]
    return name.split("Backward", maxsplit=1)[0]


def nodes(loss: torch.Tensor, most: int) -> set[Any]:
    """The operations that the loss was made by. The walk ends after `most` of them: those beyond are missing."""
    stack: list[Any] = [loss.grad_fn] if loss.grad_fn is not None else []
    seen = set(stack)
    while stack and len(seen) < most:
        for child, _ in stack.pop().next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                stack.append(child)
    return seen


def reaches(loss: torch.Tensor, sought: set[Any]) -> bool:
    """Whether the loss depends on one of these operations; True also where 20,000 others were met before any."""
    queue: list[Any] = [loss.grad_fn] if loss.grad_fn is not None else []
    seen = set(queue)
    for node in queue:  # grows while it runs
        if node in sought or len(seen) >= _LARGEST:
            return True
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                queue.append(child)
    return False


def leaf_of(node: Any) -> tuple[torch.Tensor | None, bool]:
    """The leaf that an operation is a view of, as a product has it of its weight, and whether it is turned.

    None where it is made of more.
    """
    turned = False
    while node is not None and kind_of(node) in _OF_A_LEAF:
        turned ^= kind_of(node) in TURNS
        node = node.next_functions[0][0]
    return getattr(node, "variable", None), turned


class Leaves(NamedTuple):
    """The leaves of a loss's graph."""

    used: list[torch.Tensor]
    weightless: list[torch.Tensor]
    """Those that the loss depends on through factors of 0 alone, as a term whose weight has not risen yet."""


def leaves(loss: torch.Tensor) -> Leaves:
    """The leaves of the graph. The walk ends after 20,000 nodes: what lies beyond is not listed."""
    found: dict[int, torch.Tensor] = {}
    seen = {loss.grad_fn}
    shut: list[Any] = []
    _gather([loss.grad_fn], found, seen, shut)
    beyond: dict[int, torch.Tensor] = {}
    _gather(shut, beyond, seen, None)
    return Leaves(list(found.values()), [t for key, t in beyond.items() if key not in found])


def _gather(stack: list[Any], found: dict[int, torch.Tensor], seen: set[Any], shut: list[Any] | None) -> None:
    """Adds the leaves under these nodes; `shut` takes what is multiplied by 0, and the walk does not go there."""
    while stack and len(seen) < _LARGEST:
        node = stack.pop()
        if node is None:
            continue
        tensor = getattr(node, "variable", None)
        if tensor is not None:
            found.setdefault(id(tensor), tensor)
            continue
        nothing = None if shut is None else _taken_times_zero(node)
        for place, (child, _) in enumerate(node.next_functions):
            if shut is not None and place == nothing:
                shut.append(child)
            elif child is not None and child not in seen:
                seen.add(child)
                stack.append(child)


def _taken_times_zero(node: Any) -> int | None:
    """The place of what an operation multiplies by a constant that is 0 everywhere; None where it does not."""
    inputs = node.next_functions
    for constant, other, name, most in _PRODUCTS.get(kind_of(node), ()):
        if len(inputs) <= max(constant, other) or inputs[constant][0] is not None or inputs[other][0] is None:
            continue
        factor = saved(node, name)
        if factor is not None and factor.numel() <= most and not bool(factor.any()):
            return other
    return None


def head(tensor: torch.Tensor) -> str | None:
    """The activation that made the tensor, looking through views; None for any other operation."""
    return _head(tensor.grad_fn)


def beneath_head(tensor: torch.Tensor) -> str | None:
    """The activation whose output the last one was given; None where there is none of the two."""
    return _beneath(_behind_views(tensor.grad_fn))


def _behind_views(node: Any) -> Any:
    while node is not None and kind_of(node) in VIEWS:
        node = node.next_functions[0][0] if node.next_functions else None
    return node


def _head(node: Any) -> str | None:
    node = _behind_views(node)
    return _HEADS.get(kind_of(node)) if node is not None else None


def _beneath(node: Any) -> str | None:
    if node is None or kind_of(node) not in _HEADS:
        return None
    return _head(node.next_functions[0][0])


class Repeated(NamedTuple):
    """A log_softmax under a hand-written loss that is given another softmax's output."""

    shape: tuple[int, ...]
    beneath: str


def repeated_softmax(loss: torch.Tensor) -> Repeated | None:
    """The log_softmax of a loss such as `-log_softmax(p)[rows, labels].mean()` where `p` are probabilities already."""
    stack = [loss.grad_fn]
    seen = set(stack)
    while stack and len(seen) < _FEW:
        node = stack.pop()
        kind = "" if node is None else kind_of(node)
        if kind == "LogSoftmax":
            beneath, shape = _beneath(node), shape_of(node)
            if beneath == "softmax" and shape is not None:
                return Repeated(shape, beneath)
        elif node is not None and (kind in _WEIGHING or kind in VIEWS):
            for child, _ in node.next_functions:
                if child not in seen:
                    seen.add(child)
                    stack.append(child)
    return None


def divisor(loss: torch.Tensor) -> float:
    """The number that the script divided its loss by in the last operation; 1 if it did not."""
    node: Any = loss.grad_fn
    number = None if node is None or kind_of(node) not in ("Div", "Mul") else _factor(node)
    if number is None:
        return 1.0
    if kind_of(node) == "Div":
        return number
    return 1.0 / number if number else 1.0


def _factor(node: Any) -> float | None:
    """The constant number that a product or a quotient was made with; None where it is none."""
    if len(node.next_functions) < 2 or node.next_functions[1][0] is not None:
        return None
    other = saved(node, "_saved_other")
    return None if other is None or other.numel() != 1 or other.is_complex() else float(other)


def difference(loss: torch.Tensor) -> Difference | None:
    """The subtraction prediction - target under a loss such as `((p - y) ** 2).mean()`.

    None where the loss has another form, or where both sides depend on parameters.
    """
    node: Any = loss.grad_fn
    while node is not None and kind_of(node) in (*_REDUCTIONS, "Div", "Mul"):
        inputs = {child for child, _ in node.next_functions if child is not None}
        if len(inputs) != 1:
            return None
        node = inputs.pop()
    if node is None or kind_of(node) not in ("Pow", "Abs", "Sub"):
        return None
    if kind_of(node) != "Sub":
        node = node.next_functions[0][0]
    if node is None or kind_of(node) != "Sub":
        return None
    sides = [child for child, _ in node.next_functions if child is not None]
    if len(sides) != 1:
        return None
    shapes = [shape_of(sides[0]), shape_of(node)]
    if shapes[0] is None or shapes[1] is None:
        return None
    paired = kind_of(sides[0]) == "Unsqueeze" and len(shapes[0]) == len(shapes[1]) >= 3
    return Difference(shapes[0], shapes[1], _head(sides[0]), paired)


def spread(loss: torch.Tensor) -> Difference | None:
    """The operation of a hand-written loss that holds each of B predictions against each of B constants, or None.

    Predictions of (B, 1) and targets of (B) make (B, B), however the loss goes on: a square root, a logarithm, a norm.
    Factors of (B, B), as the sets at risk of a survival model are, were meant so.
    """
    stack, seen = [loss.grad_fn], {loss.grad_fn}
    while stack and len(seen) < _MOST_OF_A_LOSS:
        node = stack.pop()
        if node is None or kind_of(node) in _LAYERS:
            continue
        found = _spreads(node)
        if found is not None:
            return found
        fresh = {child for child, _ in node.next_functions} - seen
        seen |= fresh
        stack += fresh
    return None


def _spreads(node: Any) -> Difference | None:
    if kind_of(node) not in _CONSTANT_SIDES or len(node.next_functions) != 2:
        return None
    learned = [(place, child) for place, (child, _) in enumerate(node.next_functions) if child is not None]
    result = shape_of(node) or ()
    if len(learned) != 1 or len(result) != 2 or result[0] != result[1] or result[0] < 2:
        return None
    place, child = learned[0]
    shape = shape_of(child) or ()
    if shape not in ((result[0], 1), result[:1]):
        return None
    name = _CONSTANT_SIDES[kind_of(node)][1 - place]
    constant = None if name is None else saved(node, name)
    if name is not None and (constant is None or constant.numel() > result[0]):
        return None
    return Difference(shape, result, _head(child))


def shape_of(node: Any, number: int = 0) -> tuple[int, ...] | None:
    """The shape of a tensor that the node returned, the first or another; None where it does not tell."""
    metadata = getattr(node, "_input_metadata", None)
    return tuple(int(n) for n in metadata[number].shape) if metadata else None
