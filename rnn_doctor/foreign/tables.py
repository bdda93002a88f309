"""Metrics as CSV: Lightning's and Keras's CSVLogger, exports of pandas and of hand-written loops."""

import csv
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign import texts
from rnn_doctor.foreign.long_form import tells, told_apart
from rnn_doctor.foreign.rows import Row, Rows, number

DELIMITERS = ",;\t|"
_SPACES = " "
"""One or more of them part the fields, where nothing else does: numpy.savetxt, awk."""
_LONGEST = 1 << 20
"""Characters of one line; a longer one is no table."""
_REMARKS = 100
"""Lines before the names that are looked at."""


class _Heading(NamedTuple):
    """The line that names the columns, what parts them, and how many lines there are up to it."""

    line: str
    delimiter: str
    lines: int


def header(path: Path) -> list[str]:
    """The columns of a table; none where no line at its beginning is a list of names."""
    with texts.opened(path, newline="") as file:
        heading = _heading(file)
    names = _names(heading) if heading else []
    if len(names) < 2 or len(set(names)) < len(names) or any(number(name) is not None for name in names):
        return []
    return names


def _heading(file: TextIO) -> _Heading | None:
    """The first line that is no remark; the last remark where numbers follow it, as numpy.savetxt writes its header."""
    remark, count = "", 0
    for count, line in enumerate(islice(iter(lambda: file.readline(_LONGEST), ""), _REMARKS), 1):
        if not line.strip() or line.startswith("sep="):
            continue
        if line.startswith("#"):
            remark = line.lstrip("# ")
            continue
        if remark and _numbers(line):
            return _Heading(remark, _delimiter(remark) or _SPACES, count - 1)
        delimiter = _delimiter(line)
        if delimiter is None:
            below = file.readline(_LONGEST)
            if not _numbers(below) or len(below.split()) != len(line.split()):
                return None
        return _Heading(line, delimiter or _SPACES, count)
    return None


def _numbers(line: str) -> bool:
    """Whether a line holds nothing but numbers."""
    fields = _split(line, _delimiter(line) or _SPACES)
    return bool(fields) and all(number(field) is not None for field in fields if field.strip())


def _names(heading: _Heading) -> list[str]:
    return [name.strip() for name in _split(heading.line, heading.delimiter)]


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(_tidy([line], delimiter), delimiter=delimiter), [])


def _tidy(lines: Iterable[str], delimiter: str) -> Iterable[str]:
    """The lines with one space between fields, where spaces part them."""
    return (" ".join(line.split()) + "\n" for line in lines) if delimiter == _SPACES else lines


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
    cut = texts.breaks_off(path)
    waiting: Row | None = None
    with texts.opened(path, newline="") as file:
        heading = _heading(file)
        assert heading is not None
        file.seek(0)
        skipped = heading.lines
        names, delimiter = _names(heading), heading.delimiter
        reader = csv.reader(_tidy(islice(file, skipped, None), delimiter), delimiter=delimiter)
        telling = [name for name in names if tells(name)]
        odd: int | None = None
        for fields in reader:
            if odd is not None:
                break
            if len(fields) not in (0, len(names)):
                odd = reader.line_num + skipped
            elif fields:
                if waiting:
                    yield waiting
                cells = fields if delimiter == "," else [field.replace(",", ".") for field in fields]
                waiting = _row(dict(zip(names, cells, strict=True)), telling)
        else:
            if odd is None or cut:
                if waiting and (odd is not None or not cut):
                    yield waiting
                return cut
    raise RunLogError(
        f"{path}:{odd}: the line has another number of fields than the first, which has {len(names)}",
        "a damaged table can be cut before this line",
    )


def _row(texts: dict[str, str], telling: list[str]) -> Row:
    values = {name: value for name, text in texts.items() if (value := number(text)) is not None}
    return Row(told_apart({name: texts[name] for name in telling}, values) if telling else values)
