"""What optimizers and schedules the tutorials' part has, and of which parameters."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ..setting import Setting

RATES = {"Adam": 3.5e-3, "AdamW": 3.5e-3, "NAdam": 3.5e-3, "RMSprop": 1.4e-3, "momentum": 0.06, "SGD": 0.5}
"""Good rates for these networks; SGD and momentum take less where the loss is a squared error."""
HEADS = ("fc", "linear", "out")
"""What last layers are called."""


def chosen(model: nn.Module, setting: Setting) -> list[nn.Parameter]:
    """The parameters that the optimizer is given, of those that may change."""
    how = setting.optimized
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if how == "head":
        named = [(name, p) for name, p in named if name.startswith(HEADS)]
    elif how == "no_embedding":
        named = [(name, p) for name, p in named if "embedding" not in name]
    elif how in ("encoder", "decoder"):
        named = [(name, p) for name, p in named if name.startswith(how)]
    return [p for _, p in named]


def optimizer_for(model: nn.Module, setting: Setting, *, classes: bool) -> torch.optim.Optimizer:
    """Of one group, or of two where the last layer has a rate of its own."""
    s = setting
    rate = RATES[s.optimizer] * s.rate
    if not classes:
        rate /= {"SGD": 2.0, "momentum": 1.5}.get(s.optimizer, 1.0)
    kind: Any = torch.optim.SGD if s.optimizer == "momentum" else getattr(torch.optim, s.optimizer)
    extra: dict[str, Any] = {"momentum": 0.9} if s.optimizer == "momentum" else {}
    if s.weight_decay:
        extra["weight_decay"] = s.weight_decay
    parameters = chosen(model, s)
    groups: Any = parameters
    if s.group_rate != 1.0:
        heads = {id(p) for name, p in model.named_parameters() if name.startswith(HEADS)}
        groups = [
            {"params": [p for p in parameters if id(p) not in heads]},
            {"params": [p for p in parameters if id(p) in heads], "lr": rate * s.group_rate},
        ]
    made: torch.optim.Optimizer = kind(groups, lr=rate, **extra)
    return made


def scheduler_for(optimizer: torch.optim.Optimizer, setting: Setting) -> Any:
    """The schedule, stepped after every update; None without one."""
    s, schedules = setting, torch.optim.lr_scheduler
    rates = [group["lr"] for group in optimizer.param_groups]
    one_cycle: dict[str, Any] = {
        "total_steps": 900,
        "cycle_momentum": s.optimizer in ("Adam", "AdamW", "NAdam", "momentum"),
    }
    kinds: dict[str, Callable[[], Any]] = {
        "one_cycle": lambda: schedules.OneCycleLR(optimizer, max_lr=rates, pct_start=0.1, **one_cycle),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, T_max=800),
        "warm_restarts": lambda: schedules.CosineAnnealingWarmRestarts(optimizer, T_0=150),
        "warm_then_cosine": lambda: schedules.SequentialLR(
            optimizer,
            [
                schedules.LinearLR(optimizer, 0.1, total_iters=25),
                schedules.CosineAnnealingLR(optimizer, T_max=800),
            ],
            [25],
        ),
        "patient_plateau": lambda: schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=60),
        # The peak is many times what is good; `gamma` says how many.
        "high_cycle": lambda: schedules.OneCycleLR(
            optimizer, max_lr=[rate * s.gamma for rate in rates], pct_start=0.03, **one_cycle
        ),
        # The number of the step, where its share of the warm-up was meant.
        "counts_up": lambda: schedules.LambdaLR(optimizer, lambda n: float(n + 1)),
        # Written for epochs, and stepped at every batch.
        "milestones": lambda: schedules.MultiStepLR(
            optimizer, [s.span, 2 * s.span, 3 * s.span], gamma=s.gamma
        ),
        "linear": lambda: schedules.LinearLR(optimizer, 1.0, 1e-4, total_iters=s.span),
        "plateau": lambda: schedules.ReduceLROnPlateau(optimizer, factor=s.gamma, patience=0),
        "inverse_time": lambda: schedules.LambdaLR(optimizer, lambda n: 1 / (1 + s.gamma * n)),
    }
    if s.warm_up:
        return schedules.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / s.warm_up))
    return kinds[s.schedule]() if s.schedule in kinds else None


def clip(model: nn.Module, setting: Setting) -> None:
    """By the norm of all gradients, or each by its value."""
    if setting.clip is None:
        return
    if setting.clip_kind == "clamped":
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.data.clamp_(-setting.clip, setting.clip)
    elif setting.clip_kind == "value":
        torch.nn.utils.clip_grad_value_(model.parameters(), setting.clip)
    else:
        torch.nn.utils.clip_grad_norm_(model.parameters(), setting.clip)
