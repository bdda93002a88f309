"""Which operation on the way to a loss made the first number that is not finite, and at which line."""

from __future__ import annotations

from typing import Any

import torch

from .. import graph
from ..origins import Origins, line_of
from ..saved import is_packed
from ..writer import Writer

_MOST_NODES = 4_000
_LEAVES = 2**63
"""Sequence numbers above it are those of leaves, which are no operations."""
_RESULTS = ("_saved_result", "_saved_output", "_saved_result0", "_saved_result1")
_LOGARITHMS = {"Log": 0.0, "Log2": 0.0, "Log10": 0.0, "Log1p": -1.0}
"""Not finite at and below this."""


class BrokenOperations:
    """Finds the operation in the graph, by the numbers that it kept for the backward pass, and its line in the next.

    The line needs one more update: the graph of the loss that broke was made before anyone asked.
    """

    def __init__(self, writer: Writer, origins: Origins) -> None:
        self._writer = writer
        self._origins = origins
        self.sought: tuple[int, str, int] | None = None
        """Update, kind of the operation, and its place among those of its kind."""

    def search(self, step: int, loss: torch.Tensor) -> None:
        """Writes the first operation that made something of finite numbers that is not."""
        nodes = _in_order(loss)
        broken = first_broken(nodes)
        if broken is None:
            return
        kind = graph.kind_of(broken)
        same = [node for node in nodes if graph.kind_of(node) == kind]
        self.sought = step, kind, same.index(broken)
        self._writer.write("non_finite", step=step, what="operation", subject=kind)
        self._origins.begin("non_finite")

    def on_backward(self, loss: torch.Tensor) -> None:
        """The next backward pass is about to run: the same operation has its line now."""
        assert self.sought is not None
        self._origins.end("non_finite")
        (step, kind, place), self.sought = self.sought, None
        same = [node for node in _in_order(loss) if graph.kind_of(node) == kind]
        location = line_of(same[place]) if place < len(same) else None
        if location is not None:
            self._writer.write("non_finite", step=step, what="operation", subject=kind, location=location)


def _in_order(loss: torch.Tensor) -> list[Any]:
    """The operations that the loss was made by, the first in front."""
    nodes = [node for node in graph.nodes(loss, _MOST_NODES) if node._sequence_nr() < _LEAVES]
    return sorted(nodes, key=lambda node: node._sequence_nr())


def first_broken(nodes: list[Any]) -> Any:
    """The first operation whose result is not finite though what it was given is.

    None if: what an operation was given is not finite, and what made it kept nothing that tells more; or to read
    what it kept would run code of the script's own.
    """
    for node in nodes:
        if is_packed(node):
            return None
        results, given = _kept(node)
        if not all(map(_finite, given)):
            return None
        if not all(map(_finite, results)) or _is_undefined(node):
            return node
    return None


def _kept(node: Any) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """What an operation keeps of its result, and of what it was given."""
    results: list[torch.Tensor] = []
    given: list[torch.Tensor] = []
    for name in dir(node):
        if name.startswith("_saved_"):
            value = getattr(node, name)
            if isinstance(value, torch.Tensor):
                (results if name in _RESULTS else given).append(value.detach())
    return results, given


def _is_undefined(node: Any) -> bool:
    kind = graph.kind_of(node)
    if kind in _LOGARITHMS:
        return bool((node._saved_self.detach() <= _LOGARITHMS[kind]).any())
    if kind == "Div" and isinstance(node._saved_other, torch.Tensor):
        return bool((node._saved_other.detach() == 0).any())
    if kind == "Pow" and isinstance(node._saved_self, torch.Tensor):
        power = float(node._saved_exponent)
        base = node._saved_self.detach()
        return bool((base < 0).any()) if power % 1 else power < 0 and bool((base == 0).any())
    return False


def _finite(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
