"""One way to plant a fault, in three doses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .setting import Setting
from .task import Task

Needs = Callable[[Task, Setting], bool]
DOSES = ("mild", "clear", "gross")


@dataclass(frozen=True)
class Form:
    """One way to plant a fault."""

    name: str
    part: str
    doses: Mapping[str, Mapping[str, Any]]
    needs: Needs = lambda task, setting: True
    twin: Mapping[str, Any] = field(default_factory=dict)
    """What the healthy twin does too."""
    rules: tuple[str, ...] = ()
    """Further rules that name the cause as it is planted here."""
    rounds: int | None = None
    """It is planted in so many rounds of the plan, where not in all: mistakes that few people make."""
    reported: str = ""
    """Where people reported it in public, in the reported, the tutorials' and the studies' part, or a study does."""


def doses(name: str, mild: Any, clear: Any, gross: Any) -> dict[str, dict[str, Any]]:
    """The values of one field."""
    return {dose: {name: value} for dose, value in zip(DOSES, (mild, clear, gross), strict=True)}


def with_optimizer(*names: str) -> Needs:
    """Settings with one of these."""
    return lambda task, setting: setting.optimizer in names
