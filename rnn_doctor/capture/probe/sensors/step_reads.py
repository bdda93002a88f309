"""What the loss takes from the steps of a loop: squared gradient by time step and row, as of a module's output.

Of a hand-written recurrence, and of one over cells, each step's state is a tensor of its own. What reads it beside the
next step hands its gradient down through its own place in the graph: there it is looked at as the script's backward
pass runs. Rows that have a part in what is read by way of later states show in the gradient of the first state.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import torch
from torch import nn

from ..recurrence.loop_states import Edge, below
from ..recurrence.loops import Loop
from ..recurrence.unrolled import Unrolled
from ..writer import Writer

_FEWEST_ROWS = 3
_FEWEST_STEPS = 4
_MOST_CALLS = 1_000
_MOST_READS = 256
"""Operations whose gradients are looked at."""
_AT_THE_END = 2
"""Steps: the last, and the one before, whose state the last one takes by several operations."""

_Hook = Callable[..., None]


class _Steps(NamedTuple):
    """The states of a recurrence, step by step."""

    edges: list[tuple[Edge, ...]]
    within: set[int]
    """The operations that lead from state to state."""
    rows: int
    axis: int
    """Of the rows."""


class _Table:
    """What was taken of one recurrence so far."""

    def __init__(self, steps: int, rows: int) -> None:
        self.squares = torch.zeros(steps, rows, device="cpu", dtype=torch.float32)
        self.reached = torch.zeros(rows, device="cpu", dtype=torch.bool)
        """Rows of the first state that the loss depends on."""
        self.open = True
        self.error: Exception | None = None

    def guarded(self, take: Callable[[tuple[Any, ...]], None]) -> _Hook:
        """A hook that the script's backward pass does not notice, and that ends with the update."""

        def hook(gradients: tuple[Any, ...], *_: Any) -> None:
            if self.open and self.error is None:
                try:
                    take(gradients)
                except Exception as error:
                    self.error = error

        return hook


class StepReads:
    """Looks at the loops of the updates for which it is opened, each at the first backward pass of the update."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.wanted = False
        self._calls: dict[int, list[tuple[Any, int]]] = {}
        """By cell: the operation that made the state of each of its calls, and which of its outputs."""
        self._rows: dict[int, int] = {}
        self._tables: dict[int, _Table] = {}

    def on_call(self, number: int, module: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients."""
        state = output[0] if isinstance(output, tuple) else output
        if not isinstance(module, nn.modules.rnn.RNNCellBase) or state.dim() != len(("row", "unit")):
            return
        calls = self._calls.setdefault(number, [])
        if self._rows.setdefault(number, len(state)) == len(state) and len(calls) < _MOST_CALLS:
            calls.append((state.grad_fn, state.output_nr))

    def on_graph(self, unrolled: Unrolled, loops: dict[int, Loop]) -> None:
        """A backward pass is about to run, and nothing else is asked of its graph before."""
        if not self.wanted:
            return
        found = {number: _of_loop(loop) for number, loop in loops.items() if loop.rows is not None}
        if self._calls:
            numbers = {node: number for number, node in enumerate(unrolled.nodes)}
            for number, calls in self._calls.items():
                found[number] = _of_calls(
                    unrolled, [(numbers.get(n, -1), k) for n, k in calls], self._rows[number]
                )
        for number, steps in found.items():
            wide = steps.rows >= _FEWEST_ROWS and len(steps.edges) >= _FEWEST_STEPS
            if wide and number not in self._tables:
                self._tables[number] = _watch(unrolled, steps)

    def write(self, step: int) -> None:
        """The records of the update that ends."""
        tables, self._tables = self._tables, {}
        self.forget()
        for number, table in tables.items():
            table.open = False
            if table.error is not None:
                raise table.error
            total = float(table.squares.sum())
            if total > 0:
                self._writer.write(
                    "step_readout", step=step, module=number, steps=len(table.squares), rows=len(table.reached),
                    last_share=float(table.squares[-_AT_THE_END:].sum()) / total,
                    top_row_share=float(table.squares.sum(0).max()) / total,
                    rows_reached=int(table.reached.sum()),
                )  # fmt: skip

    def forget(self) -> None:
        """A new update begins."""
        for table in self._tables.values():
            table.open = False
        self._tables.clear()
        self._calls.clear()
        self._rows.clear()


def _of_loop(loop: Loop) -> _Steps:
    assert loop.rows is not None
    return _Steps(list(loop.states), set(loop.operations), loop.rows, -3 - loop.axis)


def _of_calls(unrolled: Unrolled, calls: list[Edge], rows: int) -> _Steps:
    """Calls that the loss does not depend on are left out."""
    edges = [edge for edge in calls if edge[0] >= 0]
    within = set(below(unrolled, [edges[-1][0]], [1] * len(unrolled.nodes))) if edges else set()
    return _Steps([(edge,) for edge in edges], within, rows, -2)


def _watch(unrolled: Unrolled, steps: _Steps) -> _Table:
    """Hooks what reads the states, and the first of them; the hooks go with the graph."""
    table = _Table(len(steps.edges), steps.rows)
    reads: dict[int, list[tuple[int, int]]] = {}
    for time, state in enumerate(steps.edges):
        for edge in state:
            for taker, position in unrolled.takers[edge[0]]:
                if taker not in steps.within and unrolled.inputs[taker][position] == edge:
                    reads.setdefault(taker, []).append((position, time))
    for taker, places in list(reads.items())[:_MOST_READS]:
        unrolled.nodes[taker].register_hook(table.guarded(_adding(table, steps.axis, places)))
    for made, output in steps.edges[0]:
        unrolled.nodes[made].register_prehook(table.guarded(_reaching(table, steps.axis, output)))
    return table


def _adding(table: _Table, axis: int, places: list[tuple[int, int]]) -> Callable[[tuple[Any, ...]], None]:
    """Takes the gradients that an operation hands to the states of these times, by their positions among its inputs."""

    def add(gradients: tuple[Any, ...]) -> None:
        given = [(time, gradients[position]) for position, time in places if gradients[position] is not None]
        by_rows = [_by_row(gradient, axis) for _, gradient in given]
        if by_rows:
            squares = torch.stack(by_rows).cpu()
            table.squares.index_add_(0, torch.tensor([time for time, _ in given], device="cpu"), squares)

    return add


def _reaching(table: _Table, axis: int, output: int) -> Callable[[tuple[Any, ...]], None]:
    def reach(gradients: tuple[Any, ...]) -> None:
        if gradients[output] is not None:
            table.reached |= (_by_row(gradients[output], axis) > 0).cpu()

    return reach


def _by_row(gradient: torch.Tensor, axis: int) -> torch.Tensor:
    """Squared gradient of each row. Shapes: (B, H) or (H, B) -> (B)"""
    return gradient.detach().float().square().sum(-1 if axis == -2 else -2)
