"""The runs in a file or a folder: one training each, whatever files it is spread over."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign import columns, convert, formats, plain_text, tables, texts
from rnn_doctor.foreign.formats import Format
from rnn_doctor.foreign.rows import Row, Rows
from rnn_doctor.schema.runlog import RunLog

READS = (
    "run logs, TensorBoard event files, Lightning's metrics.csv, Hugging Face's trainer_state.json, W&B offline runs, "
    "metrics as CSV, JSON or JSON Lines, and what a training prints"
)
_EVENTS = "*tfevents*"
_PRINTED = (".log", ".txt", ".out")
_STATE = "trainer_state.json"
_PART = re.compile(
    r"(.*[^a-z])?(train|training|val|valid|validation|eval|evaluation|dev|test)", re.IGNORECASE
)
"""The name of a folder whose event files are a part of the run above it: `validation`, or `loss_val` of add_scalars."""
_AROUND = 16
"""Bytes of a record of an event file beside its own: its length, and a sum of either."""
_TIME = re.compile(r"\d{9,}\.\d+")
_BEGINNING = b'{"record"'
"""Of every line of a run log of ours."""
_JSON_NAMES = re.compile(r"history|metric|log|result|trainer_state", re.IGNORECASE)
"""Of JSON documents in a folder these are looked into: most others are settings and data."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a run, and what stands before the names of its columns."""

    path: Path
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One training, as another library logged it."""

    name: str
    """What it is called in reports: its path."""
    format: Format
    parts: tuple[Part, ...]

    def read(self, said: Mapping[str, str]) -> RunLog:
        """Its run log; `said` are the columns by role that the user named.

        Raises: RunLogError: it is damaged or empty, a package is missing, or no column is known.
        """
        with _told(self.name):
            return convert.run_log(self.name, self.format.wrote, self._rows(), said)

    def _rows(self) -> Rows:
        cut = False
        for part in self.parts:
            cut |= yield from _prefixed(self.format.rows(part.path), part.prefix)
        return cut


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turns what reading can fail of into a RunLogError that names the log."""
    try:
        yield
    except texts.BROKEN_PACK as error:
        raise RunLogError(
            f"{name}: {error}", "the packed file is damaged, or was not written to its end"
        ) from None
    except OSError as error:
        raise RunLogError(f"{name}: {error.strerror or error}", "name a log that can be read") from error
    except RecursionError:
        raise RunLogError(f"{name}: nested too deeply", "the file is damaged, or no log") from None
    except (ValueError, csv.Error) as error:
        raise RunLogError(f"{name}: {error}", "the file is damaged, or no log") from error


def _prefixed(rows: Rows, prefix: str) -> Rows:
    if not prefix:
        return (yield from rows)
    while True:
        try:
            row = next(rows)
        except StopIteration as end:
            return bool(end.value)
        yield Row({prefix + name: value for name, value in row.values.items()}, row.step, row.time)


def in_file(path: Path, name: str | None = None) -> Run:
    """The run in a file; `name` is what it is called, if not by its path.

    Raises: RunLogError: it cannot be read, is empty or damaged, or no log that is read.
    """
    name = name or str(path)
    with _told(name):
        if not path.stat().st_size and not formats.by_name(path):
            raise RunLogError(f"{name}: the file is empty", "name a log of a training that has begun")
        found = formats.recognise(path)
        reason, hint = formats.why_none(path) if found is None else ("", "")
    if found is None:
        raise RunLogError(
            f"{name}: {reason or 'no log of a kind that is read'}", hint or f"these are: {READS}"
        )
    return Run(name, found, (Part(path),))


def in_folder(folder: Path) -> list[Path | Run]:
    """The runs in a folder and below: our own run logs as paths, others as runs, each training once.

    Raises: RunLogError: there is none.
    """
    found = list(_below(folder, folder.resolve())) or list(_printed(folder))
    if not found:
        raise RunLogError(
            f"{folder} is a directory that holds no log of a kind that is read", f"these are: {READS}"
        )
    return found


def _below(folder: Path, root: Path) -> Iterator[Path | Run]:
    if state := _last_state(folder):
        yield Run(str(folder), formats.TRAINER, (Part(state),))
        return  # what lies below are checkpoints and event files of the same training
    events = _events(folder)
    within = {part.path.parent for part in events} | _summaries(folder, events)
    if events:
        yield Run(str(folder), formats.TENSORBOARD, tuple(events))
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and root in path.resolve().parents:
            continue  # such as W&B's latest-run: it is found where it lies
        if path.is_file() and (run := _run(path)):
            yield run
        elif path.is_dir() and not path.name.startswith(".") and path not in within:
            yield from _below(path, root)


def _printed(folder: Path) -> Iterator[Run]:
    """What trainings printed into files of a folder and below; beside other logs it tells of the same trainings."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _PRINTED and path.is_file() and plain_text.is_log(path):
            yield Run(str(path), formats.TEXT, (Part(path),))


def _last_state(folder: Path) -> Path | None:
    """The trainer's state at the end of a training: at its root, else in the checkpoint of most steps."""
    states = [path for path in folder.glob(f"checkpoint-*/{_STATE}") if path.parent.name[11:].isdigit()]
    last = max(states, key=lambda path: int(path.parent.name[11:]), default=None)
    return folder / _STATE if (folder / _STATE).is_file() else last


def _events(folder: Path) -> list[Part]:
    """The event files of one run: of its folder, and of those below that are named for a part of the data.

    Without files of its own a folder may hold runs that are called `lstm_train` and `gru_train`: parts of one run are
    then only those that are named for nothing else.
    """
    own = [Part(path) for path in sorted(folder.glob(_EVENTS)) if path.is_file()]
    parts = [
        Part(path, f"{below.name}/")
        for below in sorted(folder.iterdir())
        if below.is_dir() and _is_part(below, alone=not own)
        for path in sorted(below.glob(_EVENTS))
    ]
    if (
        not parts
        and all(_only_begun(part.path) for part in own)
        and len(list(folder.rglob(_EVENTS))) > len(own)
    ):
        return []  # of a writer whose numbers are all in folders of their own
    return own + parts


def _only_begun(path: Path) -> bool:
    """Whether an event file holds one record alone, which is the version of its format."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    return path.stat().st_size <= length + _AROUND


def _summaries(folder: Path, events: list[Part]) -> set[Path]:
    """The folders in which add_hparams left the last values of the run above them, each named for a time."""
    return {path for path in folder.iterdir() if events and _TIME.fullmatch(path.name)}


def _is_part(folder: Path, *, alone: bool) -> bool:
    found = _PART.fullmatch(folder.name)
    return found is not None and not (alone and found.group(1)) and any(folder.glob(_EVENTS))


def _run(path: Path) -> Path | Run | None:
    """The run in a file of a folder; None where it is something else, which a folder may hold."""
    if path.suffix == ".wandb":
        return Run(str(path), formats.WANDB, (Part(path),))
    if path.suffix not in (".csv", ".tsv", ".jsonl", ".json") or ".rank" in path.name:
        return None
    if is_own(path):
        return path
    if path.suffix == ".json" and not _JSON_NAMES.search(path.stem):
        return None
    try:
        run = in_file(path)
    except (RunLogError, OSError, ValueError):
        return None
    return run if any(map(columns.guess, _names(path))) else None


def _names(path: Path) -> Iterator[str]:
    """The names in the first lines of a file of text."""
    if path.suffix in (".csv", ".tsv"):
        yield from tables.header(path)
        return
    with texts.opened(path) as file:
        for line, _ in zip(file, range(100), strict=False):
            yield from re.findall(r'"([^"]{1,100})"\s*:', line[:10_000])


def is_own(path: Path) -> bool:
    """Whether a file is a run log of ours: its first line is one of its records."""
    with path.open("rb") as file:
        line = file.readline(1 << 20)
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):  # damaged, or longer than what was read of it
        return line.lstrip().startswith(_BEGINNING)
    return isinstance(first, dict) and isinstance(first.get("record"), str)
