"""The script's processes do not outlive the doctor, even where they hang."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

_INTERVAL = 1.0
_PR_SET_PDEATHSIG = 1


def tie(doctor: int) -> bool:
    """Has Linux end this process with the doctor, if that started it itself; says whether it will.

    The descendants may have been started by a thread that ends before them, which would set the signal off.
    """
    if sys.platform != "linux" or os.getppid() != doctor:
        return False
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == doctor  # it may have died in between


def watch(doctor: int) -> None:
    """Looks for the doctor once a second, from a thread of its own, and ends this process when it is gone."""

    def look() -> None:
        while alive(doctor) and not _is_zombie(doctor):
            time.sleep(_INTERVAL)
        os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    threading.Thread(target=look, name="rnn-doctor lifeline", daemon=True).start()


def alive(process: int) -> bool:
    """Whether a process has this id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _is_zombie(process: int) -> bool:
    """Whether it is dead, and nobody has asked how it ended: in containers, often nobody does."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except (OSError, IndexError):
        return False
