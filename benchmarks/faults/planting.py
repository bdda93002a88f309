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


def plain(task: Task, setting: Setting) -> bool:
    """A recurrence without gates."""
    return setting.cell == "RNN"


def lstm(task: Task, setting: Setting) -> bool:
    """One with three gates and a cell."""
    return setting.cell == "LSTM"


def gru(task: Task, setting: Setting) -> bool:
    """One with two gates."""
    return setting.cell == "GRU"
