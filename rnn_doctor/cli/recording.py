"""Running a script and keeping its log: what `check` and `record` share."""

from __future__ import annotations

import contextlib
import glob
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_doctor import targets
from rnn_doctor.cli import output, progress
from rnn_doctor.errors import DoctorError, ScriptError

if TYPE_CHECKING:
    from rnn_doctor.pipeline import Change, Outcome, Target
    from rnn_doctor.settings import Settings


_FIRST_BYTES = b'{"record":'


@dataclass
class Place:
    """Where a run log is written, and whether it shall stay there."""

    path: Path
    keep: bool = False


@contextlib.contextmanager
def place(wanted: Path | None) -> Iterator[Place]:
    """The file that was asked for, or one in a temporary folder.

    The temporary one is removed unless `keep` was set or an error of ours makes it worth another look; then
    its path is printed.
    """
    if wanted is not None:
        output.check_writable(wanted)
        yield Place(wanted, keep=True)
        return
    folder = Path(tempfile.mkdtemp(prefix="rnn-doctor-"))
    chosen = Place(folder / "run.jsonl")
    try:
        yield chosen
    except ScriptError:
        raise
    except BaseException:
        chosen.keep = True
        raise
    finally:
        if chosen.keep and chosen.path.exists():
            output.say(f"the run log is kept: rnn-doctor diagnose {chosen.path}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def run(
    target: Target,
    log: Path,
    settings: Settings,
    *,
    shown: progress.Reporter | None = None,
    written_to: int | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    change: Change | None = None,
) -> Outcome:
    """How the script ended.

    One of several is given a reporter, a file descriptor for its output, and a way to be interrupted.

    Raises: ScriptError: it left no run log, for it failed or ended before anything of a training was seen.
    """
    from rnn_doctor import pipeline

    _refuse_other_files(log)
    terminal = shown is None and progress.on_terminal() and not settings.quiet
    shown = shown or progress.reporter(target.path, quiet=settings.quiet, terminal=terminal)
    try:
        outcome = pipeline.record(
            target,
            log,
            settings,
            terminal=terminal,
            on_progress=shown.update,
            on_output=shown.output if isinstance(shown, progress.Live) else None,
            output=written_to,
            interrupted=interrupted,
            change=change,
        )
    except OSError as error:
        raise targets.not_started(target, error) from None
    finally:
        shown.close()
    if outcome.log is None and outcome.reason != "interrupted":
        raise targets.nothing_seen(target, outcome)
    return outcome


def _refuse_other_files(log: Path) -> None:
    """Nothing, where the files that are made anew are absent, or run logs as well.

    Raises: DoctorError: one is something else, which the user may want.
    """
    for old in logs(log):
        with old.open("rb") as file:
            start = file.read(len(_FIRST_BYTES))
        if start not in (b"", _FIRST_BYTES):
            raise DoctorError(f"{old} exists and is no run log", "name another file, or remove it first")


def logs(log: Path) -> Iterator[Path]:
    """The log and those of further ranks and processes beside it, as far as they exist."""
    return (path for path in (log, *_beside(log)) if path.is_file())


def _beside(log: Path) -> Iterator[Path]:
    """Logs that the ranks and further processes of a run wrote beside its own."""
    for kind in ("rank", "process"):
        yield from log.parent.glob(f"{glob.escape(log.stem)}.{kind}*{glob.escape(log.suffix)}")
