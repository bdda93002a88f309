"""Terms of a loss that read the weights alone, as a penalty on their size does: how hard they pull the weights to zero.

Such a term is made of weights by sums, means, powers, absolute values and norms; what the network computes from its
inputs passes a product, an embedding or a kernel on its way, where the search ends. What the term adds to a weight's
gradient is read as it passes in the script's own backward pass.
"""

from __future__ import annotations

import weakref
from typing import Any, Callable, NamedTuple, Tuple

import torch

from .. import graph
from ..recurrence.unrolled import VIEWS
from ..saved import kept

_BENDING = frozenset((
    "Pow", "Abs", "Norm", "LinalgVectorNorm", "Dot", "MseLoss", "L1Loss", "SmoothL1Loss", "HuberLoss",
))  # fmt: skip
"""What makes a size of a weight."""
_ADDING = VIEWS | {"Add", "Sub", "Neg", "Sum", "Mean", "Sqrt", "AddN"}
_MOST = 5_000
"""Operations that are looked at: a penalty on each of a network's weights takes a few for each."""
_MATRIX = 2


_Reference = Tuple[int, "weakref.ref[torch.Tensor]"]
"""A weight, and at which position an operation takes it."""


class _Entry(NamedTuple):
    """An operation of such a term that takes weights themselves."""

    node: Any
    weights: list[tuple[int, torch.Tensor]]
    """With the positions at which it takes them."""


class Penalties:
    """Finds these terms in the losses of a sampled update, and adds up what they pull at each weight.

    pulls: where it is added, by id(tensor): <p, w> / ||w||, p what these terms add to the gradient of w.
    attempt: calls what must not fail within the script's backward pass.
    """

    def __init__(self, pulls: dict[int, float], attempt: Callable[..., None]) -> None:
        self._handles: list[Any] = []
        self._pulls = pulls
        self._attempt = attempt

    def on_backward(self, loss: torch.Tensor) -> None:
        """A backward pass of this loss is about to run."""
        for entry in _entries(loss):
            references = [(position, weakref.ref(weight)) for position, weight in entry.weights]
            self._handles.append(entry.node.register_hook(self._listener(references)))

    def ended(self) -> None:
        """The update is over."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _listener(self, references: list[_Reference]) -> Callable[..., None]:
        def listen(gradients: tuple[torch.Tensor | None, ...], _: Any) -> None:
            self._attempt("penalties", self._add, references, gradients)

        return listen

    def _add(self, references: list[_Reference], gradients: tuple[torch.Tensor | None, ...]) -> None:
        for position, reference in references:
            weight, gradient = reference(), gradients[position]
            if weight is not None and gradient is not None and gradient.shape == weight.shape:
                values = weight.detach().reshape(-1)
                size = float(torch.linalg.vector_norm(values))
                along = float(torch.dot(gradient.detach().reshape(-1), values))
                self._pulls[id(weight)] = self._pulls.get(id(weight), 0.0) + (along / size if size else 0.0)


def _entries(loss: torch.Tensor) -> list[_Entry]:
    """The operations that read weight matrices and nothing else on their way to the loss."""
    found: list[_Entry] = []
    start: tuple[Any, bool] = (loss.grad_fn, False)
    seen, stack = {start}, [start]
    while stack and len(seen) < _MOST:
        node, bent = stack.pop()
        kind = graph.kind_of(node) if node is not None else ""
        bends = kind in _BENDING or (kind == "Mul" and _is_square(node))
        if not (bends or kind in _ADDING or (kind in ("Mul", "Div") and _by_a_number(node))):
            continue
        inputs = [child for child, _ in node.next_functions]
        leaves = [
            (position, leaf) for position, child in enumerate(inputs) if (leaf := _matrix(child)) is not None
        ]
        if leaves and (bent or bends):
            found.append(_Entry(node, leaves))
        for child in inputs:
            reached = (child, bent or bends)
            if child is not None and getattr(child, "variable", None) is None and reached not in seen:
                seen.add(reached)
                stack.append(reached)
    return found


def _matrix(node: Any) -> torch.Tensor | None:
    """The weight matrix that this end of the graph stands for."""
    leaf: torch.Tensor | None = getattr(node, "variable", None)
    return leaf if leaf is not None and leaf.dim() >= _MATRIX else None


def _is_square(node: Any) -> bool:
    """Whether a product is of one tensor with itself."""
    first, second = node.next_functions[0], node.next_functions[-1]
    return len(node.next_functions) == _MATRIX and first[0] is not None and first == second


def _by_a_number(node: Any) -> bool:
    """Whether a product or quotient has one factor that is learned through, and the other is a single number."""
    parts = [child for child, _ in node.next_functions]
    if sum(part is not None for part in parts) != 1:
        return False
    other = kept(node, "_saved_other" if parts[0] is not None else "_saved_self")
    return other is None or other.numel() == 1
