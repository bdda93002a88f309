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


def _delimiter(line: str) -> str | None:
    count, best = max((line.count(each), each) for each in DELIMITERS)
    return best if count else None


def rows(path: Path) -> Rows:
    """The rows of a table; what is no number is left out, and so is a last line that was not written to its end.

    Raises: RunLogError: a line has another number of fields than the first.
    """
    names = header(path)
    cut = _breaks_off(path)
    waiting: Row | None = None
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=_delimiter(file.readline(_LONGEST)) or ",")
        odd: int | None = None
        for fields in reader:
            if odd is not None:
                break
            if len(fields) not in (0, len(names)):
                odd = reader.line_num + 1
            elif fields:
                if waiting:
                    yield waiting
                read = ((name, number(field)) for name, field in zip(names, fields, strict=True))
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
