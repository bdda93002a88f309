"""Waiting for processes: by condition, never by a fixed time."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_PATIENCE = 90.0
"""A loaded machine takes its time to import torch; what never happens is a failure."""


def eventually(condition: Callable[[], bool], what: str, seconds: float = _PATIENCE) -> None:
    """Returns once the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)


def running(process: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not stat.parent.parent.is_dir()


def recorded(folder: Path) -> set[int]:
    """Process ids that a script left as names of files."""
    return {int(path.name) for path in folder.iterdir() if path.name.isdigit()}
