"""Scripts of parts in which each task has its own, or shares one with tasks over the same kind of network."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from ..setting import Setting
from ..task import Task


def script_of(task: Task) -> Any:
    """Its module: of the task's name, or else of its network's."""
    folder = f"{__package__.rpartition('.')[0]}.{task.part}"
    name = f"{folder}.{task.name}"
    return import_module(name if find_spec(name) else f"{folder}.{task.network}")


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    return script_of(task).build(task, setting)


def trainer(run: Callable[..., Any]) -> Callable[..., None]:
    """A part's function `train` (part.py): the script of the task trains, with what a run of the part gives it."""

    def train(
        task: Task,
        setting: Setting,
        updates: int,
        watch: Callable[[int, nn.Module], bool],
        attach: Callable[[nn.Module, torch.optim.Optimizer], None],
    ) -> None:
        script_of(task).main(run(task, setting, updates, watch, attach))

    return train
