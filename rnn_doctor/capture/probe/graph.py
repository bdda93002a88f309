"""What the autograd graph of a loss tells: its parameters, and how it was made."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from .saved import saved

VIEWS = (
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


class Difference(NamedTuple):
    """The subtraction under a hand-written regression loss."""

    prediction_shape: tuple[int, ...]
    result_shape: tuple[int, ...]
    head: str | None


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


def leaves(loss: torch.Tensor) -> list[torch.Tensor]:
    """The leaves of the graph. The walk ends after 20,000 nodes: what lies beyond is not listed."""
    found: dict[int, torch.Tensor] = {}
    seen = {loss.grad_fn}
    stack = [loss.grad_fn]
    while stack and len(seen) < _LARGEST:
        node = stack.pop()
        if node is None:
            continue
        for child, _ in node.next_functions:
            if child is None or child in seen:
                continue
            tensor = getattr(child, "variable", None)
            if tensor is not None:
                found.setdefault(id(tensor), tensor)
            else:
                seen.add(child)
                stack.append(child)
    return list(found.values())


def head(tensor: torch.Tensor) -> str | None:
    """The activation that made the tensor, looking through views; None for any other operation."""
    return _head(tensor.grad_fn)


def _head(node: Any) -> str | None:
    while node is not None and kind_of(node) in VIEWS:
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
    other = saved(node, "_saved_other")
    if other is None or other.numel() != 1:
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
