"""Interventions on learning rates and weight decay: set before each step of an optimizer, given back after it.

So schedulers, which read and write the same settings, go on as they would.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .kinds import Intervention


class _Setting(Intervention, ABC):
    """One setting of every group of parameters is another one while the optimizer steps."""

    key = "lr"

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[int, list[Any]] = {}

    def before_step(self, optimizer: Any) -> None:
        """Puts the other values in place."""
        groups = optimizer.param_groups
        own = [group.get(self.key) for group in groups]
        self._own[id(optimizer)] = own
        for number, (group, value) in enumerate(zip(groups, own)):
            if value is not None:
                group[self.key] = self.other(optimizer, number, value)
        self.applied += any(group.get(self.key) is not value for group, value in zip(groups, own))

    def after_step(self, optimizer: Any) -> None:
        """Gives the script's own values back."""
        for group, value in zip(optimizer.param_groups, self._own.pop(id(optimizer), [])):
            if value is not None:
                group[self.key] = value

    @abstractmethod
    def other(self, optimizer: Any, number: int, value: Any) -> Any:
        """The value of a group while the optimizer steps; the very same object where it is left alone."""


class Rate(_Setting):
    """The learning rates times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def other(self, optimizer: Any, number: int, value: Any) -> Any:
        """The rate times the factor."""
        return value * self._factor


class WarmUp(_Setting):
    """The learning rates grow linearly to their own values over the first updates."""

    def __init__(self, updates: int) -> None:
        super().__init__()
        self._updates = updates
        self._made: dict[int, int] = {}

    def before_step(self, optimizer: Any) -> None:
        """One update more."""
        self._made[id(optimizer)] = self._made.get(id(optimizer), 0) + 1
        super().before_step(optimizer)

    def other(self, optimizer: Any, number: int, value: Any) -> Any:
        """The rate times the share of the warm-up that is over."""
        made = self._made[id(optimizer)]
        return value if made >= self._updates else value * (made / self._updates)


class Hold(_Setting):
    """The learning rates stay at the highest that they have reached."""

    def __init__(self) -> None:
        super().__init__()
        self._highest: dict[tuple[int, int], float] = {}

    def other(self, optimizer: Any, number: int, value: Any) -> Any:
        """The highest rate so far."""
        place = (id(optimizer), number)
        highest = self._highest[place] = max(self._highest.get(place, 0.0), float(value))
        return value if float(value) == highest else highest


class NoDecay(_Setting):
    """No weight decay."""

    key = "weight_decay"

    def other(self, optimizer: Any, number: int, value: Any) -> Any:
        """None, where there is one."""
        return 0.0 if value else value
