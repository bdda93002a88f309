"""Tables within printed text, as skorch and fastai print them: a line of names, then a line of numbers an epoch."""

import re
from typing import NamedTuple

from rnn_doctor.foreign import columns
from rnn_doctor.foreign.rows import number

_FIELDS = re.compile(r"\s{2,}|\t|\s*\|\s*")


class Tabled(NamedTuple):
    """A row of a printed table."""

    values: dict[str, float]
    epoch: float | None = None
    step: float | None = None


class PrintedTable:
    """Looks at one line after another."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def row(self, line: str, numbers: list[str]) -> Tabled | None:
        """What a line of numbers says by the names above it; None where it is none."""
        if not numbers:
            if names := _names(line):
                self._names = names
            return None
        if not self._names:
            return None
        fields = [field for field in _FIELDS.split(line.strip().strip("|")) if field]
        read = [number(field) for field in fields]
        if len(fields) != len(self._names) or read[0] is None:
            return None
        values, counts = {}, {}
        for name, value in zip(self._names, read, strict=True):
            if value is not None and (axis := columns.axis(name)):
                counts[axis[0]] = value
            elif value is not None:
                values[name] = value
        return Tabled(values, counts.get("epoch"), counts.get("step"))


def _names(line: str) -> list[str]:
    """The names of a table's columns, if that is what a line without numbers holds."""
    if not any(character.isalpha() for character in line):
        return []
    names = [name for name in _FIELDS.split(line.strip().strip("|")) if name]
    if len(names) < 2 or len(set(names)) < len(names) or not any(map(columns.tells_learning, names)):
        return []
    return names if all(len(name.split()) <= 3 for name in names) else []
