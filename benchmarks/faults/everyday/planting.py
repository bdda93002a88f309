"""Words in which the everyday part says its forms: how often they are met, and where."""

from collections.abc import Mapping
from typing import Any

from ..form import DOSES, Form, Needs, with_optimizer
from ..planting import COMMON, always
from ..setting import Setting
from ..task import EVERYDAY, Task

MOSTLY, OFTEN, SOMETIMES, SELDOM = 7, 4, 3, 2
"""Rounds of the plan in which a form is planted: the usual one of a fault in most."""
ADAPTIVE = with_optimizer("Adam", "AdamW", "RMSprop")
FILED = ("complaints", "drivers", "markers", "tongues")
"""Tasks whose samples have a class each, which a file may be sorted by."""
LOOPED = ("battery", "markers", "sorting", "cipher")
"""Tasks with a loop over time by hand."""


def gated(task: Task, setting: Setting) -> bool:
    """A recurrence with gates."""
    return setting.cell != "RNN"


def scores(task: Task, setting: Setting) -> bool:
    """Tasks that are answered by a score for each class."""
    return task.classes


def numbers(task: Task, setting: Setting) -> bool:
    """Tasks that are answered by numbers, of either sign."""
    return not task.classes


def together(**values: tuple[Any, Any, Any]) -> dict[str, dict[str, Any]]:
    """Several fields in doses."""
    return {dose: {name: three[i] for name, three in values.items()} for i, dose in enumerate(DOSES)}


def drawn_anew(init: str, gains: tuple[float, float, float]) -> dict[str, dict[str, Any]]:
    """Matrices in another way to start, in doses; a gain of one is the default."""
    return {
        dose: {"init": init} if gain == 1.0 else {"init": init, "gain": gain}
        for dose, gain in zip(DOSES, gains, strict=True)
    }


def form(
    name: str,
    planted: Mapping[str, Mapping[str, Any]],
    needs: Needs = always,
    rounds: int = OFTEN,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    """One of this part. All are in every list of such mistakes."""
    return Form(name, EVERYDAY, planted, needs, twin, rules, rounds, COMMON)
