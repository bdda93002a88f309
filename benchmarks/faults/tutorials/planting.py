"""Words in which the tutorials' part says its forms: how often, in which tasks, in which doses."""

from collections.abc import Mapping
from typing import Any

from ..form import Form, Needs, with_optimizer
from ..planting import always
from ..setting import Setting
from ..task import TUTORIALS, Task

LAYERS = (
    "pixelrows", "prices", "spotting", "tweets", "tunes", "chatbot", "places", "anomaly", "wearable", "documents"
)  # fmt: skip
"""Tasks over torch's layers."""
MEASURED = ("pixelrows", "prices", "spotting", "plant", "wearable")
FOLDERS = ("pixelrows", "spotting", "wearable", "tweets", "documents")
"""Tasks whose samples lie in a folder for each class."""

OFTEN, SOMETIMES, SELDOM = 6, 4, 3
"""Rounds of the plan in which a mistake is planted."""

ADAPTIVE = with_optimizer("Adam", "AdamW", "NAdam")


def gated(task: Task, setting: Setting) -> bool:
    """Torch's gated layers."""
    return setting.cell != "RNN" and task.name in LAYERS


def scores(task: Task, setting: Setting) -> bool:
    """Tasks that are answered by a score for each class."""
    return task.classes and not task.binary


def form(
    name: str,
    reported: str,
    planted: Mapping[str, Mapping[str, Any]],
    needs: Needs = always,
    rounds: int = SOMETIMES,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    """One of this part."""
    return Form(name, TUTORIALS, planted, needs, twin, rules, rounds, reported)
