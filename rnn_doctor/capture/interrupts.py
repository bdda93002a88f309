"""Ctrl-C and SIGTERM as a count that is asked for, while processes run that have to be ended in order."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any


class Interrupts:
    """How often the user, or a CI job that is cancelled, told us to end.

    Raised as an exception an interruption may come between a lock that the standard library has taken and the block
    that gives it back: `Popen.wait` then never returns. Those beyond the second are raised all the same.
    """

    def __init__(self) -> None:
        self.count = 0

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def insistent(self) -> bool:
        """Whether there was a second, which does not wait for what the first one set off."""
        return self.count > 1

    def add(self, _number: int, _frame: FrameType | None) -> None:
        """The handler of a signal."""
        insistent = self.insistent
        self.count += 1
        if insistent:
            raise KeyboardInterrupt


@contextlib.contextmanager
def counted() -> Iterator[Interrupts]:
    """A block in which interruptions are counted; in another thread than the main one none is ever seen."""
    interrupts = Interrupts()
    before: dict[signal.Signals, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            # What runs in the background of a shell is started with SIGINT ignored, and shall not be interrupted.
            if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, interrupts.add)
    except ValueError:  # not in the main thread
        pass
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            # None stands for a handler that was not set from Python, and cannot be set back from there.
            signal.signal(number, handler or signal.SIG_DFL)
