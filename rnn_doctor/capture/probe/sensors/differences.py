"""Losses that the script writes out by hand: the differences of output and target that they are made of."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from .. import places
from ..graph import VIEWS, kind_of
from ..listening import Listening

_SENSOR = "losses"
_METHODS = ("__sub__", "sub", "subtract", "dist")
_FUNCTIONS = ("sub", "subtract", "dist")
_DISTANCE = "pairwise_distance"
_MOST_NOTED = 1_024
"""Differences of one update that are kept: a loss over time steps has one for each."""
_MOST_NODES = 2_000
"""Operations between a loss and its differences that are looked through."""
_LARGEST_TARGET = 1_000_000
_COMPARING = frozenset(("Sub", "Dist", "Norm"))
"""What those calls leave in the graph. Every thread counts its operations by itself."""
_EVEN = frozenset(("Pow", "Abs", "Norm", "LinalgVectorNorm", "Cosh", "Dist"))
"""What makes the size of a difference, whichever of the two is larger: only then is it least where they are equal."""
_CHOOSING = frozenset(("Maximum", "Where"))
"""What makes it of the difference and its negative, as for a quantile. With a number it cuts off a part, as a hinge."""
_OF_ITSELF = frozenset(("Mul", "Dot"))
"""What makes it where both factors are the same."""
_PASSED = _EVEN | _CHOOSING | _OF_ITSELF | frozenset((
    *VIEWS, "Mean", "Sum", "Nansum", "Add", "Sub", "Div", "Neg", "Sqrt", "Log", "Log1P", "AddN", "MaskedSelect",
    "MaskedFill",
))  # fmt: skip
"""What combines such sizes to a loss. A network's own operations are none of these, nor is what cuts off a part, as a
hinge does, whose targets are a limit."""
_BY_FORM = {"Pow": "mse_loss", "Mul": "mse_loss", "Abs": "l1_loss"}


class Compared(NamedTuple):
    """An output that a loss holds against a target."""

    output: torch.Tensor
    target: torch.Tensor
    location: dict[str, Any] | None
    like: str | None
    """The loss function that is the same, with the mean over all; None where the loss is made of more."""


class _Noted(NamedTuple):
    output: torch.Tensor
    target: torch.Tensor
    location: dict[str, Any] | None


class Differences:
    """Notes what is subtracted from what, of two tensors of which one is learned through and the other is given.

    Listens only while it watches, to the operators and methods of tensors and the functions of torch.
    """

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._noted: dict[int, _Noted] = {}
        """By the number of the operation in autograd's sequence."""
        self._lines: dict[tuple[str, int] | None, dict[str, Any] | None] = {}
        self.compiles = False
        """The script compiles: what it compiles must meet the functions as torch made them."""
        self.watches = False

    def watch(self, on: bool) -> None:
        """Begins to listen, or ends it and forgets what was noted."""
        if on == self.watches or (on and self.compiles):
            return
        self.watches = on
        self.forget()
        if on:
            self._listening.begin(_SENSOR, self._note, (torch.Tensor,), _METHODS)
            self._listening.begin(_SENSOR, self._note, (torch,), _FUNCTIONS)
            self._listening.begin(_SENSOR, self._note, (torch, torch.nn.functional), (_DISTANCE,))
        else:
            self._listening.end(_SENSOR)

    def forget(self) -> None:
        """The update is over."""
        self._noted.clear()

    def _note(self, _name: str, result: Any, args: Any, kwargs: Any) -> None:
        if not isinstance(result, torch.Tensor) or result.grad_fn is None or len(self._noted) >= _MOST_NOTED:
            return
        sides = [*args, *(kwargs[key] for key in ("other", "x2") if key in kwargs)][:2]
        if len(sides) < 2 or not all(isinstance(side, torch.Tensor) and side.numel() for side in sides):
            return
        output, target = sides if sides[0].requires_grad else reversed(sides)
        if target.requires_grad or output.grad_fn is None or output.is_complex() or target.is_complex():
            return
        if not target.dim() or target.numel() > _LARGEST_TARGET:
            return
        line = places.site()
        if line not in self._lines:
            self._lines[line] = places.here()
        self._noted[result.grad_fn._sequence_nr()] = _Noted(output, target, self._lines[line])

    def beneath(self, loss: torch.Tensor) -> list[Compared]:
        """The outermost differences that the loss is made of by their sizes, one a source line."""
        found: dict[Any, Compared] = {}
        if not self._noted or loss.grad_fn is None:
            return []
        like = _like(loss.grad_fn)
        start: tuple[Any, bool] = (loss.grad_fn, False)
        seen, stack = {start}, [start]
        while stack and len(seen) < _MOST_NODES:
            node, even = stack.pop()
            kind = kind_of(node)
            even = even or kind in _EVEN or (kind in _OF_ITSELF and _is_square(node))
            noted = self._noted.get(node._sequence_nr()) if kind in _COMPARING else None
            if noted is not None:
                if even:
                    place = noted.location
                    key = (place["file"], place["line"]) if place else None
                    found.setdefault(key, Compared(*noted, like))
                continue
            if kind not in _PASSED:
                continue
            if kind in _CHOOSING:
                if not _of_two(node):
                    continue
                even = True
            for child, _ in node.next_functions:
                reached = (child, even)
                if child is not None and reached not in seen:
                    seen.add(reached)
                    stack.append(reached)
        return list(found.values())


def _of_two(node: Any) -> bool:
    return sum(child is not None for child, _ in node.next_functions) > 1


def _is_square(node: Any) -> bool:
    """Whether a product is of one tensor with itself."""
    first, *others = node.next_functions
    return first[0] is not None and others == [first]


def _like(node: Any) -> str | None:
    """The loss function of torch's that is the same as a mean of squares, or of absolute values, of a difference."""
    if kind_of(node) != "Mean" or len(node.next_functions) != 1:
        return None
    size = node.next_functions[0][0]
    kind = kind_of(size) if size is not None else ""
    name = _BY_FORM.get(kind)
    if name is None or (kind == "Mul" and not _is_square(size)):
        return None
    if kind == "Pow" and getattr(size, "_saved_exponent", None) != 2:
        return None
    below = size.next_functions[0][0]
    return name if below is not None and kind_of(below) == "Sub" else None
