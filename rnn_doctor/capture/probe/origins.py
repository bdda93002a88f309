"""The source lines of single operations of a graph, for a stretch of the script in which they are wanted."""

from __future__ import annotations

import re
from typing import Any

import torch

from . import places

_FRAME = re.compile(r'\s*File "(.+)", line (\d+), in (.+)')
_KEY = "traceback_"


class Origins:
    """Lets autograd note the stack of each operation, as its anomaly mode does, without the checks of that mode.

    Costs a fraction of a millisecond for each operation of the stretch, and nothing outside it.
    """

    def __init__(self) -> None:
        self._before: tuple[bool, bool] | None = None
        self._sensors: set[str] = set()
        """Those that want the stretch."""
        self.compiles = False
        """The script compiles: the mode is left alone, which compiled code depends on."""

    def begin(self, sensor: str) -> None:
        """The stacks of what runs from now on are noted, until every sensor that began has ended."""
        if self.compiles:
            return
        self._sensors.add(sensor)
        if self._before is None:
            self._before = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
            if not self._before[0]:
                torch.set_anomaly_enabled(True, False)

    def end(self, sensor: str) -> None:
        """The sensor has what it wants; a mode that the script itself chose in the meantime stays."""
        self._sensors.discard(sensor)
        if not self._sensors:
            self._restore()

    def leave(self) -> None:
        """No sensor gets any more."""
        self._sensors.clear()
        self._restore()

    def _restore(self) -> None:
        before, self._before = self._before, None
        if before is not None and not before[0] and not torch.is_anomaly_check_nan_enabled():
            torch.set_anomaly_enabled(*before)


def line_of(node: Any) -> dict[str, Any] | None:
    """The innermost line of the user's own code at which an operation ran; None where its stack was not noted."""
    stack = node.metadata.get(_KEY, ()) if node.metadata else ()
    for entry in reversed(stack):
        frame = _FRAME.match(entry)
        if frame is not None and places.is_users(frame.group(1)):
            return places.described((frame.group(1), int(frame.group(2)), frame.group(3)))
    return None
