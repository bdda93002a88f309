"""The networks of the everyday part, by their tasks: each script has its own."""

from importlib import import_module
from typing import Any

from ..setting import Setting
from ..task import Task


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    return import_module(f".{task.name}", __package__).build(task, setting)
