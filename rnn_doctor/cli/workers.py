"""Several scripts at once: as many as the cores allow, and none left behind when they are interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

_TICK = 0.1
"""Seconds between two looks at whether to end."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Task(Generic[Result]):
    """What one thread does: it waits for a process, and ends it once it is told to."""

    work: Callable[[Callable[[], bool]], Result]
    """Is given a function that says whether to end."""
    cores: int
    """Cores that its process keeps busy."""


@dataclass(frozen=True)
class Done(Generic[Result]):
    """How a task ended; None for one that was interrupted before it began."""

    number: int
    result: Result | BaseException | None


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(scripts: int, jobs: int | None) -> int:
    """How many threads PyTorch gets in each of so many scripts: OMP_NUM_THREADS, or its share of the cores.

    By itself it takes a thread for every core, and several such processes stand in each other's way. The share is that
    of all scripts, also where some are left out: sums round by the number of threads, and a script shall show the same
    alone as among the others.
    """
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if given.isdigit() and int(given):
        return int(given)
    at_once = min(scripts, jobs or cores())
    return max(1, cores() // at_once)


class Workers(Generic[Result]):
    """Runs tasks at once: at most `jobs`, or as many as there are cores for, but always one."""

    def __init__(
        self, tasks: Sequence[Task[Result]], jobs: int | None, interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        self._tasks = tasks
        self._jobs = jobs
        self._end = Event()
        self._told = interrupted
        self._running: dict[Future[Result], int] = {}
        self._next = 0

    def run(self) -> Iterator[Done[Result]]:
        """Each task as it ends. Once interrupted those that run are ended, and then the others told as not begun."""
        with ThreadPoolExecutor(max_workers=len(self._tasks)) as pool:
            try:
                while True:
                    if self._told():
                        self._end.set()
                    else:
                        self._begin(pool)
                    if not self._running:
                        break
                    ready, _ = wait(self._running, _TICK, return_when=FIRST_COMPLETED)
                    for future in ready:
                        number = self._running.pop(future)
                        yield Done(number, future.exception() or future.result())
            finally:  # also where whoever asks for the results fails: no process outlives us
                self._end.set()
        for number in range(self._next, len(self._tasks)):
            yield Done(number, None)

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        while self._next < len(self._tasks) and self._has_room():
            number, self._next = self._next, self._next + 1
            self._running[pool.submit(self._tasks[number].work, self._end.is_set)] = number

    def _has_room(self) -> bool:
        if not self._running:
            return True
        if self._jobs is not None:
            return len(self._running) < self._jobs
        busy = sum(self._tasks[number].cores for number in self._running.values())
        return busy + self._tasks[self._next].cores <= cores()
