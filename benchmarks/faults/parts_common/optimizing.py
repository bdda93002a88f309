"""What optimizers and schedules there are, and of which parameters."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ..setting import Setting

RATES = {"Adam": 4e-3, "AdamW": 4e-3, "RMSprop": 2e-3, "momentum": 0.06, "SGD": 0.5}
"""Good rates for these networks; SGD and momentum take less where the loss is a squared error."""
LONG = 1000
"""Updates that a healthy schedule is made for."""


def make_optimizer(model: nn.Module, setting: Setting, *, classes: bool) -> torch.optim.Optimizer:
    """Of the parameters that may change, or of some of them."""
    s = setting
    rate = RATES[s.optimizer] * s.rate
    if not classes:
        rate /= {"SGD": 2.5, "momentum": 2.0}.get(s.optimizer, 1.0)
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if s.optimized == "head":
        named = [(name, p) for name, p in named if name.startswith(("fc", "decoder.fc"))]
    elif s.optimized == "decoder":
        named = [(name, p) for name, p in named if name.startswith("decoder")]
    parameters: Any = [p for _, p in named]
    if s.group_rate != 1.0:
        parameters = [
            {"params": [p for name, p in named if not recurrent(name)]},
            {"params": [p for name, p in named if recurrent(name)], "lr": rate * s.group_rate},
        ]
    if s.optimizer in ("SGD", "momentum"):
        momentum = 0.9 if s.optimizer == "momentum" else 0.0
        return torch.optim.SGD(parameters, lr=rate, momentum=momentum, weight_decay=s.weight_decay)
    extra = {"weight_decay": s.weight_decay} if s.weight_decay else {}
    kind: Any = getattr(torch.optim, s.optimizer)
    made: torch.optim.Optimizer = kind(parameters, lr=rate, **extra)
    return made


def recurrent(name: str) -> bool:
    """Whether a parameter of this name belongs to a recurrence."""
    return "rnn" in name or "cell" in name


def make_scheduler(optimizer: torch.optim.Optimizer, setting: Setting) -> Any:
    """The schedule, stepped after every update; None without one."""
    s, schedules = setting, torch.optim.lr_scheduler
    if s.warm_up:
        return schedules.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / s.warm_up))
    rate = optimizer.param_groups[0]["lr"]
    kinds: dict[str, Callable[[], Any]] = {
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, LONG),
        "one_cycle": lambda: schedules.OneCycleLR(
            optimizer, 2 * rate, total_steps=LONG, pct_start=0.1, cycle_momentum=s.optimizer == "momentum"
        ),
        "linear": lambda: schedules.LinearLR(optimizer, 1.0, 0.1, LONG),
        "late_milestones": lambda: schedules.MultiStepLR(optimizer, [150, 300], 0.5),
        "plateau": lambda: schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=60),
        # Made for epochs, and stepped at every batch.
        "exponential": lambda: schedules.ExponentialLR(optimizer, s.gamma),
        "steps": lambda: schedules.StepLR(optimizer, s.span, s.gamma),
        "impatient": lambda: schedules.ReduceLROnPlateau(optimizer, factor=s.gamma, patience=s.span),
    }
    return kinds[s.schedule]() if s.schedule != "none" else None


def clip_gradients(model: nn.Module, setting: Setting) -> None:
    """By norm or by value."""
    if setting.clip is None:
        return
    if setting.clip_kind == "value":
        nn.utils.clip_grad_value_(model.parameters(), setting.clip)
    else:
        nn.utils.clip_grad_norm_(model.parameters(), setting.clip)
