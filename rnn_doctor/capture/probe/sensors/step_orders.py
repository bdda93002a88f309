"""Targets of a loop that calls a module step by step, and stacks what it makes: in which order they are flattened.

A decoder is told the right answer of the step before (teacher forcing), so that the tokens it was given tell of its
targets, whatever the task: at the next step of the same row, and nowhere if the targets stand in another order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ..graph import kind_of, shape_of
from ..saved import kept
from .axis_dependence import FEWEST_PLACES, INPUTS, MOST_PLACES, TARGETS, Features
from .joined import put_together
from .target_grids import grid_of
from .target_orders import Place, told, turned

_MOST_CALLS = 256
_MOST_NODES = 60
"""Between the input of a step and the embedding that its token was looked up in."""
_MOST_ABOVE = 300
_BATCHES = 3
"""That differ: as many as are asked for (derive/target_orders.py)."""


class _Stacked(NamedTuple):
    """What the steps were put together to, as a tensor tells of itself."""

    grad_fn: Any
    shape: tuple[int, ...]
    output_nr: int = 0


class StepOrders:
    """Takes the tokens of modules that are called step by step, and the flattened targets of what their steps make."""

    def __init__(self) -> None:
        self._calls: dict[int, list[torch.Tensor] | None] = {}
        """The tokens of each call in this update, (B) each; None where one has none."""
        self._gathered: dict[int, list[list[Place]]] = {}
        """Batch by batch: as it is, and with its targets read in the other order, in both ways."""

    def on_call(self, number: int, given: torch.Tensor) -> None:
        """A module took one step of each row. Shapes: given (B, I), or (1, B, I) and (B, 1, I)"""
        calls = self._calls.setdefault(number, [])
        tokens = _token_beneath(given, given.numel() // given.shape[-1]) if calls is not None else None
        if calls is None or tokens is None or len(calls) >= _MOST_CALLS:
            self._calls[number] = None
        else:
            calls.append(tokens)

    def on_loss(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> None:
        """A loss function that leads to a gradient returned."""
        for number, calls in self._calls.items():
            many = calls is not None and len(calls) >= FEWEST_PLACES
            if calls is None or not many or len(self._gathered.get(number, [])) >= _BATCHES:
                continue
            steps, rows = len(calls), len(calls[0])
            flat = isinstance(target, torch.Tensor) and target.dim() == 1 and len(target) == steps * rows
            if not flat or rows < FEWEST_PLACES or any(len(each) != rows for each in calls):
                continue
            stacked = _stacked(output, steps, rows)
            if stacked is not None:
                self._take(number, torch.stack(calls), grid_of(function, output, target, options, stacked))

    def _take(self, number: int, tokens: torch.Tensor, grid: Any) -> None:
        """Shapes: tokens (T, B)"""
        if grid is None or grid.values.is_floating_point():
            return
        steps_first = grid.values.shape == tokens.shape
        orders = [tuple(grid), *zip(*map(turned, grid))]
        places = [
            Place(*(_first_places(t) for t in (tokens, *(each if steps_first else (v.t() for v in each)))))
            for each in orders
        ]
        known = self._gathered.setdefault(number, [])
        if not any(torch.equal(places[0].x, batch[0].x) for batch in known):
            known.append(places)

    def updated(self) -> None:
        """A sampled update is complete."""
        self._calls.clear()

    def fields(self, number: int) -> dict[str, float]:
        """What the record of a module says of it; nothing where too few batches were told."""
        batches = self._gathered.pop(number, [])
        if len(batches) < _BATCHES:
            return {}
        first = batches[0][0]
        inputs, targets = Features(first.x, INPUTS), Features(first.y, TARGETS, first.known)
        own, *others = (told(list(each), inputs, targets) for each in zip(*batches))
        count = sum(int(batch[0].known.sum()) for batch in batches)
        return {"batches": len(batches), "targets": count, "own_share": own, "turned_share": max(others)}


def _first_places(values: torch.Tensor) -> torch.Tensor:
    return values[:MOST_PLACES, :MOST_PLACES].to("cpu", copy=True)


def _token_beneath(given: torch.Tensor, rows: int) -> torch.Tensor | None:
    """The token of each row that the input of a step was made of: those of the nearest embedding of as many.

    Shapes: -> (B)
    """
    queue = [given.grad_fn] if given.grad_fn is not None else []
    for node in queue:  # grows while it runs
        indices = kept(node, "_saved_indices") if kind_of(node) == "Embedding" else None
        if indices is not None and indices.numel() == rows:
            return indices.detach().reshape(-1)
        for child, _ in node.next_functions:
            if child is not None and child not in queue and len(queue) < _MOST_NODES:
                queue.append(child)
    return None


def _stacked(predicted: Any, steps: int, rows: int) -> Any:
    """What so many steps of so many rows were put together to, on the way to the predictions."""
    queue = (
        [predicted.grad_fn] if isinstance(predicted, torch.Tensor) and predicted.grad_fn is not None else []
    )
    for node in queue:  # grows while it runs
        shape = shape_of(node) or ()
        of_steps = len(node.next_functions) == steps and sorted(shape[:2]) == sorted((steps, rows))
        if of_steps and steps != rows and put_together(node, {rows}) is not None:
            return _Stacked(node, shape)
        for child, _ in node.next_functions:
            if child is not None and child not in queue and len(queue) < _MOST_ABOVE:
                queue.append(child)
    return None
