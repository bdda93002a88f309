"""What is said on stderr while the script runs: one live line on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rnn_doctor.pipeline import Progress

_SECONDS_BETWEEN_LINES = 10.0


class Reporter(Protocol):
    """Shows how the observation goes."""

    def update(self, progress: Progress) -> None:
        """Show the present state."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def reporter(script: str, *, quiet: bool, terminal: bool) -> Reporter:
    """The reporter that suits stderr."""
    if quiet:
        return Silent()
    return Live(script, sys.stderr) if terminal else Plain(script, sys.stderr)


def on_terminal() -> bool:
    """Whether stderr is a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def describe(progress: Progress) -> str:
    """The state in a few words, e.g. `step 23 of 50, loss 2.31, 12 s`."""
    seconds = f"{progress.elapsed:.0f} s"
    if progress.state == "starting":
        return f"starting, {seconds}"
    steps = f"step {progress.step}" + (f" of {progress.steps}" if progress.steps else "")
    loss = "" if progress.loss is None else f", loss {progress.loss:.4g}"
    return f"{steps}{loss}, {seconds}" + (", stopping" if progress.state == "stopping" else "")


class Silent:
    """Says nothing."""

    def update(self, progress: Progress) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Plain:
    """A line when the training starts and ends, and about every ten seconds between."""

    def __init__(self, script: str, stream: TextIO) -> None:
        self._script = script
        self._stream = stream
        self._state = ""
        self._said_at = -math.inf

    def update(self, progress: Progress) -> None:
        """A line, if the state is new or ten seconds have passed."""
        news = progress.state != self._state
        if news or progress.elapsed >= self._said_at + _SECONDS_BETWEEN_LINES:
            self._state, self._said_at = progress.state, progress.elapsed
            print(f"rnn-doctor: {self._script}: {describe(progress)}", file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing."""


class Live:
    """One line that is redrawn below the script's output.

    It is drawn only while the script's last line is complete, so that the script's own progress bars and
    prompts, which leave the cursor in their line, stay as they are.
    """

    def __init__(self, script: str, stream: TextIO, *, width: int | None = None) -> None:
        from rich.console import Console

        self._console = Console(file=stream, force_terminal=True, highlight=False, width=width)
        self._stream = stream
        self._script = script
        self._line = ""
        self._drawn = False
        self._at_line_start = True

    def update(self, progress: Progress) -> None:
        """Redraw the line."""
        line = describe(progress)
        if line != self._line or not self._drawn:
            self._line = line
            self._erase()
            self._draw()

    def output(self, data: bytes) -> None:
        """Put it above the line."""
        if not data:
            return
        self._erase()
        self._write(data)
        self._at_line_start = data.endswith(b"\n")
        self._draw()

    def close(self) -> None:
        """Erase the line."""
        self._erase()
        if not self._at_line_start:
            self._write(b"\n")
            self._at_line_start = True

    def _draw(self) -> None:
        from rich.text import Text

        if not self._at_line_start or not self._line:
            return
        # One column is left free: a full line would make some terminals wrap.
        text = Text.assemble(("rnn-doctor ", "bold cyan"), (f"{self._script}: ", "dim"), self._line)
        text.truncate(max(self._console.width - 1, 10), overflow="ellipsis")
        self._console.print(text, end="", soft_wrap=True)
        self._console.file.flush()
        self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            from rich.control import Control
            from rich.segment import ControlType

            self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
            self._drawn = False

    def _write(self, data: bytes) -> None:
        self._stream.flush()
        # The script's terminal has made \r\n of each \n, and ours will do so again.
        self._stream.buffer.write(data.replace(b"\r\n", b"\n"))
        self._stream.buffer.flush()
