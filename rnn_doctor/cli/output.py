"""Where a report goes: stdout in whatever it can print, or a file that is whole or not there."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor.errors import DoctorError

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report
    from rnn_doctor.settings import Settings

_PLAIN_WIDTH = 80
_WIDEST = 100
"""Longer lines are harder to read, however wide the terminal."""

_ASCII = str.maketrans(
    {"—": "-", "–": "-", "‑": "-", "−": "-", "→": "->", "←": "<-", "×": "x", "·": ".", "•": "*", "…": "..."}
    | {"≥": ">=", "≤": "<=", "≈": "~", "±": "+-", "‖": "||", "│": "|", "─": "-", "└": "`", "├": "|"}
    | {"“": '"', "”": '"', "‘": "'", "’": "'", "✓": "+", "✗": "x", "▸": ">", "━": "="}
)
"""For terminals that know no Unicode."""


def say(message: str, hint: str | None = None) -> None:
    """A sentence on stderr, and what to do about it on a line of its own.

    Both may quote what a script or a file holds: that steers no terminal, and fills no screen.
    """
    from rnn_doctor.render.wording import short

    click.echo(f"rnn-doctor: {short(message)}" + (f"\n  {short(hint)}" if hint else ""), err=True)


def quote(lines: Iterable[str]) -> None:
    """Lines on stderr as they stand."""
    for line in lines:
        click.echo(line, err=True)


def emit(reports: list[Report], settings: Settings, *, several: bool = False) -> None:
    """Write the reports: where `several` were asked for, as one document or one after another.

    Where none of them could be made, only formats that can hold several say so, with an empty document.

    Raises: DoctorError: the format holds one report alone, or the file cannot be written.
    """
    from rnn_doctor.render import TOGETHER

    if not reports and settings.format not in TOGETHER:
        return
    # What a format says must be the same in every locale, but for what is read on a screen alone.
    encoding = None if settings.format == "terminal" else "utf-8"
    text = _rendered(reports, settings, several=several)
    if settings.output is None:
        to_stdout(text, encoding=encoding)
    else:
        to_file(text, settings.output)


def check_holds_several(settings: Settings) -> None:
    """Nothing, where the format can show several reports: asked before the scripts run, not after.

    Raises: DoctorError: it cannot.
    """
    from rnn_doctor.render import JOINED, TOGETHER

    if settings.format not in JOINED and settings.format not in TOGETHER:
        able = ", ".join(sorted({*JOINED, *TOGETHER}))
        raise DoctorError(f"{settings.format} holds one report alone", f"several fit into {able}")


def _rendered(reports: list[Report], settings: Settings, *, several: bool) -> str:
    from rnn_doctor.render import FORMATS, JOINED, TOGETHER

    name = settings.format
    if name == "terminal":
        return _for_a_terminal(reports, settings)
    if several and name in TOGETHER:
        return TOGETHER[name](reports)
    if several and (beside := JOINED.get(name)):
        return beside(reports)
    if len(reports) > 1 and name not in JOINED:
        raise DoctorError(f"{name} holds one report, and there are {len(reports)}", "give them one at a time")
    return "\n".join(FORMATS[name](report) for report in reports)


def _for_a_terminal(reports: list[Report], settings: Settings) -> str:
    from rnn_doctor.render import overview, terminal

    shape: dict[str, Any] = {} if settings.output else {"width": width(), "color": colored()}
    texts = [terminal.render(report, full=settings.verbose, **shape) for report in reports]
    if any(report.expected for report in reports):
        texts.append(overview.render(reports, **shape))
    return "\n".join(texts)


def to_stdout(text: str, *, encoding: str | None = None) -> None:
    """Print the text, with substitutes for characters that stdout's encoding lacks.

    Raises: DoctorError: it cannot be written there: the disk is full.
    """
    encoding = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    text = text if text.endswith("\n") else text + "\n"
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        data = text.translate(_ASCII).encode(encoding, errors="replace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough of it (`| head`); the exit code is for the others.
        _write_no_more()
    except OSError as error:
        _write_no_more()
        raise DoctorError(f"stdout: cannot be written: {error.strerror}", "write to another file") from None


def _write_no_more() -> None:
    """Python must not complain at its own exit of what could not be flushed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def to_file(text: str, path: Path) -> None:
    """Replace the file in one step: a reader sees the old text or the new one, never half of it.

    A link goes on leading where it led. What is no file but a way to somewhere (/dev/stdout, a pipe) is written to.

    Raises: DoctorError: the folder cannot be written to.
    """
    check_writable(path)
    text = text if text.endswith("\n") else text + "\n"
    if _leads_elsewhere(path):
        try:
            path.write_text(text, encoding="utf-8")
        except BrokenPipeError:
            pass  # whoever reads has seen enough
        except OSError as error:
            raise _unwritable(path, error) from None
    else:
        _replace(path, text)


def _replace(path: Path, text: str) -> None:
    path = path.resolve() if path.is_symlink() else path
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # mkstemp makes files that only the user may read; a report is an ordinary file.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _leads_elsewhere(path: Path) -> bool:
    """Whether a path names a device or a pipe, or one of the streams of a process, which may be a file just now."""
    if path.is_file():
        return path.absolute().is_relative_to("/dev") or path.absolute().is_relative_to("/proc")
    return path.exists() and not path.is_dir()


def _unwritable(path: Path, error: OSError) -> DoctorError:
    return DoctorError(f"{path}: cannot be written: {error.strerror}", "choose another file")


def check_writable(path: Path | None) -> None:
    """Nothing, where a file can be written: asked before the script runs, not after.

    Raises: DoctorError: it is a folder or a dash, or its folder is missing or cannot be written to.
    """
    if path is None:
        return
    if path.name == "-":
        raise DoctorError("-o - would be a file of that name", "reports go to stdout without -o")
    if path.is_dir():
        raise DoctorError(f"{path} is a directory", "name a file in it")
    if _leads_elsewhere(path):
        if not os.access(path, os.W_OK):
            raise DoctorError(f"{path}: it cannot be written to", "choose another file")
        return
    path = path.resolve() if path.is_symlink() else path
    if not path.parent.is_dir():
        raise DoctorError(f"{path}: there is no folder {path.parent}", "make it first")
    if not os.access(path.parent, os.W_OK):
        raise DoctorError(f"{path}: {path.parent} cannot be written to", "choose another folder")


def colored() -> bool:
    """Whether stdout is a terminal that wants colour (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """How many columns to fill on stdout."""
    if not sys.stdout.isatty():
        return _PLAIN_WIDTH
    return min(shutil.get_terminal_size((_PLAIN_WIDTH, 24)).columns, _WIDEST)
