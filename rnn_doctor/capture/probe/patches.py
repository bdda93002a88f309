"""Replaced attributes, and the way back."""

from __future__ import annotations

from types import FunctionType
from typing import Any, Callable

_MISSING = object()
_PROBE = __name__.rpartition(".")[0]
_UNSEEN = " (importlib._bootstrap)"
"""`warnings.warn` passes over frames of Python's import system, which it knows by these two words in their file's name.

So what torch warns of keeps the line of the script that called it, whatever the probe stands between: filters by module
apply, and each line is warned of once. See `is_internal_filename` in CPython's Python/_warnings.c.
"""


def unseen(function: Any) -> Any:
    """The same function, whose line warnings do not take for where they come from, if it is one of the probe's."""
    if isinstance(function, FunctionType) and str(function.__globals__.get("__package__")).startswith(_PROBE):
        code = function.__code__
        if not code.co_filename.endswith(_UNSEEN):
            function.__code__ = code.replace(co_filename=code.co_filename + _UNSEEN)
    return function


class Patches:
    """Attributes that the probe replaced; `undo` puts the originals back."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []
        self._handles: list[Any] = []

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Puts `make(original)` in the place of `owner.name`, unless the owner has no such attribute."""
        original = getattr(owner, name, None)
        if original is None:
            return
        self._undo.append((owner, name, vars(owner).get(name, _MISSING)))
        setattr(owner, name, unseen(make(original)))

    def handle(self, handle: Any) -> None:
        """Keeps the handle of an official hook, to be removed by `undo`."""
        self._handles.append(handle)

    def undo(self) -> None:
        """Takes everything back, last first."""
        for owner, name, original in reversed(self._undo):
            if original is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
        for handle in self._handles:
            handle.remove()
        self._undo.clear()
        self._handles.clear()
