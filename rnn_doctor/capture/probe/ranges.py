"""What the last operations before a tensor can give at all: a clamp or a sigmoid bounds it, whatever is learned."""

from __future__ import annotations

import math
from typing import Any, Callable, NamedTuple

import torch

from .graph import VIEWS, kind_of
from .saved import saved

_JOINS = ("Cat", "Stack")
_FARTHEST = 16
"""Operations that are looked through: reshapes, factors, changes of sign."""


class Range(NamedTuple):
    """Between which numbers a tensor stays."""

    operation: str
    """The one that bounds it, e.g. `clamp`."""
    low: float
    """-inf where it is not bounded below."""
    high: float


def _between(operation: str, low: float, high: float) -> Callable[[Any], Range]:
    return lambda node: Range(operation, low, high)


def _kept(operation: str, low: str | None, high: str | None) -> Callable[[Any], Range]:
    """Bounds that the operation was given as numbers; where it was given none, or tensors, it has none."""

    def bounds(node: Any) -> Range:
        given = [None if name is None else getattr(node, name, None) for name in (low, high)]
        ends = [
            float(end) if isinstance(end, (int, float)) else none
            for end, none in zip(given, (-math.inf, math.inf))
        ]
        return Range(operation, *ends)

    return bounds


_BOUNDED: dict[str, Callable[[Any], Range]] = {
    "Relu": _between("ReLU", 0.0, math.inf),
    "Sigmoid": _between("sigmoid", 0.0, 1.0),
    "Tanh": _between("tanh", -1.0, 1.0),
    "Softmax": _between("softmax", 0.0, 1.0),
    "LogSoftmax": _between("log_softmax", -math.inf, 0.0),
    "LogSigmoid": _between("logsigmoid", -math.inf, 0.0),
    "Softplus": _between("softplus", 0.0, math.inf),
    "Exp": _between("exponential", 0.0, math.inf),
    "Abs": _between("absolute value", 0.0, math.inf),
    "Sqrt": _between("square root", 0.0, math.inf),
    "Hardsigmoid": _between("hardsigmoid", 0.0, 1.0),
    "Hardtanh": _kept("hardtanh", "_saved_min_val", "_saved_max_val"),
    "Clamp": _kept("clamp", "_saved_min", "_saved_max"),
    "ClampMin": _kept("clamp", "_saved_min", None),
    "ClampMax": _kept("clamp", None, "_saved_max"),
}


def range_of(tensor: torch.Tensor) -> Range | None:
    """What the tensor can be by the operation that made it, looking through views and factors that are one number.

    None where it is bounded by nothing, or what bounds it is not followed, as behind an addition.
    """
    return _range(tensor.grad_fn, _FARTHEST)


def _range(node: Any, farthest: int) -> Range | None:
    factor = 1.0
    for _ in range(farthest):
        if node is None:
            return None
        kind = kind_of(node)
        if kind in _BOUNDED:
            return _finite(_times(_BOUNDED[kind](node), factor))
        if kind in _JOINS:
            return _together([_range(child, farthest - 1) for child, _ in node.next_functions], factor)
        if kind in ("Mul", "Div", "Neg"):
            times = _factor(node, kind)
            if times is None:
                return None
            factor *= times
        elif kind not in VIEWS:
            return None
        node = node.next_functions[0][0] if node.next_functions else None
    return None


def _factor(node: Any, kind: str) -> float | None:
    """The one number that all of the first argument is multiplied by; None where it is no such."""
    if kind == "Neg":
        return -1.0
    if len(node.next_functions) > 1 and node.next_functions[1][0] is not None:
        return None
    other = saved(node, "_saved_other")
    if other is None or other.numel() != 1 or not float(other):
        return None
    return float(other) if kind == "Mul" else 1 / float(other)


def _times(bounds: Range, factor: float) -> Range:
    ends = sorted((bounds.low * factor, bounds.high * factor))
    return Range(bounds.operation, *ends)


def _together(parts: list[Range | None], factor: float) -> Range | None:
    """Of tensors that were joined: all have to be bounded, by the same operation."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or len({part.operation for part in known}) != 1:
        return None
    low, high = min(part.low for part in known), max(part.high for part in known)
    return _finite(_times(Range(known[0].operation, low, high), factor))


def _finite(bounds: Range) -> Range | None:
    """None of bounds that bound nothing, as a clamp that was given tensors, or that are no numbers."""
    if any(map(math.isnan, bounds[1:])) or (bounds.low == -math.inf and bounds.high == math.inf):
        return None
    return bounds
