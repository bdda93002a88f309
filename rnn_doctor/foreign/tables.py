"""Metrics as CSV: Lightning's and Keras's CSVLogger, exports of pandas and of hand-written loops."""

import csv
from os import SEEK_END
from pathlib import Path

from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign.rows import Row, Rows, number

DELIMITERS = ",;\t"
_LONGEST = 1 << 20
"""Characters of one line; a longer one is no table."""


def header(path: Path) -> list[str]:
    """The columns of a table; none where the first line is no list of names."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline(_LONGEST)
    delimiter = _delimiter(first)
    names = next(csv.reader([first], delimiter=delimiter), []) if delimiter else []
    names = [name.strip() for name in names]
    if len(names) < 2 or len(set(names)) < len(names) or any(number(name) is not None for name in names):
        return []
    return names


def why_none(path: Path, head: str) -> str:
    """Why a text that looks like a table is none that is read; nothing where it looks like something else."""
    names = [name.strip() for name in head.splitlines()[0].split(_delimiter(head.splitlines()[0]) or ",")]
    if path.suffix not in (".csv", ".tsv"):
        return ""
    if len(names) < 2:
        return "its first line names a single column; a table needs one for the loss and one for the step or epoch"
    if all(number(name) is not None for name in names):
        return "its first line has no names of columns, but numbers"
    twice = next((name for name in names if names.count(name) > 1), None)
    return f"two of its columns are called {twice!r}" if twice is not None else ""


def _delimiter(line: str) -> str | None:
    count, best = max((line.count(each), each) for each in DELIMITERS)
    return best if count else None


def rows(path: Path) -> Rows:
    """The rows of a table; what is no number is left out, and so is a last line that was not written to its end.

    Where a comma parts no fields, it marks decimals.

    Raises: RunLogError: a line has another number of fields than the first.
    """
    names = header(path)
    cut = _breaks_off(path)
    waiting: Row | None = None
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = _delimiter(file.readline(_LONGEST)) or ","
        reader = csv.reader(file, delimiter=delimiter)
        odd: int | None = None
        for fields in reader:
            if odd is not None:
                break
            if len(fields) not in (0, len(names)):
                odd = reader.line_num + 1
            elif fields:
                if waiting:
                    yield waiting
                texts = fields if delimiter == "," else [field.replace(",", ".") for field in fields]
                read = ((name, number(text)) for name, text in zip(names, texts, strict=True))
                waiting = Row({name: value for name, value in read if value is not None})
        else:
            if odd is None or cut:
                if waiting and (odd is not None or not cut):
                    yield waiting
                return cut
    raise RunLogError(
        f"{path}:{odd}: the line has another number of fields than the first, which has {len(names)}",
        "a damaged table can be cut before this line",
    )


def _breaks_off(path: Path) -> bool:
    """Whether the last line has no end: `0.1` may be what is left of `0.123`."""
    with path.open("rb") as file:
        if not file.seek(0, SEEK_END):
            return False
        file.seek(-1, SEEK_END)
        return file.read(1) not in b"\r\n"
