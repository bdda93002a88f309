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
