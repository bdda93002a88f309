"""The formats of foreign logs: how each is recognised by its content, and what reads it."""

import codecs
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_doctor.foreign import columns, documents, plain_text, tables, texts
from rnn_doctor.foreign.long_form import tells
from rnn_doctor.foreign.rows import Rows

_HEAD = 1 << 16
"""Bytes at the beginning of a file that tell what it is."""
_WANDB = b":W&B"
_EVENTS = "tfevents"
_TABLES = (".csv", ".tsv")
_NAME = re.compile(r"[^\s:=]+(?: [^\s:=\d.+-][^\s:=]*)?")
"""Of a column: a word or two, but not `loss 3`."""
_REPORT = re.compile(r'\[?\s*\{\s*"schema_version":\s*\d+,\s*"tool":\s*\{\s*"name":\s*"rnn-doctor"')
"""A report of ours, or a list of them; it holds series of numbers as well."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the name of what writes it, and its reader."""

    wrote: str
    rows: Callable[[Path], Rows]


def _tensorboard(path: Path) -> Rows:
    from rnn_doctor.foreign.events import rows

    return rows(path)


def _wandb(path: Path) -> Rows:
    from rnn_doctor.foreign.wandb_history import rows

    return rows(path)


TENSORBOARD = Format("TensorBoard", _tensorboard)
WANDB = Format("W&B", _wandb)
TRAINER = Format("Hugging Face Trainer", documents.trainer_state)
HISTORY = Format("history", documents.history)
OBJECTS = Format("JSON", documents.objects)
LINES = Format("JSON Lines", documents.lines)
CSV = Format("CSV", tables.rows)
TEXT = Format("text", plain_text.rows)
LIGHTNING = Format("Lightning CSVLogger", tables.rows)


def by_name(path: Path) -> Format | None:
    """The format of a file that may be empty still: its writer opens it before it has anything to tell."""
    return TENSORBOARD if _EVENTS in path.name else WANDB if path.suffix == ".wandb" else None


def recognise(path: Path) -> Format | None:
    """The format of a file, by its content; None where it is none of them.

    Raises: OSError: it cannot be read. RunLogError: it begins as one, and is damaged.
    """
    head = texts.head(path, _HEAD)
    if _is_event(head):
        return TENSORBOARD
    if head.startswith(_WANDB):
        return WANDB
    if (named := by_name(path)) or _is_binary(head):
        return named
    text = _decoded(path, head)
    return None if _REPORT.match(text.lstrip()) else _of_text(path, text)


def why_none(path: Path) -> tuple[str, str]:
    """What keeps a file from being read, and what to do, where that can be told; two empty texts where not.

    Raises: OSError: it cannot be read.
    """
    head = texts.head(path, _HEAD)
    if _is_binary(head):
        return "", ""
    text = _decoded(path, head)
    if not text.strip():
        return "the file holds nothing but blank lines", "name a log of a training that has begun"
    if _REPORT.match(text.lstrip()):
        return "no log but a report of rnn-doctor", f"`rnn-doctor report {path}` renders it"
    if reason := tables.why_none(path, text.lstrip()):
        return reason, "begin it with a line that names its columns, each once"
    return "no two of its lines tell a loss", "of text, lines such as `epoch 3 loss 0.51` are read"


def _is_binary(head: bytes) -> bool:
    return b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _decoded(path: Path, head: bytes) -> str:
    return head.decode(texts.encoding(path), errors="replace")


def _is_event(head: bytes) -> bool:
    """An event file's first record tells the version of its format: a length, its checksum, then the record."""
    return b"brain.Event:" in head[:64]


def _of_text(path: Path, head: str) -> Format | None:
    begin = head.lstrip()
    if begin.startswith("{") and not begin.startswith("{'"):  # this is how Python prints a dictionary
        first = _parsed(begin.splitlines()[0])
        if isinstance(first, Mapping) and (begin.count("\n") > 1 or not _is_document(first)):
            return TEXT if _settings_first(begin) and plain_text.is_log(path) else LINES
        return _of_document(documents.load(path))
    if begin.startswith("[") and begin[1:].lstrip().startswith("{"):
        document = documents.load(path)
        return OBJECTS if document and all(isinstance(e, Mapping) for e in document) else None
    names = tables.header(path) if begin else []
    if not any(map(_heads_a_column, names)) and plain_text.is_log(path):
        return TEXT
    if not names or (path.suffix not in _TABLES and not all(map(_NAME.fullmatch, names))):
        return None
    return LIGHTNING if path.name == "metrics.csv" and {"epoch", "step"} <= set(names) else CSV


def _heads_a_column(name: str) -> bool:
    """Whether a name is of a column that is known, and of no sentence with commas in it."""
    known = columns.is_measured(name) or columns.axis(name) or tells(name)
    return bool(known) and _NAME.fullmatch(name) is not None


def _settings_first(begin: str) -> bool:
    """Whether the line after an object is none: a script that prints its settings as JSON, and then sentences."""
    return all("{" not in line for line in begin.splitlines()[1:3])


def _is_document(first: Mapping[str, Any]) -> bool:
    """Whether an object on one line holds a whole history."""
    return "log_history" in first or documents.is_history(first)


def _of_document(document: Any) -> Format | None:
    if not isinstance(document, Mapping):
        return None
    if isinstance(document.get("log_history"), list):
        return TRAINER
    return HISTORY if documents.is_history(document) else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
