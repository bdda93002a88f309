"""How the everyday part trains: the script of the task does."""

from collections.abc import Callable
from importlib import import_module

import torch
from torch import nn

from ..setting import Setting
from ..task import Task
from .running import Run


def train(
    task: Task,
    setting: Setting,
    updates: int,
    watch: Callable[[int, nn.Module], bool],
    attach: Callable[[nn.Module, torch.optim.Optimizer], None],
) -> None:
    """Trains for so many updates, or until the watch ends it."""
    import_module(f".{task.name}", __package__).main(Run(task, setting, updates, watch, attach))
