"""Observations to lines of the run log."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from typing import Any, Sequence

_LONGEST_BACKLOG = 10_000
_AT_ONCE = 100
"""Records that are written as they come; after them those of fast scripts go out together."""
_LONGEST_WAIT = 0.25
"""Seconds that a record waits at most for the next ones: what a kill of a fast script can cost."""
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
"""Of a bare descriptor: a file object that a fork or the exit leaves open would warn the script of it."""


_other = json.JSONEncoder().encode
_quoted = json.encoder.encode_basestring_ascii
"""Of a string, as `json` writes it."""


def _text(value: Any) -> str:
    """A value as JSON, three times as fast as `json` on records of floats.

    Seven digits are all that float32 has; NaN and infinities are strings; keys that are None are left out.
    """
    kind = type(value)
    if kind is float:
        return f"{value:.7g}" if value - value == 0 else _non_finite(value)
    if kind is dict:
        return _object(value)
    if kind is list or kind is tuple:
        return _array(value)
    return str(value) if kind is int else _quoted(value) if kind is str else _other(value)


def _array(values: Sequence[Any]) -> str:
    # As for a record: no call of a function for each number.
    return (
        "[" + ", ".join([f"{v:.7g}" if type(v) is float and v - v == 0 else _text(v) for v in values]) + "]"
    )


def _object(fields: dict[str, Any]) -> str:
    parts = []
    for key, value in fields.items():
        kind = type(value)
        if kind is float and value - value == 0:  # most of what a step's record holds
            parts.append(f'"{key}": {value:.7g}')
        elif kind is int:
            parts.append(f'"{key}": {value}')
        elif kind is list:
            parts.append(f'"{key}": {_array(value)}')
        elif kind is str:
            parts.append(f'"{key}": {_quoted(value)}')
        elif value is not None:
            parts.append(f'"{key}": {_text(value)}')
    return "{" + ", ".join(parts) + "}"


def _non_finite(value: float) -> str:
    return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'


class Writer:
    """Appends records to this process's log; holds them back until the process is known to train.

    DataLoader workers, launchers and other processes beside the training never open a file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._broken = False
        self._backlog: list[dict[str, Any]] = []
        self._waiting: list[dict[str, Any]] = []
        self._written = 0
        self._last = 0.0
        self.rank = 0

    @property
    def is_open(self) -> bool:
        """Whether this process has a file, or had one that cannot be written any more."""
        return self._file is not None or self._broken

    def write(self, record: str, **fields: Any) -> None:
        """One record; keys that are None are left out."""
        line = {"record": record, **fields}
        if self._file is not None:
            self._waiting.append(line)
            self._written += 1
            now = time.perf_counter()
            if self._written <= _AT_ONCE or record != "step" or now - self._last > _LONGEST_WAIT:
                self._last = now
                self.flush()
        elif not self._broken and len(self._backlog) < _LONGEST_BACKLOG:
            self._backlog.append(line)

    def flush(self) -> None:
        """Writes what waits. A line stands in the file or does not; after one that does not, nothing follows."""
        lines, self._waiting = self._waiting, []
        if self._file is None or not lines:
            return
        block = "".join([f"{_object(line)}\n" for line in lines]).encode()
        try:
            written = os.write(self._file, block)
        except OSError:  # the disk is full: no reason to end the script
            written = 0
        if written != len(block):
            self._broken = True
            self.close()

    def open(self, header: dict[str, Any]) -> None:
        """Creates the file, writes the header and what was held back."""
        if self.is_open:
            return
        self.rank = header["rank"]
        try:
            self._file = self._create()
        except OSError:
            self._broken = True
        self.write("header", started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **header)
        for line in self._backlog:
            self.write(**line)
        self._backlog.clear()

    def _create(self) -> int:
        """The first process of rank 0 takes the name itself; ranks and further processes take names beside it."""
        stem, extension = os.path.splitext(self._path)
        rank = f".rank{self.rank}" if self.rank else ""
        for path in (f"{stem}{rank}{extension}", f"{stem}{rank}.process{os.getpid()}{extension}"):
            try:
                return os.open(path, _FLAGS | os.O_EXCL, 0o666)
            except FileExistsError:
                continue
        return os.open(path, _FLAGS, 0o666)

    def close(self) -> None:
        """No more records."""
        self.flush()
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None
