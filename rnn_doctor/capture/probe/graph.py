"""What the autograd graph of a loss tells: its parameters, recurrences, and how it was made."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

_VIEWS = (
    "View", "UnsafeView", "ReshapeAlias", "Transpose", "Permute", "Squeeze", "Unsqueeze", "Select", "Slice",
    "Index", "Expand", "Clone", "T", "ToCopy", "Gather", "IndexSelect", "Alias", "Cat", "Stack",
)  # fmt: skip
_HEADS = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "Relu": "relu",
    "Tanh": "tanh",
}
_REDUCTIONS = ("Mean", "Sum", "Nansum")
_LARGEST = 20_000
_LEAST_REPEATS = 3
_MOST_CANDIDATES = 12


class Leaf(NamedTuple):
    """A tensor that the loss depends on, and the operations that take it."""

    tensor: torch.Tensor
    users: list[Any]


class Difference(NamedTuple):
    """The subtraction under a hand-written regression loss."""

    prediction_shape: tuple[int, ...]
    result_shape: tuple[int, ...]
    head: str | None


def kind_of(node: Any) -> str:
    """The name of the operation, e.g. `View`."""
    name: str = node.name().rsplit("::", 1)[-1]
    return name.split("Backward", maxsplit=1)[0]


def leaves(loss: torch.Tensor) -> list[Leaf]:
    """The leaves of the graph, each with its users (views such as a transposition looked through).

    The walk ends after 20,000 nodes: what lies beyond is not listed.
    """
    found: dict[int, Leaf] = {}
    above: dict[Any, Any] = {}
    seen = {loss.grad_fn}
    stack = [loss.grad_fn]
    while stack and len(seen) < _LARGEST:
        node = stack.pop()
        if node is None:
            continue
        for child, _ in node.next_functions:
            if child is None:
                continue
            tensor = getattr(child, "variable", None)
            if tensor is not None:
                found.setdefault(id(tensor), Leaf(tensor, [])).users.append(_operation(node, above))
            elif child not in seen:
                seen.add(child)
                above[child] = node
                stack.append(child)
    return list(found.values())


def _operation(node: Any, above: dict[Any, Any]) -> Any:
    while kind_of(node) in _VIEWS and node in above:
        node = above[node]
    return node


def recurrent(all_leaves: list[Leaf]) -> list[tuple[torch.Tensor, int]]:
    """The weights of hand-written recurrences, with how many times each was applied in a row.

    A weight is recurrent when it is applied several times and one application feeds another; the weights
    that read the inputs are applied as often, but independently.
    """
    matrices = [leaf for leaf in all_leaves if leaf.tensor.dim() > 1 and len(leaf.users) >= _LEAST_REPEATS]
    return [(leaf.tensor, len(leaf.users)) for leaf in matrices[:_MOST_CANDIDATES] if _feeds_itself(leaf)]


def _feeds_itself(leaf: Leaf) -> bool:
    users = set(leaf.users)
    if len(users) < _LEAST_REPEATS:
        return False
    # The users stand in the order of the walk, the last applications first.
    for start in (leaf.users[0], leaf.users[-1]):
        seen = {start}
        stack = [start]
        while stack and len(seen) < _LARGEST:
            for child, _ in stack.pop().next_functions:
                if child in users and child is not start:
                    return True
                if child is not None and child not in seen:
                    seen.add(child)
                    stack.append(child)
    return False


def head(tensor: torch.Tensor) -> str | None:
    """The activation that made the tensor, looking through views; None for any other operation."""
    return _head(tensor.grad_fn)


def _head(node: Any) -> str | None:
    while node is not None and kind_of(node) in _VIEWS:
        node = node.next_functions[0][0] if node.next_functions else None
    return _HEADS.get(kind_of(node)) if node is not None else None


def divisor(loss: torch.Tensor) -> float:
    """The number that the script divided its loss by in the last operation; 1 if it did not."""
    node: Any = loss.grad_fn
    if node is None or len(node.next_functions) < 2 or node.next_functions[1][0] is not None:
        return 1.0
    kind = kind_of(node)
    if kind not in ("Div", "Mul"):
        return 1.0
    other = getattr(node, "_saved_other", None)
    if not isinstance(other, torch.Tensor) or other.numel() != 1:
        return 1.0
    number = float(other)
    if kind == "Div":
        return number
    return 1.0 / number if number else 1.0


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
    return Difference(shapes[0], shapes[1], _head(sides[0]))


def shape_of(node: Any) -> tuple[int, ...] | None:
    """The shape of the first tensor that the node returned; None where it does not tell."""
    metadata = getattr(node, "_input_metadata", None)
    return tuple(int(n) for n in metadata[0].shape) if metadata else None
