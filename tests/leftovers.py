"""Processes that a test leaves behind: found wherever they went, ended, and reported."""

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_TASKS = Path("/proc/self/task")
_GRACE = 10.0
"""Seconds in which a process that was told to end may do so."""


def adopt() -> None:
    """Has Linux hand this process all its descendants whose parent has died, so that none gets out of sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children() -> set[int]:
    """Ids of the processes that this one started or was handed, and that have not been waited for."""
    found: set[int] = set()
    for task in _TASKS.iterdir() if _TASKS.is_dir() else ():
        with contextlib.suppress(OSError):  # a thread that has just ended
            found.update(map(int, (task / "children").read_text().split()))
    return found


def end(processes: set[int], grace: float = _GRACE) -> list[str]:
    """Waits a little for these to end, kills those that do not, and says in words which they were."""
    left, deadline = set(processes), time.monotonic() + grace
    while left and time.monotonic() < deadline:
        left = {process for process in left if not _ended(process)}
        time.sleep(0.01 if left else 0)
    words = [f"{process}: {_command(process)}" for process in sorted(left)]
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, 0)
    return words


def _ended(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:
        return True


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "?"
