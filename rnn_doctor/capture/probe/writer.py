"""Observations to lines of the run log."""

from __future__ import annotations

import json
import math
import os
import time
from typing import IO, Any

_LONGEST_BACKLOG = 10_000


def _number(value: float) -> Any:
    """A float as JSON holds it: seven digits are all that float32 has; NaN and infinities are strings."""
    if math.isfinite(value):
        return float(f"{value:.7g}")
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


class Writer:
    """Appends records to this process's log; holds them back until the process is known to train.

    DataLoader workers, launchers and other helpers of the script never open a file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._backlog: list[dict[str, Any]] = []
        self.rank = 0

    @property
    def is_open(self) -> bool:
        """Whether this process has a file."""
        return self._file is not None

    def write(self, record: str, **fields: Any) -> None:
        """One record; keys that are None are left out."""
        line = {"record": record, **fields}
        if self._file is None:
            if len(self._backlog) < _LONGEST_BACKLOG:
                self._backlog.append(line)
            return
        self._file.write(json.dumps(_plain(line)) + "\n")
        self._file.flush()

    def open(self, header: dict[str, Any]) -> None:
        """Creates the file, writes the header and what was held back."""
        if self._file is not None:
            return
        self.rank = header["rank"]
        self._file = self._create()
        self.write("header", started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **header)
        for line in self._backlog:
            self.write(**line)
        self._backlog.clear()

    def _create(self) -> IO[str]:
        """The first process of rank 0 takes the name itself; ranks and further processes take names beside it."""
        stem, extension = os.path.splitext(self._path)
        rank = f".rank{self.rank}" if self.rank else ""
        for path in (f"{stem}{rank}{extension}", f"{stem}{rank}.process{os.getpid()}{extension}"):
            try:
                # Line by line through flush(): a line stands in the file or does not.
                return open(path, "x", encoding="utf-8", newline="\n")
            except FileExistsError:
                continue
        return open(path, "a", encoding="utf-8", newline="\n")

    def close(self) -> None:
        """No more records."""
        if self._file is not None:
            self._file.close()
            self._file = None
