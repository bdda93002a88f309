"""Where in the user's source something runs: found from the stack."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
import types
from typing import Any

import torch

from .paths import shown

_PROBE = os.path.dirname(os.path.abspath(__file__))
_LIBRARIES = tuple(
    {
        os.path.abspath(sysconfig.get_path(name)) + os.sep
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
)
_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
_OURS, _LIBRARY, _USER = 0, 1, 2
_kinds: dict[str, int] = {}


def _kind(filename: str) -> int:
    kind = _kinds.get(filename)
    if kind is None:
        path = os.path.abspath(filename)
        if filename.startswith("<") or path.startswith(_PROBE + os.sep) or path.startswith(_TORCH):
            kind = _OURS
        elif path.endswith(".pyx"):
            kind = _LIBRARY  # what Cython compiled names its source as it stood where it was built
        elif f"{os.sep}site-packages{os.sep}" in path or path.startswith(_LIBRARIES):
            kind = _LIBRARY
        else:
            kind = _USER
        _kinds[filename] = kind
    return kind


def is_users(filename: str) -> bool:
    """Whether a file is the user's own code, neither ours nor a library's."""
    return _kind(filename) == _USER


def here() -> dict[str, Any] | None:
    """The innermost line of the user's own code on the stack, else of a library beside torch.

    The shape is that of a run log's location.
    """
    library = None
    frame = sys._getframe(1)
    while frame is not None:
        kind = _kind(frame.f_code.co_filename)
        if kind == _USER:
            return _location(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
        if kind == _LIBRARY and library is None and "frozen" not in frame.f_code.co_filename:
            library = (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
        frame = frame.f_back  # type: ignore[assignment]
    return _location(*library) if library else None


def site() -> tuple[str, int] | None:
    """File and line of `here`, without the cost of describing it: tells call sites apart."""
    frame = sys._getframe(1)
    while frame is not None:
        filename = frame.f_code.co_filename
        kind = _kinds.get(filename)  # asked for at every step: no call of a function for each frame
        if (_kind(filename) if kind is None else kind) == _USER:
            return filename, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None


def own_call() -> tuple[str, int] | None:
    """As `site`, where that line itself calls what the probe replaced.

    None where torch or a library calls it on the line's behalf: a tensor that is formatted is read out, too.
    """
    frame, below = sys._getframe(1), ""
    while frame is not None:
        filename = frame.f_code.co_filename
        if _kind(filename) == _USER:
            return (filename, frame.f_lineno) if below.startswith(_PROBE + os.sep) else None
        frame, below = frame.f_back, os.path.abspath(filename)  # type: ignore[assignment]
    return None


def construction(thing: Any) -> tuple[str, int, str] | None:
    """Where the user's code constructs an object whose `__init__` is running: file, line and function.

    The innermost of the user's lines that is not within a method of the object itself; where there is none, as of
    an object that a library constructs, the innermost within it.
    """
    within = None
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if _kind(code.co_filename) == _USER:
            line = (code.co_filename, frame.f_lineno, code.co_name)
            if not code.co_argcount or frame.f_locals.get(code.co_varnames[0]) is not thing:
                return line
            within = within or line
        frame = frame.f_back  # type: ignore[assignment]
    return within


def described(line: tuple[str, int, str]) -> dict[str, Any]:
    """The location of a file, line and function."""
    return _location(*line)


def of_traceback(traceback: Any) -> dict[str, Any] | None:
    """The innermost line of the user's own code in a traceback."""
    found = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if _kind(code.co_filename) == _USER:
            found = _location(code.co_filename, traceback.tb_lineno, code.co_name)
        traceback = traceback.tb_next
    return found


def without_probe(traceback: Any) -> Any:
    """The same traceback without the probe's own frames, which are none of the script's business."""
    if traceback is None:
        return None
    rest = without_probe(traceback.tb_next)
    if os.path.abspath(traceback.tb_frame.f_code.co_filename).startswith(_PROBE + os.sep):
        return rest
    return types.TracebackType(rest, traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno)


def _location(filename: str, line: int, function: str) -> dict[str, Any]:
    location: dict[str, Any] = {"file": shown(filename), "line": line, "function": function}
    code = linecache.getline(filename, line).strip()
    if code:
        location["code"] = code[:160]
    return location
