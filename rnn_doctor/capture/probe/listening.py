"""Listens to methods and functions of torch, for as long as a sensor wants to hear of them."""

from __future__ import annotations

import functools
from typing import Any, Callable, Iterable

import torch

from .patches import Patches

Tell = Callable[..., None]
"""Leads a note of a sensor into the probe: `tell(sensor, note, *args)`, unless the probe itself is at work."""
Note = Callable[[str, Any, Any, Any], None]
"""What a sensor does with a call that has returned: `note(name, result, args, kwargs)`."""


def directly(_sensor: str, note: Callable[..., None], *args: Any) -> None:
    """Hands a sensor what it hears without an observer in between."""
    note(*args)


class Listening:
    """Which sensors hear of which functions. Each function is replaced once, while anyone listens to it.

    Costs some microseconds for each of their calls while it listens, and nothing otherwise.
    """

    def __init__(self, tell: Tell = directly) -> None:
        self._tell = tell
        self._patches: dict[tuple[Any, str], Patches] = {}
        self._notes: dict[tuple[Any, str], dict[str, Note]] = {}

    def begin(self, sensor: str, note: Note, owners: Iterable[Any], names: Iterable[str]) -> None:
        """The sensor hears of what these owners have by these names from now on."""
        for key in [(owner, name) for owner in owners for name in names]:
            self._notes.setdefault(key, {})[sensor] = note
            if key not in self._patches:
                patches = self._patches[key] = Patches()
                patches.replace(*key, functools.partial(self._telling, key))

    def end(self, sensor: str) -> None:
        """It hears no more; what nobody listens to any longer is torch's own function again."""
        for key in [key for key, notes in self._notes.items() if sensor in notes]:
            del self._notes[key][sensor]
            if not self._notes[key]:
                del self._notes[key]
                self._patches.pop(key).undo()

    def _telling(self, key: tuple[Any, str], original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def function(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if not (torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None):
                for sensor, note in list(self._notes.get(key, {}).items()):
                    self._tell(sensor, note, key[1], result, args, kwargs)
            return result

        return function
