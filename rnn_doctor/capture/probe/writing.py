"""Tells of files that the script is about to open for writing, by Python's audit events."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from typing import Any, Callable

_WRITES = os.O_WRONLY | os.O_RDWR
_PASSING = ("__pycache__", f"{os.sep}.cache{os.sep}")
"""Parts of paths that libraries write to on their own behalf."""


def before_writing(tell: Callable[[], None]) -> None:
    """Calls a function before the main thread of this process opens a file for writing, caches and devices apart.

    What it raises keeps the file from being opened. An audit hook stays for good: the function has to know when it is
    over.
    """
    process = os.getpid()
    temporary = tempfile.gettempdir() + os.sep
    spared = (temporary, "/dev/", "/proc/")
    here = os.getcwd() + os.sep
    own = here if here.startswith(temporary) else None  # a script may live in the folder for temporary files

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event != "open" or os.getpid() != process:
            return
        path, mode, flags = args
        if not _opens_for_writing(mode, flags) or not isinstance(path, (str, bytes, os.PathLike)):
            return
        name = os.path.abspath(os.fsdecode(path))
        if name.startswith(spared) and not (own and name.startswith(own)):
            return
        if any(part in name for part in _PASSING):
            return
        if threading.current_thread() is threading.main_thread():
            tell()

    sys.addaudithook(hook)


def _opens_for_writing(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITES)
