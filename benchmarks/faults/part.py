"""A part of the bench in a folder of its own.

`task.FOLDERS` registers it by its name. The folder holds `part.py` with PART, and `loops.py` with the function `train`
of training.py. That is imported when a training begins: a script imports what it needs after the probe is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from .form import Form
from .habit import Habit
from .task import FOLDERS, Task


@dataclass(frozen=True)
class Range:
    """What the settings of a part are drawn from."""

    optimizers: tuple[str, ...]
    sizes: tuple[int, ...]
    twins: tuple[int, ...]
    """Sizes of those that faults are planted in."""
    seed: int
    """Of the same."""
    habits: tuple[Habit, ...]
    healthy: int
    """Healthy settings of each task in a round."""
    rounds: int | None = None
    """After so many the part is whole."""
    other_seed: int | None = None
    """Of second twins, where a fault has to do worse than both: so that nothing counts that one seed does by chance."""


@dataclass(frozen=True)
class Part:
    """What a folder adds to the bench."""

    tasks: tuple[Task, ...]
    forms: Mapping[str, tuple[Form, ...]]
    """By the name of the fault (faults.py)."""
    drawn: Range
    said: str
    """How far it is still fresh, as the page says it."""


@cache
def folders() -> dict[str, Part]:
    """All that are registered, by their names."""
    return {name: import_module(f".{name}.part", __package__).PART for name in FOLDERS}
