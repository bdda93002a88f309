"""All processes of a run, wherever they went: launchers such as torchrun give their ranks sessions of their own."""

import contextlib
import os
import signal
from pathlib import Path

_PROC = Path("/proc")
_ROUNDS = 20
"""A process may be starting another while it is looked for; each round ends one generation."""


def end_all(group: int, variable: str) -> None:
    """Kills the process group, and on Linux every process whose environment holds this `NAME=value`."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for _ in range(_ROUNDS):
        left = _holding(os.fsencode(variable))
        if not left:
            return
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _holding(variable: bytes) -> list[int]:
    """Ids of the live processes with this variable, our own excepted."""
    found = []
    for folder in _PROC.iterdir() if _PROC.is_dir() else ():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            # Zombies have no environment any more, and other users' processes do not show theirs.
            with contextlib.suppress(OSError):
                if variable in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found
