"""What optimizers and schedules the studies' part has, and of which parameters."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ..setting import Setting

RATES = {"Adam": 4e-3, "AdamW": 4e-3, "Adamax": 8e-3, "RMSprop": 1.6e-3, "momentum": 0.07, "SGD": 0.6}
"""Good rates for these networks; SGD and momentum take less where the loss is a squared error."""
HEAD = "head"
"""What names of last layers begin with."""
LONG = 800
"""Updates that a healthy schedule is made for."""


def chosen(model: nn.Module, setting: Setting) -> list[nn.Parameter]:
    """The parameters that the optimizer is given, of those that may change."""
    how = setting.optimized
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if how == "no_head":
        named = [(name, p) for name, p in named if not name.startswith(HEAD)]
    elif how == "no_recurrence":
        named = [(name, p) for name, p in named if not recurrent(name)]
    elif how in ("encoder", "decoder"):
        named = [(name, p) for name, p in named if name.startswith(how)]
    return [p for _, p in named]


def recurrent(name: str) -> bool:
    """Whether a parameter of this name belongs to a recurrence."""
    return "rnn" in name or "cell" in name


def make_optimizer(model: nn.Module, setting: Setting, *, classes: bool) -> torch.optim.Optimizer:
    """Of one group, or of two where the recurrence has a rate of its own."""
    s = setting
    rate = RATES[s.optimizer] * s.rate
    if not classes:
        rate /= {"SGD": 2.5, "momentum": 2.0}.get(s.optimizer, 1.0)
    kind: Any = torch.optim.SGD if s.optimizer == "momentum" else getattr(torch.optim, s.optimizer)
    extra: dict[str, Any] = {"momentum": 0.9} if s.optimizer == "momentum" else {}
    if s.weight_decay:
        extra["weight_decay"] = s.weight_decay
    parameters = chosen(model, s)
    groups: Any = parameters
    if s.group_rate != 1.0:
        its = {id(p) for name, p in model.named_parameters() if recurrent(name)}
        groups = [
            {"params": [p for p in parameters if id(p) not in its]},
            {"params": [p for p in parameters if id(p) in its], "lr": rate * s.group_rate},
        ]
    made: torch.optim.Optimizer = kind(groups, lr=rate, **extra)
    return made


def make_scheduler(optimizer: torch.optim.Optimizer, setting: Setting) -> Any:
    """The schedule, stepped after every update; None without one."""
    s, schedules = setting, torch.optim.lr_scheduler
    rates = [group["lr"] for group in optimizer.param_groups]
    momentum = s.optimizer == "momentum"

    def scaled(share: Callable[[int], float]) -> Callable[[], Any]:
        return lambda: schedules.LambdaLR(optimizer, share)

    kinds: dict[str, Callable[[], Any]] = {
        "one_cycle": lambda: schedules.OneCycleLR(
            optimizer, [1.5 * rate for rate in rates], total_steps=LONG, pct_start=0.15, cycle_momentum=momentum
        ),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, LONG),
        "noam": scaled(lambda n: min((n + 1) / 40, (40 / (n + 1)) ** 0.5)),
        "slow_steps": lambda: schedules.StepLR(optimizer, 120, 0.7),
        "slow_decay": lambda: schedules.ExponentialLR(optimizer, 0.998),
        "triangles": lambda: schedules.CyclicLR(
            optimizer, [rate / 4 for rate in rates], rates, step_size_up=30, cycle_momentum=momentum
        ),
        "patient": lambda: schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=50),
        # The scale that a large model takes, `gamma` times what is good here.
        "noam_unscaled": scaled(lambda n: s.gamma * min((n + 1) / 40, (40 / (n + 1)) ** 0.5)),
        # The peak is `gamma` times what is good.
        "high_triangles": lambda: schedules.CyclicLR(
            optimizer, rates, [s.gamma * rate for rate in rates], step_size_up=15, cycle_momentum=momentum
        ),
        # Divided where it was to be multiplied: it grows.
        "growing": scaled(lambda n: s.gamma**n),
        # Of epochs, and stepped at every batch.
        "exponential": lambda: schedules.ExponentialLR(optimizer, s.gamma),
        "steps": lambda: schedules.StepLR(optimizer, s.span, s.gamma),
        "polynomial": lambda: schedules.PolynomialLR(optimizer, s.span, power=2.0),
        "impatient": lambda: schedules.ReduceLROnPlateau(optimizer, factor=s.gamma, patience=0),
        # What was decayed already is multiplied with all of the decay again.
        "compounded": scaled(lambda n: s.gamma ** (n * (n + 1) / 2)),
    }  # fmt: skip
    if s.warm_up:
        return schedules.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / s.warm_up))
    return kinds[s.schedule]() if s.schedule != "none" else None


@torch.no_grad()
def clip(model: nn.Module, setting: Setting) -> None:
    """By the norm of all gradients, of each parameter's, by value; or scaled by hand."""
    s = setting
    if s.clip is None:
        return
    having = [p for p in model.parameters() if p.grad is not None]
    if s.clip_kind == "value":
        nn.utils.clip_grad_value_(having, s.clip)
    elif s.clip_kind == "each":
        for parameter in having:
            nn.utils.clip_grad_norm_([parameter], s.clip)
    elif s.clip_kind == "rescaled":
        total = sum(float(p.grad.pow(2).sum()) for p in having if p.grad is not None) ** 0.5
        for parameter in having:
            if parameter.grad is not None and total > s.clip:
                parameter.grad.mul_(s.clip / total)
    else:
        nn.utils.clip_grad_norm_(having, s.clip)
