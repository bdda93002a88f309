"""The parent's side: starts the script natively with the probe injected, watches over it, and ends it."""

import contextlib
import errno
import json
import os
import platform
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from rnn_doctor.capture.interrupts import Interrupts, counted
from rnn_doctor.capture.processes import end_all

_INJECT = Path(__file__).parent / "inject"
_VARIABLE = "RNN_DOCTOR_PROBE"
_BESIDE = r"(rank\d+(\.process\d+)?|process\d+)"
_TICK = 0.05
_GRACE = 10.0
"""Seconds beyond the time limit in which the script may still reach its next step."""
_FAREWELL = 20.0
"""Seconds that a script may take to end after it was asked to (its `finally` blocks run)."""
_INTERRUPT = 5.0
"""Seconds that a script may take to end after Ctrl-C."""

Reason = Literal["ended", "hung", "no_step", "interrupted"]


@dataclass(frozen=True)
class Target:
    """What to run: a script or, with `-m`, a module."""

    path: str
    is_module: bool
    arguments: tuple[str, ...]
    python: str = sys.executable
    threads: int | None = None
    """Threads that PyTorch may use for one operation; None leaves it what it is."""

    @property
    def command(self) -> list[str]:
        """The native command line."""
        return [self.python, *(["-m"] if self.is_module else []), self.path, *self.arguments]


@dataclass(frozen=True)
class Change:
    """What a trial changes of a run."""

    intervention: str = "none"
    """One of `capture/probe/interventions/applying.py`."""
    values: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 0
    """Runs of one repeat have the same seeds, those of another have others."""


@dataclass(frozen=True)
class Progress:
    """How far the observation is."""

    state: Literal["starting", "training", "stopping"]
    step: int
    steps: int | None
    loss: float | None
    elapsed: float
    """Seconds since the script was started."""


@dataclass(frozen=True)
class Outcome:
    """How the run ended."""

    log: Path | None
    """The run log, or None where no process of the script trained."""
    exit_code: int | None
    reason: Reason


def launch(
    target: Target,
    log: Path,
    *,
    steps: int | None,
    time_limit: float,
    start_limit: float,
    validate: bool = False,
    deep: float = 0.0,
    change: Change | None = None,
    tool_version: str,
    terminal: bool,
    on_progress: Callable[[Progress], None],
    on_output: Callable[[bytes], None] | None = None,
    output: int | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Runs the target under the probe until enough was seen; `log` and the logs of its ranks are made anew.

    The script's output goes to the file descriptor `output`, or to our stderr. With `terminal` it is given a
    terminal of its own, and what it writes comes through `on_output`, so that the caller can print it around
    a live line. Signals reach the main thread alone: in another one `interrupted` is asked instead, and the
    script is ended as by Ctrl-C once it says yes. With `validate` the epoch is ended early where the script has
    not validated by then. `deep`: seconds that trials may take besides. `change`: the run is a trial itself.

    Raises: OSError: the interpreter cannot be started.
    """
    for old in _logs(log):
        old.unlink()
    environment = _environment(target, log, steps, time_limit, validate, deep, change, tool_version)
    with counted() as interrupts, _terminal(terminal) as (reader, writer):
        sink = output if writer is None else writer
        process = subprocess.Popen(
            target.command,
            env=environment,
            stdin=_stdin(),
            stdout=2 if sink is None else sink,
            stderr=sink,
            start_new_session=True,
        )
        if writer is not None:
            os.close(writer)
        mark = f"{_VARIABLE}={environment[_VARIABLE]}"
        watch = _Watch(
            process, mark, log, steps, time_limit + deep, start_limit, on_progress, reader, on_output
        )
        reason = watch.until_end(interrupts, interrupted)
        _write_exit(log, process.returncode, reason, watch.elapsed())
    logs = _logs(log)
    return Outcome(log if log in logs else (logs[0] if logs else None), process.returncode, reason)


def _stdin() -> int | None:
    """What is piped to us is the script's; our terminal is not. sys.stdin may be closed where fd 0 is open."""
    try:
        os.fstat(0)
    except OSError:
        return subprocess.DEVNULL
    return subprocess.DEVNULL if os.isatty(0) else None


def _logs(log: Path) -> list[Path]:
    """The log and those of further ranks and processes beside it."""
    name = re.compile(rf"{re.escape(log.stem)}\.{_BESIDE}{re.escape(log.suffix)}")
    folder = log.parent.iterdir() if log.parent.is_dir() else ()
    return ([log] if log.exists() else []) + sorted(path for path in folder if name.fullmatch(path.name))


def _environment(
    target: Target,
    log: Path,
    steps: int | None,
    time_limit: float,
    validate: bool,
    deep: float,
    change: Change | None,
    tool_version: str,
) -> dict[str, str]:
    config = {
        "log": str(log.absolute()),
        "steps": steps,
        "time_limit": time_limit,
        "validate": validate,
        "deep": deep,
        "tool_version": tool_version,
        "script": ("-m " if target.is_module else "") + target.path,
        "arguments": list(target.arguments),
        "parent": os.getpid(),
        "trial": change and asdict(change),
    }
    environment = dict(os.environ)
    if change is not None:  # sets of words, as vocabularies are made of, come in one order in all of them
        environment["PYTHONHASHSEED"] = "0"
    given = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = str(_INJECT) + (os.pathsep + given if given else "")
    environment[_VARIABLE] = json.dumps(config)
    if target.threads is not None:
        environment["OMP_NUM_THREADS"] = str(target.threads)
    environment.setdefault("MPLBACKEND", "Agg")  # plots must not wait for somebody to close them
    return environment


@contextlib.contextmanager
def _terminal(wanted: bool) -> Iterator[tuple[int | None, int | None]]:
    if not wanted or platform.system() == "Windows":
        yield None, None
        return
    import fcntl
    import pty
    import struct
    import termios

    reader, writer = pty.openpty()
    size = shutil.get_terminal_size()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", size.lines, size.columns, 0, 0))
    try:
        yield reader, writer
    finally:
        os.close(reader)


class _Watch:
    """Follows one run by its log, and ends it when it hangs."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        mark: str,
        log: Path,
        steps: int | None,
        time_limit: float,
        start_limit: float,
        on_progress: Callable[[Progress], None],
        reader: int | None,
        on_output: Callable[[bytes], None] | None,
    ) -> None:
        self._process = process
        self._mark = mark
        self._log = log
        self._steps = steps
        self._time_limit = time_limit
        self._start_limit = start_limit
        self._on_progress = on_progress
        self._reader = reader
        self._on_output = on_output or (lambda data: None)
        self._began = time.monotonic()
        self._first: float | None = None
        self._stopped: float | None = None
        self._asked_to_stop = False
        self._validating: float | None = None
        self._file: IO[bytes] | None = None
        self._partial = b""
        self._step = 0
        self._loss: float | None = None

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def until_end(self, interrupts: Interrupts, interrupted: Callable[[], bool]) -> Reason:
        """Waits for the script; whatever happens, none of its processes is left behind."""
        reason: Reason = "ended"
        try:
            while self._process.poll() is None:
                if interrupts or interrupted():
                    reason = "interrupted"
                    self._interrupt(interrupts)
                    break
                self._pause()
                self._follow()
                overdue = self._overdue()
                if overdue is not None:
                    reason = overdue
                    break
        finally:
            end_all(self._process.pid, self._mark)
            self._process.wait()
            self._drain()
            self._follow()
            if self._file is not None:
                self._file.close()
        return reason

    def _pause(self) -> None:
        if self._reader is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_TICK)
        elif select.select([self._reader], [], [], _TICK)[0]:
            self._relay()

    def _relay(self) -> bool:
        assert self._reader is not None
        try:
            data = os.read(self._reader, 1 << 16)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux says EIO when the other side is closed
                raise
            data = b""
        if data:
            self._on_output(data)
        else:
            time.sleep(_TICK)
        return bool(data)

    def _drain(self) -> None:
        while self._reader is not None and select.select([self._reader], [], [], 0)[0]:
            if not self._relay():
                return

    def _follow(self) -> None:
        """Reads what the log has grown by."""
        if self._file is None:
            with contextlib.suppress(FileNotFoundError):
                self._file = self._log.open("rb")
                self._first = time.monotonic()
        if self._file is not None:
            *lines, self._partial = (self._partial + self._file.read()).split(b"\n")
            for line in lines:
                self._take(line)
        state: Literal["starting", "training", "stopping"] = (
            "starting" if self._file is None else "stopping" if self._asked_to_stop else "training"
        )
        self._on_progress(Progress(state, self._step, self._steps, self._loss, self.elapsed()))

    def _take(self, line: bytes) -> None:
        if line.startswith(b'{"record": "step"'):
            record = json.loads(line)
            self._step = record["step"]
            loss = record.get("loss")
            self._loss = float(loss) if loss is not None else None
        elif line.startswith(b'{"record": "early_validation"'):
            self._validating = time.monotonic()
        elif line.startswith(b'{"record": "stop"'):
            self._stopped = time.monotonic()
            # What has failed is about to print its traceback: no line of ours belongs in it.
            self._asked_to_stop = json.loads(line)["reason"] != "crash"

    def _overdue(self) -> Reason | None:
        now = time.monotonic()
        if self._stopped is not None:
            return "ended" if now - self._stopped > _FAREWELL else None
        if self._first is not None and self._validating is not None:
            # It may take as long as its training took; what it does then is of no more interest.
            return "ended" if now - self._validating > self._validating - self._first + _FAREWELL else None
        if self._first is not None:
            return "hung" if now - self._first > self._time_limit + _GRACE else None
        return "no_step" if now - self._began > self._start_limit else None

    def _interrupt(self, interrupts: Interrupts) -> None:
        """As Ctrl-C would: the script may clean up; a second Ctrl-C ends that too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        until = time.monotonic() + _INTERRUPT
        while self._process.poll() is None and not interrupts.insistent and time.monotonic() < until:
            self._pause()


def _write_exit(log: Path, code: int | None, reason: Reason, seconds: float) -> None:
    """Appends how the process ended, after the last whole line; not where the disk is full or the log is gone."""
    with contextlib.suppress(OSError), log.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 20)))
        tail = file.read()
        file.truncate(size - (len(tail) - (tail.rfind(b"\n") + 1)))
        file.seek(0, os.SEEK_END)
        record = {"record": "exit", "code": code, "reason": reason, "seconds": round(seconds, 3)}
        file.write(json.dumps(record).encode() + b"\n")
