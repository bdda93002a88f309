"""Which lags of a recurrent module's input tell of the target, by the batches of the training alone.

The input of the first call of an update is kept until a loss function of torch is given the targets that belong to
its sequences; of both a copy is made, of at most 1024 sequences in all. What is not told beyond doubt is not tested.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..recurrence.kernel import time_and_batch
from ..writer import Writer
from .dependence import FEWEST_ROWS, MOST_FEATURES, Abstained, dependence
from .losses import BINARY
from .targets import Extent, Targets, targets_of
from .tokens import packed_tokens, tokens_of

_MOST_ROWS = 1024
_MOST_LAGS = 256
_MOST_CELLS = 2**16
"""Rows times lags that are tested, within a tenth of a second on one core of 2020."""
_MOST_WORK = 8_000_000
"""Rows times lags times regressors times columns of the target, where a regression is made; the same time."""
_MOST_NUMBERS = 2**20
"""Of the inputs that are kept: 4 MB in single precision."""
_SHORT = 0.25
"""Share of the sequences that may be left out for being shorter than the lags tested."""


class _Gathered:
    """The sequences of one module, and their targets."""

    def __init__(self, most_rows: int, lags: int, by_step: bool) -> None:
        self.most_rows = most_rows
        self.lags = lags
        self.by_step = by_step
        self.rows = 0
        self.x: list[torch.Tensor] = []
        """(R, L) tokens or (R, L, F) numbers, lag l at index l."""
        self.lengths: list[torch.Tensor] = []
        self.y: list[torch.Tensor] = []


class DataLags:
    """Gathers inputs and targets of every module until they are enough, then tests them once."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._gathered: dict[int, _Gathered] = {}
        self.closed: set[int] = set()
        """Modules of which the test was made, or will not be."""
        self._waiting: dict[int, tuple[Any, Any]] = {}
        """First calls of this update whose loss has not come yet."""
        self._taken: set[int] = set()
        """Modules whose call of this update has got its targets."""
        self._seen: set[int] = set()
        self._step = 1

    @property
    def waits(self) -> bool:
        """Whether a module that is still tested was called in this update."""
        return bool(self._seen)

    def on_call(self, number: int, module: Any, given: Any) -> None:
        """A recurrent module ran forward with gradients."""
        if number in self.closed:
            return
        if number not in self._seen:
            self._seen.add(number)
            self._waiting[number] = (module, given)
        elif number in self._waiting:
            self._close(number, "it is called several times for one loss")
        else:
            self._taken.discard(number)  # the losses that follow are those of this call

    def on_loss(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> None:
        """A loss function that leads to a gradient returned."""
        for number in self._taken:
            self._close(number, "several losses are taken of one call")
        self._taken.clear()
        waiting, self._waiting = self._waiting, {}
        for number, (module, given) in waiting.items():
            try:
                self._take(number, module, given, (function, output, target, options))
                self._taken.add(number)
            except Abstained as reason:
                self._close(number, str(reason))

    def on_backward(self) -> None:
        """The graph goes: inputs that still wait have no loss of torch."""
        self._waiting.clear()

    def updated(self, step: int) -> None:
        """An update is complete."""
        self._step = step
        self._seen.clear()
        self._taken.clear()
        self._waiting.clear()
        for number, gathered in list(self._gathered.items()):
            if gathered.rows >= gathered.most_rows:
                self._test(number, gathered)

    def finish(self) -> None:
        """Nothing is observed any more: what was gathered must do."""
        for number, gathered in list(self._gathered.items()):
            self._test(number, gathered)

    def _close(self, number: int, reason: str) -> None:
        self._gathered.pop(number, None)
        self.closed.add(number)
        self._waiting.pop(number, None)
        self._writer.write("data_lag", step=self._step, module=number, absent=reason)

    def _take(self, number: int, module: Any, given: Any, loss: tuple[Any, ...]) -> None:
        """Copies the inputs and targets of one call."""
        if not isinstance(module, nn.RNNBase):
            raise Abstained("it is called one time step at a time")
        packed = isinstance(given, PackedSequence)
        time, batch = time_and_batch(module, given)
        if time < 2:
            raise Abstained("it is called one time step at a time")
        function, output, target, options = loss
        extent = Extent(time, batch, module.batch_first, packed)
        targets = targets_of(function, output, target, options, extent)
        x, lengths = _by_lag(module, given)
        gathered = self._gathered.get(number)
        if gathered is None:
            gathered = self._gathered[number] = _Gathered(
                _most_rows(x, targets.values), x.shape[1], targets.by_step
            )
        room = gathered.most_rows - gathered.rows
        if room > 0:
            y = _kept_target(function, targets)[:room]
            valid = torch.ones(len(y), dtype=torch.bool, device="cpu")
            if targets.ignored is not None:
                valid = y != targets.ignored
            if bool(valid.any()):
                gathered.x.append(x[:room].to("cpu", copy=True)[valid])
                gathered.lengths.append(lengths[:room][valid])
                gathered.y.append(y[valid])
                gathered.rows += int(valid.sum())

    def _test(self, number: int, gathered: _Gathered) -> None:
        del self._gathered[number]
        self.closed.add(number)
        try:
            with torch.no_grad(), torch.autocast("cpu", enabled=False), torch.device("cpu"):
                found = dependence(*_joined(gathered))
        except Abstained as reason:
            self._writer.write("data_lag", step=self._step, module=number, absent=str(reason))
            return
        self._writer.write(
            "data_lag", step=self._step, module=number, target="step" if gathered.by_step else "sequence",
            statistic=found.kind, rows=found.rows, lags=list(range(len(found.scores))), scores=found.scores,
            shares=found.shares, alone=found.alone, whole=found.whole,
        )  # fmt: skip


def _by_lag(module: Any, given: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs with the last step first, and the valid steps of each row.

    Shapes: given as the module takes it -> (B, L) tokens or (B, L, F) numbers, (B).

    Raises: Abstained: layers that learn made them, so that they change from update to update.
    """
    if isinstance(given, PackedSequence):
        tokens = packed_tokens(given)
        _fixed(given.data, tokens)
        padded, lengths = pad_packed_sequence(PackedSequence(given.data.detach(), *given[1:]))
        x = padded if tokens is None else tokens
        lengths = lengths.cpu()
        lags = torch.arange(min(x.shape[0], _MOST_LAGS), device="cpu").unsqueeze(1)
        back = (lengths - 1 - lags).clamp(min=0)
        x = x[back.to(x.device), torch.arange(x.shape[1], device=x.device)]
        return _coded(x.transpose(0, 1)), lengths
    tokens = tokens_of(given) if given.dim() == 3 else None
    _fixed(given, tokens)
    x = given.detach() if tokens is None else tokens
    if given.dim() == 2:
        x = x.unsqueeze(1)
    if given.dim() == 2 or not module.batch_first:
        x = x.transpose(0, 1)
    lengths = torch.full((x.shape[0],), x.shape[1], device="cpu")
    return _coded(x[:, -_MOST_LAGS:].flip(1)), lengths


def _fixed(given: torch.Tensor, tokens: torch.Tensor | None) -> None:
    if tokens is None and given.grad_fn is not None:
        raise Abstained("its input is made by layers that learn")
    if tokens is None and given.shape[-1] > MOST_FEATURES and not _one_hot(given.detach()):
        raise Abstained(f"its input has {given.shape[-1]} features, too many for the test")


def _one_hot(x: torch.Tensor) -> bool:
    """Whether every vector is a unit vector, as of characters, or zero, as of padding. Shapes: (..., F)."""
    return x.shape[-1] > 1 and bool((x.sum(-1) <= 1).all()) and bool(((x == 0) | (x == 1)).all())


def _coded(x: torch.Tensor) -> torch.Tensor:
    """Unit vectors as tokens, 0 for none; anything else as it is. Shapes: (B, L, F) -> (B, L) or the same."""
    if x.dim() == 2 or not _one_hot(x):
        return x
    return torch.where(x.any(2), x.argmax(2) + 1, 0)


def _most_rows(x: torch.Tensor, y: torch.Tensor) -> int:
    """How many sequences are gathered. Raises: Abstained: fewer than the test takes."""
    lags, features = x.shape[1], x.shape[2] if x.dim() == 3 else 1
    regressors = features if features > 6 else features * (features + 3) // 2
    columns = y.shape[1] if y.dim() == 2 else 1
    work = lags * regressors * (columns + regressors / 8) if x.dim() == 3 else 1
    most = min(_MOST_ROWS, _MOST_CELLS // lags, _MOST_NUMBERS // (lags * features), int(_MOST_WORK / work))
    if most < FEWEST_ROWS:
        raise Abstained("its sequences are too long for the test")
    return most


def _kept_target(function: str, targets: Targets) -> torch.Tensor:
    """A copy of the targets; yes and no as classes. Shapes: (B) or (B, C) -> the same."""
    y = targets.values.to("cpu", copy=True)
    if function in BINARY and y.dim() == 2 and y.shape[1] == 1 and bool(((y == 0) | (y == 1)).all()):
        return y[:, 0].long()
    return y


def _joined(gathered: _Gathered) -> tuple[torch.Tensor, torch.Tensor]:
    """All rows that are long enough, at the lags that most of them have.

    Raises: Abstained: nothing was gathered.
    """
    if not gathered.rows:
        raise Abstained("no target was seen")
    if len({t.dim() for t in gathered.y}) > 1 or len({t.dim() for t in gathered.x}) > 1:
        raise Abstained("its inputs or targets are not of one kind")
    lengths = torch.cat(gathered.lengths)
    lags = min(gathered.lags, int(lengths.float().quantile(_SHORT, interpolation="lower")))
    chosen = [
        (x, y, kept)
        for x, y, length in zip(gathered.x, gathered.y, gathered.lengths)
        if bool((kept := length >= lags).any())
    ]
    x = torch.cat([x[kept][:, :lags] for x, _, kept in chosen])
    y = torch.cat([y[kept] for _, y, kept in chosen])
    return x, y
