"""One training of the bench with tools that follow it: they are told what a user's loop would tell them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from .. import training, worker
from ..setting import Setting
from ..task import Task
from .tools import TOOLS, Follower


class Group:
    """Followers of one training; what one of them raises is kept, and it is told nothing more."""

    def __init__(self) -> None:
        self.followers: dict[str, Follower] = {}
        self.errors: dict[str, str] = {}

    def attach(self, tools: Sequence[str], model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Makes each."""
        for name in tools:
            self._try(name, partial(self._start, name, model, optimizer))

    def tell(self, what: str, *facts: Any) -> None:
        """Calls this method of all that have it."""
        for name, follower in self.followers.items():
            if name not in self.errors and hasattr(follower, what):
                self._try(name, partial(getattr(follower, what), *facts))

    def _start(self, name: str, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.followers[name] = TOOLS[name][1](model, optimizer)

    def _try(self, name: str, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception as error:
            self.errors[name] = f"{type(error).__name__}: {error}"

    def told(self, tools: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Alarms of each, and its error."""
        return {
            name: {
                "alarms": sorted(self.followers[name].alarms) if name in self.followers else [],
                "error": self.errors.get(name),
            }
            for name in tools
        }


def watch(setting: Setting, tools: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the tools say after worker.STEPS updates, by their names."""
    group, step, loss = Group(), 0, float("nan")
    plain_backward: Any = Tensor.backward
    validate: Any = training.validate

    def backward(self: Tensor, *args: Any, **options: Any) -> None:
        nonlocal loss
        plain_backward(self, *args, **options)
        loss = self.item()
        group.tell("backward", step, loss)

    def validated(task: Task, model: nn.Module) -> float:
        value: float = validate(task, model)
        group.tell("validated", step - 1, value)
        return value

    def attach(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        group.attach(tools, model, optimizer)
        optimizer.register_step_post_hook(updated)

    def updated(*_: Any) -> None:
        nonlocal step
        group.tell("update", step, loss)
        step += 1

    Tensor.backward = backward  # type: ignore[method-assign]
    training.validate = validated
    try:
        training.train(setting, worker.STEPS, attach=attach)
    except Exception as error:
        group.tell("failed", error)
    finally:
        Tensor.backward = plain_backward  # type: ignore[method-assign]
        training.validate = validate
    group.tell("end")
    return group.told(tools)
