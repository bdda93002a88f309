"""Rows of numbers into the run log that the rules judge, in bounded memory."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from rnn_doctor.errors import RunLogError, did_you_mean
from rnn_doctor.foreign import axes, columns
from rnn_doctor.foreign.axes import Counting
from rnn_doctor.foreign.restarts import Restarts
from rnn_doctor.foreign.rows import Row, Rows
from rnn_doctor.schema.built import Optimizer
from rnn_doctor.schema.imported import Column, Imported, Role
from rnn_doctor.schema.reading import assemble
from rnn_doctor.schema.runlog import SCHEMA_VERSION, Header, Record, RunLog, Step
from rnn_doctor.schema.thinning import LongSeries, Sudden, spacing
from rnn_doctor.schema.validating import Evaluation

NOT_LOGGED = "not logged"
_MOST_UNUSED = 100
_OPTIMIZER = 0
_FEW = 3
"""Validation losses of which it cannot be told whether epochs number them."""
_MUCH_LATER = 4
"""Times the number of the last validation loss that a training goes on for whose updates have numbers of their own."""


@dataclass(slots=True)
class _Kept:
    """What is kept of one step: the values of the columns that may be used."""

    time: float | None = None
    values: dict[str, float] = field(default_factory=dict)


class _Table:
    """The columns of a log that may be used, by step, and how many values each column has.

    Validation losses are kept apart: they are few, and none is left out because of the number of its step.
    """

    def __init__(self, said: Mapping[str, str], *, by_format: bool = False) -> None:
        self.by_format = by_format
        """Whether each column is numbered by itself, as the format does it."""
        self.counts: dict[str, int] = {}
        self.trained: LongSeries[_Kept] = LongSeries()
        self.held_out: LongSeries[_Kept] = LongSeries()
        self.epochs = _Epochs()
        self._said: dict[str, str] = {column: role for role, column in said.items()}
        self._place: dict[str, LongSeries[_Kept] | None] = {}
        self._roles: dict[str, str | None] = {}
        self._sudden: dict[str, Sudden] = {}

    def losses(self, row: Row, how: Counting) -> list[str]:
        """The columns of a row that may be losses."""
        return [
            name
            for name in row.values
            if (series := self._place[name] if name in self._place else self._placed(name, how)) is not None
            and (series is self.held_out or self._roles[name] == "train_loss")
        ]

    def take(self, number: int, row: Row, how: Counting) -> None:
        """One row in."""
        for name, value in row.values.items():
            self.counts[name] = self.counts.get(name, 0) + 1
            if name == how.epoch:
                self.epochs.take(value)
            series = self._place[name] if name in self._place else self._placed(name, how)
            if series is not None:
                series.at(number, lambda: _Kept(row.time)).values[name] = value
                if self._sudden[name](value):
                    series.mark()

    def _placed(self, name: str, how: Counting) -> LongSeries[_Kept] | None:
        """Where the values of a column are kept; nowhere if it is certainly not used."""
        guess = columns.guess(name)
        role = self._said.get(name) or (guess.role if guess else None)
        unused = not (role in columns.ROLES or columns.is_accuracy(name)) or name in (how.step, how.epoch)
        self._roles[name] = role
        self._place[name] = None if unused else self.held_out if role == "val_loss" else self.trained
        self._sudden[name] = Sudden()
        return self._place[name]


@dataclass(slots=True)
class _Epochs:
    """How many passes over the data were begun, by a column that counts epochs from 0 or 1, whole or in parts."""

    most: float = -1.0
    first: float = math.inf
    from_zero: bool = False
    in_parts: bool = False

    def take(self, value: float) -> None:
        """One value of the column."""
        if math.isfinite(value):
            self.most = max(self.most, value)
            self.first = min(self.first, value)
            self.from_zero |= value == 0
            self.in_parts |= not value.is_integer()

    def begun_before(self) -> str:
        """What is said where the first epoch of the log is not the first of the training."""
        if not 1 < self.first < math.inf:
            return ""
        return f"it begins in epoch {self.first:g}: what the training was before is not in it"

    def begun(self) -> int | None:
        """None where nothing was counted."""
        if self.most < 0:
            return None
        return math.ceil(self.most) if self.in_parts else int(self.most) + self.from_zero


def run_log(name: str, wrote: str, rows: Rows, said: Mapping[str, str]) -> RunLog:
    """The run log of these rows.

    name: what the log is called in reports and errors. wrote: the library. said: columns by role, by the user.
    Raises: RunLogError: it holds no numbers, no column that is known, or not the column that the user named.
    """
    table, how, restarts, cut = _read(rows, said)
    if not table.counts:
        raise RunLogError(
            f"{name}: the {wrote} log holds no numbers", "name a log of a training that has begun"
        )
    _check_said(name, table, said)
    choice = columns.choose(
        {n: c for n, c in table.counts.items() if n not in (how.step, how.epoch)},
        {k: v for k, v in said.items() if k in columns.ROLES},
    )
    right = [] if {"train_loss", "val_loss"} & set(choice.taken) else _accuracies(table)
    if not ({"train_loss", "val_loss"} & set(choice.taken) or right):
        raise _nothing_known(name, wrote, table, choice)
    records = list(_records(table, choice.taken, right))
    imported = Imported(
        record="imported",
        format=wrote,
        axis=how.axis,
        spacing=_spacing(table, choice.taken),
        epochs=table.epochs.begun(),
        columns=tuple(
            Column(role=role, name=column, values=table.counts[column], guessed=role not in said)
            for role, column in choice.taken.items()
        ),
        unused=tuple(_unused(table, how, choice.taken)),
        doubts=(*filter(None, _doubts(table, restarts, choice.taken, right)), *choice.doubts),
    )
    header = Header(
        record="header", schema_version=SCHEMA_VERSION, tool_version=NOT_LOGGED, script=name, python=NOT_LOGGED,
        torch=NOT_LOGGED, platform=NOT_LOGGED, started=NOT_LOGGED, process=0,
    )  # fmt: skip
    return assemble([header, imported, *records], truncated=cut)


def _read(rows: Rows, said: Mapping[str, str]) -> tuple[_Table, Counting, Restarts, bool]:
    """All rows in one pass; of several trainings one after another the last."""
    cut = False

    def whole() -> Iterator[Row]:
        nonlocal cut
        cut = yield from rows

    stream = whole()
    head = list(islice(stream, axes.LOOKED_AT))
    how = axes.counting(head, said)
    table, restarts = _Table(said, by_format=how.by_format), Restarts(how)
    for count, (number, row) in enumerate(axes.numbered(chain(head, stream), how), 1):
        if restarts(count, row, table.losses(row, how)):
            table = _Table(said, by_format=how.by_format)
        table.take(number, row, how)
    return table, how, restarts, cut


def _check_said(name: str, table: _Table, said: Mapping[str, str]) -> None:
    for role, column in said.items():
        if column not in table.counts:
            known = sorted(table.counts)
            raise RunLogError(
                f"{name}: --map {role}={column}: there is no column {column!r}{did_you_mean(column, known)}",
                f"its columns are {_listed(known)}",
            )


def _nothing_known(name: str, wrote: str, table: _Table, choice: columns.Choice) -> RunLogError:
    because = f"; {choice.doubts[0]}" if choice.doubts else ""
    return RunLogError(
        f"{name}: no column of the {wrote} log is known as a loss{because}",
        f"name it, as in --map train_loss=COLUMN; its columns are {_listed(sorted(table.counts))}",
    )


def _doubts(table: _Table, restarts: Restarts, taken: Mapping[Role, str], right: list[str]) -> Iterator[str]:
    """Where more than one reading was possible, besides the choice of columns; empty texts among them."""
    yield restarts.doubt()
    yield table.epochs.begun_before()
    yield _spread(table, taken)
    yield _no_loss(right)


def _accuracies(table: _Table) -> list[str]:
    """The columns that tell how often the network is right, those of most values first."""
    return sorted(filter(columns.is_accuracy, table.counts), key=lambda name: -table.counts[name])


def _no_loss(right: list[str]) -> str:
    """What is said of a log that tells accuracy alone; nothing of one that tells a loss."""
    if not right:
        return ""
    return (
        f"it tells no loss, but {_listed([repr(name) for name in right], 4)}, which stays where it is while the "
        "errors grow worse; overfitting is judged by losses: log them too"
    )


def _listed(names: list[str], most: int = 12) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _unused(table: _Table, how: Counting, taken: Mapping[Role, str]) -> list[str]:
    used = {*taken.values(), how.step, how.epoch}
    return [column for column in table.counts if column not in used][:_MOST_UNUSED]


def _spacing(table: _Table, taken: Mapping[Role, str]) -> int:
    trained = {taken[role] for role in ("train_loss", "grad_norm") if role in taken}
    return spacing(number for number, kept in table.trained.items() if trained & kept.values.keys())


def _records(table: _Table, taken: Mapping[Role, str], right: Collection[str]) -> Iterator[Record]:
    """Optimizer, steps and evaluations; the first step is number 1 where the log counts from 0.

    right: columns whose rows are steps although they hold nothing that is used.
    """
    trained = table.trained.items()
    held_out = _held_out(table, taken)
    # An evaluation numbered 0 where updates count from 1 is one before the training.
    shift = int(bool(first := trained or held_out) and first[0][0] == 0)
    begin = next((kept.time for _, kept in trained if kept.time is not None), 0.0)
    loss, norm, rate = (taken.get(role, "") for role in ("train_loss", "grad_norm", "learning_rate"))
    rates = [kept.values[rate] for _, kept in trained if rate in kept.values]
    if rates:
        yield Optimizer(record="optimizer", id=_OPTIMIZER, kind=rate, lr=(rates[0],), parameters=0)
    for number, kept in trained:
        if kept.values.keys() & {loss, norm, rate, *right}:
            told = kept.values.get(loss)
            yield Step(
                record="step",
                step=number + shift,
                elapsed=0.0 if kept.time is None else kept.time - begin,
                loss=None if told is None else columns.in_nats(loss, told),
                grad_norm=kept.values.get(norm),
                lr=(kept.values[rate],) if rate in kept.values else (),
                optimizers=(_OPTIMIZER,),
            )
    for number, value in held_out:
        held = columns.in_nats(taken["val_loss"], value)
        yield Evaluation(record="evaluation", step=number + shift, loss=held, batches=1)


def _held_out(table: _Table, taken: Mapping[Role, str]) -> list[tuple[int, float]]:
    """The validation losses by number; those that are numbered by epochs spread over the updates."""
    name = taken.get("val_loss", "")
    found = [(number, kept.values[name]) for number, kept in table.held_out.items() if name in kept.values]
    last = _numbered_by_epochs(table, taken) if table.by_format else None
    if last is None:
        return found
    from_zero = int(table.trained.items()[0][0] == 0)
    each = (last + from_zero) / len(found)
    return [(round(k * each) - from_zero, value) for k, (_, value) in enumerate(found, 1)]


def _numbered_by_epochs(table: _Table, taken: Mapping[Role, str]) -> int | None:
    """The last update of the training, where its validation losses alone are numbered 0, 1, 2; None where not."""
    val, train = taken.get("val_loss"), taken.get("train_loss")
    held = [number for number, kept in table.held_out.items() if val in kept.values]
    trained = [number for number, kept in table.trained.items() if train in kept.values]
    if len(held) < _FEW or not trained or held[0] > 1 or held != list(range(held[0], held[0] + len(held))):
        return None
    return trained[-1] if trained[-1] >= _MUCH_LATER * held[-1] else None


def _spread(table: _Table, taken: Mapping[Role, str]) -> str:
    """What is said where the validation losses were spread over the training."""
    last = _numbered_by_epochs(table, taken) if table.by_format else None
    if last is None:
        return ""
    return (
        f"{taken['val_loss']!r} is numbered one by one, and {taken['train_loss']!r} up to {last}: it was taken for one "
        "value an epoch, all of the same length"
    )
