"""Replaced attributes, and the way back."""

from __future__ import annotations

from typing import Any, Callable

_MISSING = object()


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
        setattr(owner, name, make(original))

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
