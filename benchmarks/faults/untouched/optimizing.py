"""Optimizers, schedules and bounds on gradients of the untouched part, and how gradients are cleared in it."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from ..setting import Setting

RATES = {"Adam": 5e-3, "AdamW": 5e-3, "RMSprop": 2e-3, "Adadelta": 1.0, "momentum": 0.06, "SGD": 0.4}
"""Good rates for these networks; SGD and momentum take twice as much where the loss is cross-entropy."""


def rate_of(setting: Setting, classes: bool) -> float:
    """The learning rate at the start."""
    twice = classes and setting.optimizer in ("SGD", "momentum")
    return RATES[setting.optimizer] * setting.rate * (2 if twice else 1)


def optimizer_for(
    parameters: Iterable[nn.Parameter], setting: Setting, *, classes: bool
) -> torch.optim.Optimizer:
    """Of all that may change."""
    s = setting
    free = [p for p in parameters if p.requires_grad]
    kind: Any = torch.optim.SGD if s.optimizer == "momentum" else getattr(torch.optim, s.optimizer)
    extra: dict[str, Any] = {"momentum": 0.9} if s.optimizer == "momentum" else {}
    if s.weight_decay:
        extra["weight_decay"] = s.weight_decay
    made: torch.optim.Optimizer = kind(free, lr=rate_of(s, classes), **extra)
    return made


def scheduler_for(optimizer: torch.optim.Optimizer, setting: Setting) -> Any:
    """The schedule, stepped after every update; None without one."""
    s, schedules = setting, torch.optim.lr_scheduler
    rates = [group["lr"] for group in optimizer.param_groups]
    kinds: dict[str, Callable[[], Any]] = {
        "one_cycle": lambda: schedules.OneCycleLR(
            optimizer,
            max_lr=rates,
            total_steps=1000,
            pct_start=0.1,
            cycle_momentum=s.optimizer in ("Adam", "AdamW", "momentum"),
        ),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, T_max=1400),
        "linear": lambda: schedules.LinearLR(optimizer, 1.0, 0.2, total_iters=800),
        "halving": lambda: schedules.MultiStepLR(optimizer, [200, 300], 0.5),
        "linear_to_zero": lambda: schedules.LambdaLR(optimizer, lambda n: max(0.0, 1 - n / s.span)),
        "inverse_time": lambda: schedules.LambdaLR(optimizer, lambda n: 1 / (1 + s.gamma * n)),
        "finder": lambda: schedules.LambdaLR(optimizer, lambda n: s.gamma**n),
    }
    if s.warm_up:
        return schedules.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / s.warm_up))
    return kinds[s.schedule]() if s.schedule in kinds else None


def bound(model: nn.Module, setting: Setting) -> None:
    """By the norm of all gradients, by their largest, or each by its value."""
    limit = setting.clip
    if limit is None:
        return
    if setting.clip_kind == "value":
        nn.utils.clip_grad_value_(model.parameters(), limit)
    else:
        nn.utils.clip_grad_norm_(
            model.parameters(), limit, norm_type=math.inf if setting.clip_kind == "infinity" else 2.0
        )


def clear(owner: Any, model: nn.Module, setting: Setting, *, first: bool = False) -> None:
    """Gradients of the update before, by `zero_grad` of the optimizer or of the network.

    first: it is the first batch of an epoch.
    """
    if setting.clearing == "each" or (setting.clearing == "epoch" and first):
        owner.zero_grad()
    elif setting.clearing == "detached":
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.detach_()  # as `zero_grad` does before it fills them with zeros
