"""Optimizers and schedules of the sealed part."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ..setting import Setting
from ..task import Task

RATES = {"Adam": 5e-3, "RAdam": 1.2e-2, "NAdam": 4e-3, "Adagrad": 2e-2, "momentum": 0.06, "SGD": 0.4}
"""Good rates for these networks; SGD and momentum take twice as much where the loss is cross-entropy."""
_RECURRENT = ("memory", "encoder", "decoder", "cells", "cell", "blocks")


def optimizer_for(model: nn.Module, task: Task, setting: Setting) -> torch.optim.Optimizer:
    """With the recurrence in a group of its own."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    recurrent = [p for name, p in named if name.startswith(_RECURRENT)]
    others = [p for name, p in named if not name.startswith(_RECURRENT)]
    if setting.optimized == "no_head":
        others = [p for name, p in named if not name.startswith((*_RECURRENT, "head"))]
    if setting.optimized == "no_recurrence":
        recurrent = []
    if setting.optimized == "head":
        recurrent, others = [], [p for name, p in named if name.startswith("head")]
    rate = RATES[setting.optimizer] * setting.rate
    if (task.classes or task.binary) and setting.optimizer in ("SGD", "momentum"):
        rate *= 2
    groups: list[dict[str, Any]] = [{"params": others}] if others else []
    if recurrent:
        groups.append({"params": recurrent, "lr": rate * setting.group_rate})
    if setting.group_rate == 1.0:
        groups = [{"params": others + recurrent}]
    kind: Any = (
        torch.optim.SGD if setting.optimizer == "momentum" else getattr(torch.optim, setting.optimizer)
    )
    extra = {"momentum": 0.9} if setting.optimizer == "momentum" else {}
    made: torch.optim.Optimizer = kind(groups, lr=rate, weight_decay=setting.weight_decay, **extra)
    return made


def scheduler_for(optimizer: torch.optim.Optimizer, setting: Setting) -> Any:
    """The schedule; called after every update."""
    s, schedules = setting, torch.optim.lr_scheduler
    rates = [group["lr"] for group in optimizer.param_groups]
    kinds: dict[str, Callable[[], Any]] = {
        "one_cycle": lambda: schedules.OneCycleLR(
            optimizer,
            max_lr=[rate * s.gamma for rate in rates],
            total_steps=900,
            pct_start=0.1,
            cycle_momentum=s.optimizer not in ("SGD", "Adagrad"),  # which have none
        ),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, T_max=1500),
        "warm_up_in_epochs": lambda: schedules.LinearLR(optimizer, 1 / s.span, 1.0, total_iters=s.span),
        "lambda_returns_the_rate": lambda: schedules.LambdaLR(optimizer, lambda n: rates[0] * 0.999**n),
        "milestones": lambda: schedules.MultiStepLR(optimizer, [s.span, 2 * s.span, 3 * s.span], s.gamma),
        "polynomial": lambda: schedules.PolynomialLR(optimizer, total_iters=s.span),
        "plateau": lambda: schedules.ReduceLROnPlateau(optimizer, factor=s.gamma, patience=1),
    }
    if s.schedule != "none":
        return kinds[s.schedule]()
    return schedules.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / s.warm_up)) if s.warm_up else None
