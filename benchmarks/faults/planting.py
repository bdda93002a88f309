"""Words in which parts say their forms: where a mistake can be made, and in which doses."""

from collections.abc import Mapping
from typing import Any

from .form import DOSES, Needs, with_optimizer
from .setting import Setting
from .task import Task

COMMON = "common"
"""A mistake that no thread or study was looked up for: it is in every list of such mistakes."""
GITHUB = "https://github.com/"
PLAIN = with_optimizer("SGD", "momentum")


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
    """These tasks over this cell; without names all."""
    return lambda task, setting: setting.cell == cell and (not names or task.name in names)


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
    """Inputs times a factor, plus an offset: readings in another unit, with another zero."""
    return {
        dose: {"input_scale": factor, "input_offset": offset}
        for dose, factor, offset in zip(DOSES, factors, offsets, strict=True)
    }
