"""Words in which the tutorials' part says its forms: how often, in which tasks, in which doses."""

from collections.abc import Mapping
from typing import Any

from ..form import DOSES, Form, Needs, with_optimizer
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
COMMON = "common"
"""A mistake that no thread was looked up for: it is in every list of such mistakes."""
GITHUB = "https://github.com/"

PLAIN = with_optimizer("SGD", "momentum")
ADAPTIVE = with_optimizer("Adam", "AdamW", "NAdam")


def always(task: Task, setting: Setting) -> bool:
    """Wherever it is."""
    return True


def of(*names: str) -> Needs:
    """In these tasks."""
    return lambda task, setting: task.name in names


def but(*names: str) -> Needs:
    """In all tasks but these."""
    return lambda task, setting: task.name not in names


def cells(cell: str, *names: str) -> Needs:
    """These tasks over this cell."""
    return lambda task, setting: setting.cell == cell and task.name in names


def gated(task: Task, setting: Setting) -> bool:
    """Torch's gated layers."""
    return setting.cell != "RNN" and task.name in LAYERS


def scores(task: Task, setting: Setting) -> bool:
    """Tasks that are answered by a score for each class."""
    return task.classes and not task.binary


def dosed(changes: Mapping[str, Any], name: str, values: tuple[Any, Any, Any]) -> dict[str, dict[str, Any]]:
    """The same changes in all doses, and one field in doses."""
    return {dose: {**changes, name: value} for dose, value in zip(DOSES, values, strict=True)}


def gross(**changes: Any) -> dict[str, dict[str, Any]]:
    """One dose, which is gross."""
    return {"gross": changes}


def clear(**changes: Any) -> dict[str, dict[str, Any]]:
    """One dose, which is clear."""
    return {"clear": changes}


def scaled(factors: tuple[float, ...], offsets: tuple[float, ...]) -> dict[str, dict[str, Any]]:
    """Inputs times a factor, plus an offset."""
    return {
        dose: {"input_scale": factor, "input_offset": offset}
        for dose, factor, offset in zip(DOSES, factors, offsets, strict=True)
    }


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
