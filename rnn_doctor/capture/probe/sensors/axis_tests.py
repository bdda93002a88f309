"""Whether the targets of a recurrent module's places depend on inputs along its time, or along its batch."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..writer import Writer
from .axis_dependence import (
    BATCH,
    FEWEST_PLACES,
    FOUND,
    INPUTS,
    MOST_PLACES,
    SILENT,
    TARGETS,
    TIME,
    AxisDependence,
    Features,
)
from .dependence import Abstained
from .graph_tokens import oriented, unlearned
from .losses import CLASSIFYING
from .step_orders import StepOrders
from .target_grids import Grid, grid_of, targets_by_place
from .target_orders import Place, told, turned

_FEWEST_TARGETS = 64
_MOST_CALLS = 1000
"""Of a cell in an update: more are not held."""


class _Call(NamedTuple):
    """The first call of a module in the update that is under way."""

    batch_first: bool
    x: torch.Tensor
    """Tokens (first, second) or numbers (first, second, F)."""
    output: torch.Tensor


class _Steps:
    """The calls of a cell in the update that is under way."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.calls = 0
        self.numbers: list[torch.Tensor] | None = []
        """What it was given, (rows, I) each; None where layers that learn made it, or the rows change."""

    def add(self, given: torch.Tensor) -> None:
        """Takes a call."""
        self.calls += 1
        fits = given.dim() == 2 and len(given) == self.rows and given.grad_fn is None
        if self.numbers is not None and fits and self.calls <= _MOST_CALLS:
            self.numbers.append(given.detach())
        else:
            self.numbers = None


class _Gathered:
    """What the batches of one module have told so far."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor, known: torch.Tensor) -> None:
        self.inputs, self.targets = Features(x, INPUTS), Features(y, TARGETS, known)
        self.dependence = AxisDependence()
        self._seen: set[float] = set()
        self._orders: list[list[Place]] = []
        """Of each batch: as it is, and with its targets read in the other order, in both ways."""

    def add(self, orders: list[Place]) -> None:
        """Takes a batch, unless it was seen before."""
        x, y, known = orders[0]
        if (x.dim() == 2, y.dim() == 2) != (self.inputs.tokens, self.targets.tokens):
            raise Abstained("its inputs or targets are not of one kind")
        mark = float((x.double().flatten() * torch.arange(1, x.numel() + 1, device="cpu")).sum())
        if mark not in self._seen:
            self._seen.add(mark)
            self.dependence.add(self.inputs.of(x), self.targets.of(y), known)
            self._orders.append(orders)

    def orders(self) -> dict[str, float]:
        """What the inputs around them tell of the targets as they stand, and in the other order, where that is told."""
        if min(map(len, self._orders)) == 1:
            return {}
        own, *others = (told(list(batches), self.inputs, self.targets) for batches in zip(*self._orders))
        return {"own_share": own, "turned_share": max(others)}


class AxisTests:
    """Takes the inputs and targets of every module at sampled steps, and tests them as soon as they tell enough."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._calls: dict[int, _Call] = {}
        self._gathered: dict[int, _Gathered] = {}
        self._closed: set[int] = set()
        self._cells: dict[int, _Steps] = {}
        self._step_orders = StepOrders()
        self._stepwise: dict[int, str] = {}
        """Modules whose steps are calls of their own, and why their axes are not tested; their targets may be."""
        self._losses: list[tuple[str, Any, dict[str, Any]]] = []
        """Those of the update that is under way: function, target and options."""
        self._step = 1

    def on_call(self, step: int, number: int, module: Any, given: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients at a sampled step."""
        self._step = step
        self._on_step(number, module, given)
        if number in self._closed:
            return
        if number in self._calls:
            self._close(number, "it is called several times for one loss")
            return
        if not isinstance(module, nn.RNNBase):
            steps = self._cells.setdefault(number, _Steps(given.shape[0] if given.dim() > 1 else 1))
            steps.add(given)
        elif isinstance(given, PackedSequence):
            self._close(number, "packed sequences carry their lengths, which tell the axes apart")
        elif given.dim() == 3:
            x = unlearned(given)
            if x is None:
                self._close(number, "its input is made by layers that learn")
            elif min(given.shape[:2]) >= FEWEST_PLACES:
                self._calls[number] = _Call(module.batch_first, x, output[0])

    def _on_step(self, number: int, module: Any, given: Any) -> None:
        """Such a call may be one step of many, as a decoder's are."""
        if isinstance(given, PackedSequence) or (number in self._closed and number not in self._stepwise):
            return
        time_axis = 1 if getattr(module, "batch_first", False) else 0
        if not isinstance(module, nn.RNNBase) or (given.dim() == 3 and given.shape[time_axis] == 1):
            self._stepwise.setdefault(number, "")
            self._step_orders.on_call(number, given)

    def on_loss(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> None:
        """A loss function that leads to a gradient returned, at a sampled step."""
        self._losses.append((function, target, options))
        self._step_orders.on_loss(function, output, target, options)
        for number, call in list(self._calls.items()):
            try:
                grid = grid_of(function, output, target, options, call.output)
                if grid is not None:
                    self._take(number, _orders(call, grid, target))
                    del self._calls[number]
            except Abstained as reason:
                self._close(number, str(reason))

    def on_graph(
        self,
        step: int,
        sizes: dict[int, tuple[int, int]],
        tables: list[torch.Tensor],
        given: dict[int, list[torch.Tensor]],
    ) -> None:
        """A backward pass is about to run; sizes: steps and rows of the recurrences that the script wrote by hand.

        tables: the tokens that the loss depends on; given: the numbers that these recurrences took, (B, I) each.
        """
        self._step = step
        cells, self._cells = self._cells, {}
        runs: dict[int, tuple[tuple[int, int], list[torch.Tensor] | None]]
        runs = {number: (run, None if tables else _whole(given.get(number))) for number, run in sizes.items()}
        runs |= {number: ((steps.calls, steps.rows), steps.numbers) for number, steps in cells.items()}
        for number, (run, numbers) in runs.items():
            if number not in self._closed:
                try:
                    self._take(number, [self._along(run, numbers, tables)])
                except Abstained as reason:
                    self._close(number, str(reason))

    def _along(
        self, run: tuple[int, int], numbers: list[torch.Tensor] | None, tables: list[torch.Tensor]
    ) -> Place:
        """The inputs, targets and known targets of a loop of so many steps and rows, its steps first.

        Raises: Abstained: they are not told.
        """
        steps, rows = run
        tokens = oriented(tables, steps, rows)
        if steps == rows or min(run) < FEWEST_PLACES or (tokens is None and numbers is None):
            raise Abstained("it is called one time step at a time")
        if len(self._losses) != 1:
            raise Abstained("several losses, or none of torch's, are taken of its steps")
        function, target, options = self._losses[0]
        values = targets_by_place(function, target, run, tokens)
        if values is None:
            raise Abstained("its targets are not laid out as its tokens are")
        known = torch.ones(run, dtype=torch.bool, device=values.device)
        if function in CLASSIFYING and not values.is_floating_point():
            known = (values != options.get("ignore_index", -100)) & (values >= 0)
        x = torch.stack(numbers[:MOST_PLACES]) if numbers is not None else tokens
        assert x is not None
        return Place(_time_first(x, False), _time_first(values, False), _time_first(known, False))

    def _take(self, number: int, orders: list[Place]) -> None:
        """Takes a batch. orders: as it is, then with its targets in other orders that they may have."""
        x, y, known = orders[0]
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            if int(known.sum()) < _FEWEST_TARGETS:
                raise Abstained("too few places of a batch have a target")
            if not all(bool(t.isfinite().all()) for t in (x, y) if t.is_floating_point()):
                raise Abstained("its inputs or targets are not finite")
            gathered = self._gathered.get(number)
            if gathered is None:
                gathered = self._gathered[number] = _Gathered(x, y, known)
            gathered.add(orders)
            # What is called step by step waits for what its steps tell of the order of its targets.
            if number not in self._stepwise and gathered.dependence.told_enough():
                self._write(number)

    def updated(self) -> None:
        """A sampled update is complete; what waits for a loss still has none of torch's."""
        for number in list(self._calls):
            self._close(number, "no loss function of torch is given what it makes of its output")
        self._cells.clear()
        self._losses.clear()
        self._step_orders.updated()

    def finish(self) -> None:
        """Nothing is observed any more: what was gathered must do."""
        for number in list(self._gathered):
            with torch.no_grad(), torch.autocast("cpu", enabled=False):
                self._write(number)
        for number, reason in self._stepwise.items():
            if reason:
                with torch.no_grad(), torch.autocast("cpu", enabled=False):
                    self._write_absent(number, reason, self._step_orders.fields(number))
        self._stepwise.clear()

    def _close(self, number: int, reason: str) -> None:
        self._calls.pop(number, None)
        self._gathered.pop(number, None)
        self._closed.add(number)
        if number in self._stepwise:
            self._stepwise[number] = reason  # told in the end, with the order of its targets
        else:
            self._write_absent(number, reason, {})

    def _write_absent(self, number: int, reason: str, fields: dict[str, Any]) -> None:
        self._writer.write("axis_dependence", step=self._step, module=number, absent=reason, **fields)

    def _write(self, number: int) -> None:
        gathered = self._gathered.pop(number)
        self._closed.add(number)
        found = gathered.dependence
        time, batch = found.told(TIME), found.told(BATCH)
        silent = max(time.score, batch.score) < SILENT
        orders = gathered.orders() if silent else {}
        if number in self._stepwise:  # its targets were read in the order that its steps have
            orders |= {k: v for k, v in self._step_orders.fields(number).items() if k.endswith("_share")}
        self._writer.write(
            "axis_dependence", step=self._step, module=number, batches=found.batches, targets=found.compared,
            time_score=time.score, time_lag=time.lag, time_share=time.share, batch_score=batch.score,
            batch_lag=batch.lag, batch_share=batch.share,
            positions=None if time.score >= FOUND else found.positions(),  # there it decides nothing
            **orders,
        )  # fmt: skip


def _whole(given: list[torch.Tensor] | None) -> list[torch.Tensor] | None:
    """What the steps of a loop took, where it can be put together."""
    return given if given and all(each.shape == given[0].shape for each in given) else None


def _orders(call: _Call, grid: Grid, target: torch.Tensor) -> list[Place]:
    """The batch as it is; of targets in one row, or of as many steps as rows, also with these read in other orders."""
    first, second = call.x.shape[:2]
    grids = [tuple(grid)]
    if first == second or len(target) == first * second:
        grids += zip(*map(turned, grid))
    x = _time_first(call.x, call.batch_first)
    return [Place(x, *(_time_first(t, call.batch_first) for t in each)) for each in grids]


def _time_first(values: torch.Tensor, batch_first: bool) -> torch.Tensor:
    """The first places of both axes, copied. Shapes: (B, T, ...) or (T, B, ...) -> (T, B, ...)."""
    values = values.transpose(0, 1) if batch_first else values
    return values[:MOST_PLACES, :MOST_PLACES].to("cpu", copy=True)
