"""How the probe ends a script: politely, then firmly."""

from __future__ import annotations

import os
import sys
import threading


class StopProbe(SystemExit):
    """Raised in the script's own thread when enough was seen.

    A SystemExit passes `except Exception`, runs `finally`, prints nothing and ends with status 0.
    """

    def __init__(self) -> None:
        super().__init__(0)


_MOST_RAISES = 3


class Stopping:
    """Raises StopProbe; a script that swallows it (a bare `except:` in its loop) is ended outright."""

    def __init__(self) -> None:
        self._raised = 0

    @property
    def swallowed(self) -> bool:
        """Whether the script has swallowed every request."""
        return self._raised >= _MOST_RAISES

    def request(self) -> None:
        """Raises StopProbe, or ends the process when that was swallowed three times."""
        if self.swallowed:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(0)
        self._raised += 1
        if threading.current_thread() is not threading.main_thread():
            raise SystemExit(0)  # of subclasses `threading` prints the traceback
        raise StopProbe
