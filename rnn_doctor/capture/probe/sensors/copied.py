"""Whether the targets are inputs themselves, number for number, at a place that the network reads as it answers."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..writer import Writer
from .dependence import MOST_FEATURES, Abstained
from .graph_tokens import unlearned
from .target_grids import grid_of
from .targets import Extent, targets_of

SAME, NEXT, LAST = "same", "next", "last"
_LOOKS = 3
_MOST_ROWS = 64
_MOST_STEPS = 256
_MOST_COMPARED = 2**18
"""Numbers that are held against each other in an update."""
_ROUNDING = 1e-6
_MATRIX = 2
_LEAST_RUN = 2
"""Steps: a last word that two rows share is no padding."""
_LEAST_LENGTHS = 3
"""Different ones of padded rows: what all rows end in alike is a pause."""


class _Call(NamedTuple):
    """The first call of a module in the update that is under way."""

    module: Any
    x: torch.Tensor
    """Tokens (first, second) or numbers (first, second, F)."""
    output: torch.Tensor


class _Steps(NamedTuple):
    """The calls of a cell in the update that is under way."""

    calls: int
    last: torch.Tensor
    """What it was given in the last one. Shape: (B, F)"""
    before: torch.Tensor | None
    """In the one before."""


class _Compared(NamedTuple):
    """What one update tells of one place."""

    targets: int
    """Targets that were compared."""
    columns: int
    """Numbers of a target that are an input each, in every target; 1 of classes that all are their token."""
    of: int
    """Numbers of a target."""
    still: float
    """Share of the places whose input is that of the step before: of what does not change, all neighbours are equal."""
    idle: float | None = None
    """Share of the targets that stand where rows of different lengths end in one token and one target, again and again;
    None of numbers."""


class CopiedTargets:
    """Holds the targets of each module against its inputs in the first sampled updates.

    Of targets by step the input at the same step is looked at, and of two directions the next one, which the reverse
    direction has read; of one target a sequence the last input.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._calls: dict[int, _Call] = {}
        self._cells: dict[int, _Steps] = {}
        self._matched: set[int] = set()
        """Modules whose loss of this update has come."""
        self._found: dict[int, list[dict[str, _Compared]]] = {}
        self._closed: set[int] = set()
        self._step = 1

    def on_call(self, step: int, number: int, module: Any, given: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients at a sampled step."""
        self._step = step
        if number in self._closed:
            return
        if number in self._calls:
            self._close(number, "it is called several times for one loss")
        elif isinstance(module, nn.RNNCellBase):
            self._step_of(number, given)
        elif not isinstance(module, nn.RNNBase) or isinstance(given, PackedSequence) or given.dim() != 3:
            self._close(number, "its steps are not those of one batch of equal sequences")
        else:
            x = unlearned(given)
            if x is None:
                self._close(number, "its input is made by layers that learn")
            else:
                self._calls[number] = _Call(module, x, output[0])

    def _step_of(self, number: int, given: torch.Tensor) -> None:
        """A cell was called, in the order of its steps."""
        if given.grad_fn is not None or given.dim() != _MATRIX:
            self._cells.pop(number, None)
            self._close(number, "its input is made by layers that learn")
            return
        steps = self._cells.get(number)
        calls, before = (steps.calls, steps.last) if steps is not None else (0, None)
        self._cells[number] = _Steps(calls + 1, given.detach(), before)

    @property
    def waits(self) -> bool:
        """Whether a module that was called in this update is still looked at."""
        return bool(self._calls or self._cells)

    def on_loss(self, function: str, predicted: Any, target: Any, options: dict[str, Any]) -> None:
        """A loss that leads to a gradient was computed, at a sampled step."""
        calls: dict[int, _Call | _Steps] = {**self._calls, **self._cells}
        for number, call in calls.items():
            try:
                found = _compared(call, function, predicted, target, options)
            except Abstained as reason:
                self._close(number, str(reason))
                continue
            if found is not None and number in self._matched:
                self._close(number, "several losses are taken of one call")
            elif found is not None:
                self._matched.add(number)
                self._found.setdefault(number, []).append(found)

    def let_go(self) -> None:
        """The graph goes: nothing of this forward pass is kept."""
        self._calls.clear()
        self._cells.clear()
        self._matched.clear()

    def updated(self) -> None:
        """A sampled update is complete."""
        self.let_go()
        for number in [n for n, found in self._found.items() if len(found) >= _LOOKS]:
            self._write(number)

    def finish(self) -> None:
        """Nothing is observed any more: what was compared must do."""
        for number in list(self._found):
            self._write(number)

    def _close(self, number: int, reason: str) -> None:
        self._calls.pop(number, None)
        self._cells.pop(number, None)
        self._found.pop(number, None)
        self._closed.add(number)
        self._writer.write("copied_targets", step=self._step, module=number, absent=reason)

    def _write(self, number: int) -> None:
        looks = self._found.pop(number)
        self._closed.add(number)
        fields: dict[str, Any] = {"looks": len(looks), "targets": sum(_first(look).targets for look in looks)}
        idle = [each.idle for look in looks if (each := _first(look)).idle is not None]
        fields["idle"] = min(idle, default=None)
        for place in (SAME, NEXT, LAST):
            found = [look[place] for look in looks if place in look]
            if len(found) == len(looks) and min(each.columns for each in found) > 0:
                columns = min(each.columns for each in found)
                still = max(each.still for each in found)
                fields |= {"place": place, "columns": columns, "of": found[0].of, "still": still}
                break
        self._writer.write("copied_targets", step=self._step, module=number, **fields)


def _first(look: dict[str, _Compared]) -> _Compared:
    return next(iter(look.values()))


def _compared(
    call: _Call | _Steps, function: str, predicted: Any, target: Any, options: dict[str, Any]
) -> dict[str, _Compared] | None:
    """What the targets of a loss are at each place; None where the loss is not of this call.

    Raises: Abstained: which target belongs where is not told.
    """
    if isinstance(call, _Steps):
        return _of_cell(call, function, predicted, target, options)
    first = bool(call.module.batch_first)
    whole = call.x.transpose(0, 1) if first else call.x
    extent = Extent(whole.shape[0], whole.shape[1], first, False)
    try:
        grid = grid_of(function, predicted, target, options, call.output)
    except Abstained:
        return _last(whole[-2:], extent, function, predicted, target, options)
    if grid is None:  # of its final state, or of another module
        try:
            return _last(whole[-2:], extent, function, predicted, target, options)
        except Abstained:
            return None
    y, known = _time_first(grid.values, first), _time_first(grid.known, first)
    x = _as_tokens(_time_first(call.x, first), y)
    if x is None:
        raise Abstained("its inputs and targets are not of one kind")
    found = {SAME: _equal(x, y, known, x)._replace(idle=_idle(x, y, known))}
    if call.module.bidirectional and len(x) > 1:
        found[NEXT] = _equal(x[1:], y[:-1], known[:-1], x)
    return found


def _of_cell(
    steps: _Steps, function: str, predicted: Any, target: Any, options: dict[str, Any]
) -> dict[str, _Compared] | None:
    """One target a sequence, after all steps of a cell; None where it is not of these steps."""
    if steps.before is None or steps.before.shape != steps.last.shape:
        return None
    extent = Extent(steps.calls, len(steps.last), False, False)
    try:
        return _last(torch.stack([steps.before, steps.last]), extent, function, predicted, target, options)
    except Abstained:
        return None


def _last(
    x: torch.Tensor, extent: Extent, function: str, predicted: Any, target: Any, options: dict[str, Any]
) -> dict[str, _Compared]:
    """One target a sequence against the last input. Shapes: x (2, B) or (2, B, F), the last two inputs."""
    told = targets_of(function, predicted, target, options, extent)
    if told.by_step or len(x) < 2:
        raise Abstained("how its output becomes the predictions is not told")
    x, y = x[:, :_MOST_ROWS], told.values[:_MOST_ROWS].unsqueeze(0)
    if y.dim() == 3 and y.shape[2] == x[0, 0].numel() * extent.time:
        raise Abstained("its targets may be the whole of its inputs")
    known = torch.ones(y.shape[:2], dtype=torch.bool, device=y.device)
    if told.ignored is not None:
        known = y != told.ignored
    tokens = _as_tokens(x, y)
    if tokens is None:
        raise Abstained("its inputs and targets are not of one kind")
    return {LAST: _equal(tokens[-1:], y, known, tokens)}


def _as_tokens(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor | None:
    """The inputs as they can be held against these targets: vectors of one 1 as its place, where these are classes.

    Shapes: (T, B) or (T, B, F) -> the same or (T, B); None where they cannot.
    """
    classes = y.dim() == 2 and not y.is_floating_point()
    if x.dim() == 2 or not classes:
        return x if (x.dim() == 2) == classes else None
    hot = x.shape[2] > 1 and bool(((x == 0) | (x == 1)).all()) and bool((x.sum(2) == 1).all())
    return x.argmax(2) if hot else None


def _equal(x: torch.Tensor, y: torch.Tensor, known: torch.Tensor, whole: torch.Tensor) -> _Compared:
    """Shapes: x (T, B) and y (T, B), or x (T, B, F) and y (T, B[, C]); known (T, B); whole (T', B, ...), all inputs."""
    y = y if y.dim() == x.dim() else y.unsqueeze(-1)
    count, of = int(known.sum()), y.shape[2] if y.dim() == 3 else 1
    repeated = whole[1:] == whole[:-1]
    still = float((repeated.all(2) if repeated.dim() == 3 else repeated).float().mean())
    if not count or bool((y[known] == y[known][:1]).all()):
        return _Compared(count, 0, of, still)
    if x.dim() == 2:
        return _Compared(count, int(torch.equal(x[known], y[known].to(x.dtype))), of, still)
    given, wanted = x[known], y[known]
    most = max(1, _MOST_COMPARED // (given.shape[1] * wanted.shape[1]))
    given, wanted = given[:most].double(), wanted[:most].double()
    if max(given.shape[1], wanted.shape[1]) > MOST_FEATURES:
        raise Abstained("its inputs or targets have too many numbers")
    slack = _ROUNDING * wanted.abs().amax(0)
    varies = (wanted != wanted[:1]).any(0)
    near = ((given.unsqueeze(2) - wanted.unsqueeze(1)).abs() <= slack).all(0)  # (F, C)
    return _Compared(len(wanted), int((near.any(0) & varies).sum()), of, still)


def _idle(x: torch.Tensor, y: torch.Tensor, known: torch.Tensor) -> float | None:
    """Shapes: x (T, B), y (T, B), known (T, B); None where either is no token."""
    if x.dim() != 2 or y.dim() != 2 or not bool(known.any()):
        return None
    same = (x == x[-1]) & (y == y[-1])
    ending = same.flip(0).int().cummin(0).values.flip(0).bool()
    runs = ending.sum(0)
    pairs, counts = torch.stack([x[-1], y[-1]]).unique(dim=1, return_counts=True)
    most = pairs[:, counts.argmax()]
    padded = (x[-1] == most[0]) & (y[-1] == most[1]) & (runs >= _LEAST_RUN)
    if len(runs[padded].unique()) < _LEAST_LENGTHS:
        return 0.0
    return float((ending & padded & known).sum()) / float(known.sum())


def _time_first(values: torch.Tensor, batch_first: bool) -> torch.Tensor:
    """Some rows and steps. Shapes: (B, T, ...) or (T, B, ...) -> (T, B, ...)."""
    values = values.transpose(0, 1) if batch_first else values
    return values[-_MOST_STEPS:, :_MOST_ROWS]
