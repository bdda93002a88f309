"""A healthy way to train."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .task import Task


@dataclass(frozen=True)
class Habit:
    """What it changes of a plain setting."""

    name: str
    changes: Mapping[str, Any]
    needs: Callable[[Task], bool] = lambda task: True
    cells: tuple[str, ...] = ()
    """Those that it changes; without any, all."""


def in_tasks(*names: str) -> Callable[[Task], bool]:
    """Of these."""
    return lambda task: task.name in names


def of_scores(task: Task) -> bool:
    """Where a score for each class answers."""
    return task.classes


def of_numbers(task: Task) -> bool:
    """Where numbers answer."""
    return not task.classes
