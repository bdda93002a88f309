"""The way into the probe: it counts its own time, and never harms the script."""

from __future__ import annotations

import time
from typing import Any, Callable, Protocol, TypeVar

from .early_validation import EarlyValidation
from .session import Session
from .stopping import StopProbe

_Method = TypeVar("_Method", bound=Callable[..., Any])
_LEARNING = ("on_backward", "after_update", "on_gradients_returned")
"""Entries that a script passes which trains on although it was asked to stop."""


class Entered(Protocol):
    """What entries lead into."""

    session: Session
    early: EarlyValidation
    """Takes over what is entered after the last update."""
    inside: bool
    """The probe itself is at work: what it calls of torch is not the script's doing."""


def entry(method: _Method) -> _Method:
    """An entry into the probe: does nothing once it is over, counts its time, and never raises but to stop."""

    def run(self: Entered, *args: Any) -> Any:
        session = self.session
        if not session.active:
            if session.stopping and method.__name__ in _LEARNING:
                session.stop()
            return None
        outermost = not self.inside
        self.inside = True
        began = time.perf_counter()
        try:
            if self.early.waiting:
                return self.early.meanwhile(method.__name__, args)
            return method(self, *args)
        except StopProbe:
            raise
        except Exception as error:
            session.switch_off(method.__name__, error)
        finally:
            if outermost:
                self.inside = False
                session.spent += time.perf_counter() - began

    run.__name__ = method.__name__
    run.__doc__ = method.__doc__
    run.is_entry = True  # type: ignore[attr-defined]
    return run  # type: ignore[return-value]
