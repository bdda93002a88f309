"""Progress of several scripts at once: whole lines that do not mix, or on a terminal one live line each."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_doctor.cli import progress

if TYPE_CHECKING:
    from rich.table import Table

    from rnn_doctor.pipeline import Progress


class Board:
    """Hands out a reporter for each script, which is called in the thread that watches over it."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._lock = threading.Lock()
        self._live = not quiet and progress.on_terminal()
        self._lines: dict[str, str] = {}

    def reporter(self, name: str) -> progress.Reporter:
        """What shows how this script goes."""
        if self._quiet:
            return progress.Silent()
        return _Line(self, name) if self._live else _Locked(self._lock, progress.Plain(name, sys.stderr))

    def show(self, name: str, line: str | None) -> None:
        """Put this into the script's line of the terminal; None takes the line away."""
        with self._lock:
            if line is None:
                self._lines.pop(name, None)
            else:
                self._lines[name] = line

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """A block in which the lines stand below whatever else is written to stderr."""
        if not self._live:
            yield
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, highlight=False)
        with Live(get_renderable=self.table, console=console, transient=True, redirect_stdout=False):
            yield

    def table(self) -> Table:
        """The lines as they stand."""
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        with self._lock:
            for name, line in self._lines.items():
                grid.add_row(
                    Text("rnn-doctor", style="bold cyan"), Text(f"{name}:", style="dim"), Text(line), style=""
                )
        return grid


class _Locked:
    """A reporter whose lines do not mix with those of others."""

    def __init__(self, lock: threading.Lock, inner: progress.Plain) -> None:
        self._lock = lock
        self._inner = inner

    def update(self, progress: Progress) -> None:
        with self._lock:
            self._inner.update(progress)

    def close(self) -> None:
        self._inner.close()


class _Line:
    """One line of the board."""

    def __init__(self, board: Board, name: str) -> None:
        self._board = board
        self._name = name

    def update(self, now: Progress) -> None:
        self._board.show(self._name, progress.describe(now))

    def close(self) -> None:
        self._board.show(self._name, None)
