"""Optimizers, schedules, clipping and clearing of the reported part."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from ..setting import Setting

RATES = {"Adam": 5e-3, "AdamW": 5e-3, "RMSprop": 2e-3, "momentum": 0.12, "SGD": 0.8}
"""Good rates for these networks; SGD and momentum take a third where the loss is a squared error."""


def optimizer_for(
    parameters: Iterable[nn.Parameter], setting: Setting, *, classes: bool
) -> torch.optim.Optimizer:
    """Of all that may change."""
    s = setting
    rate = RATES[s.optimizer] * s.rate
    if not classes and s.optimizer in ("SGD", "momentum"):
        rate /= 3
    kind: Any = torch.optim.SGD if s.optimizer == "momentum" else getattr(torch.optim, s.optimizer)
    extra: dict[str, Any] = {"momentum": 0.9} if s.optimizer == "momentum" else {}
    if s.weight_decay:
        extra["weight_decay"] = s.weight_decay
    made: torch.optim.Optimizer = kind([p for p in parameters if p.requires_grad], lr=rate, **extra)
    return made


def scheduler_for(optimizer: torch.optim.Optimizer, setting: Setting) -> Any:
    """The schedule, stepped after every update; None without one."""
    s, schedules = setting, torch.optim.lr_scheduler
    kinds: dict[str, Callable[[], Any]] = {
        "one_cycle": lambda: schedules.OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            total_steps=900,
            pct_start=0.15,
            cycle_momentum=s.optimizer in ("Adam", "AdamW", "momentum"),
        ),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, T_max=1200),
        "step_late": lambda: schedules.StepLR(optimizer, step_size=250, gamma=0.5),
        "slow_exponential": lambda: schedules.ExponentialLR(optimizer, gamma=0.998),
        # Written for epochs, and stepped at every batch.
        "step": lambda: schedules.StepLR(optimizer, step_size=s.span, gamma=s.gamma),
        "exponential": lambda: schedules.ExponentialLR(optimizer, gamma=s.gamma),
    }
    if s.warm_up:
        return schedules.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / s.warm_up))
    return kinds[s.schedule]() if s.schedule in kinds else None


def clip(model: nn.Module, setting: Setting) -> None:
    """By the norm of all gradients, or each by its value."""
    if setting.clip is None:
        return
    if setting.clip_kind == "value":
        torch.nn.utils.clip_grad_value_(model.parameters(), setting.clip)
    else:
        torch.nn.utils.clip_grad_norm_(model.parameters(), setting.clip)


def clears(setting: Setting, number: int) -> bool:
    """Whether gradients are cleared before this batch of an epoch."""
    if setting.clearing == "epoch":
        return number == 0
    return setting.clearing == "each" and number % setting.accumulate == 0


def steps(setting: Setting, number: int) -> bool:
    """Whether the weights are moved after this batch."""
    return (number + 1) % setting.accumulate == 0
