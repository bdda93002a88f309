"""Optimizers, schedules and bounds on gradients of the unseen part."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from ..sealed.clipping import clip
from ..setting import Setting
from ..task import Task
from .starting import RECURRENT

RATES = {"Adam": 5e-3, "AdamW": 5e-3, "Adamax": 8e-3, "RMSprop": 2e-3, "momentum": 0.06, "SGD": 0.4}
"""Good rates for these networks; SGD and momentum take twice as much where the loss is cross-entropy."""


def optimizers_for(model: Any, task: Task, setting: Setting) -> list[torch.optim.Optimizer]:
    """One, or where encoder and decoder have their own, two."""
    if setting.optimized in ("frozen", "thawed"):
        _freeze(model, everything=setting.optimized == "frozen")
    groups = [model.parameters()]
    if setting.optimized == "head":
        groups = [model.head.parameters()]
    elif task.network == "teacher":
        encoding = (*model.letters.parameters(), *model.encoder.parameters(), *model.bridge.parameters())
        decoding = (*model.digits.parameters(), *model.decoder.parameters(), *model.head.parameters())
        groups = [decoding, encoding]
        if setting.optimized == "decoder":
            groups = [decoding]
    free = [[p for p in group if p.requires_grad] for group in groups]
    made = [_optimizer(group, task, setting) for group in free if group]
    if setting.optimized == "thawed":
        for parameter in model.parameters():
            parameter.requires_grad_(True)
    return made


def _freeze(model: Any, *, everything: bool) -> None:
    """As for a network that was learned before: all but the head, or its recurrence alone."""
    for module in model.modules():
        if everything or isinstance(module, RECURRENT):
            module.requires_grad_(False)
    if everything:
        model.head.requires_grad_(True)


def _optimizer(parameters: Iterable[nn.Parameter], task: Task, setting: Setting) -> torch.optim.Optimizer:
    s = setting
    rate = RATES[s.optimizer] * s.rate
    if (task.classes or task.binary) and s.optimizer in ("SGD", "momentum"):
        rate *= 2
    kind: Any = torch.optim.SGD if s.optimizer == "momentum" else getattr(torch.optim, s.optimizer)
    extra = {"momentum": 0.9} if s.optimizer == "momentum" else {}
    made: torch.optim.Optimizer = kind(parameters, lr=rate, weight_decay=s.weight_decay, **extra)
    return made


def scheduler_for(optimizer: torch.optim.Optimizer, setting: Setting) -> Any:
    """The schedule, stepped after every update; None without one."""
    s, schedules = setting, torch.optim.lr_scheduler
    rate = optimizer.param_groups[0]["lr"]
    moments = s.optimizer not in ("SGD", "RMSprop")
    kinds: dict[str, Callable[[], Any]] = {
        "one_cycle": lambda: schedules.OneCycleLR(
            optimizer, 1.5 * rate, total_steps=800, pct_start=0.15, cycle_momentum=moments
        ),
        "late_cycle": lambda: schedules.OneCycleLR(
            optimizer, rate, total_steps=200_000, div_factor=s.gamma, cycle_momentum=moments
        ),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, T_max=1000, eta_min=0.1 * rate),
        "noam": lambda: schedules.LambdaLR(optimizer, lambda n: min((n + 1) / 40, (40 / (n + 1)) ** 0.5)),
        "triangles": lambda: schedules.CyclicLR(
            optimizer, 0.3 * rate, 1.5 * rate, step_size_up=25, cycle_momentum=False
        ),
        "restarts": lambda: schedules.CosineAnnealingWarmRestarts(optimizer, 30, T_mult=2),
        "halving": lambda: schedules.StepLR(optimizer, 150, 0.5),
        "exponential": lambda: schedules.ExponentialLR(optimizer, s.gamma),
        "step": lambda: schedules.StepLR(optimizer, s.span),
        "warm": lambda: schedules.SequentialLR(
            optimizer,
            [schedules.LinearLR(optimizer, 0.1, total_iters=20), schedules.ConstantLR(optimizer, 1.0)],
            [20],
        ),
    }
    return kinds[s.schedule]() if s.schedule in kinds else None


def adjust(optimizers: list[torch.optim.Optimizer], setting: Setting, update: int) -> None:
    """As in scripts that lower the rate themselves every so many epochs, here updates."""
    if setting.schedule == "by_hand" and update % setting.span == 0:
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] *= 0.1


def bound(model: nn.Module, setting: Setting) -> None:
    """Clips the gradients, or scales them all by hand."""
    if setting.clip_kind != "scaled" or setting.clip is None:
        clip(model, setting)
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    total = sum(g.pow(2).sum() for g in gradients) ** 0.5
    for gradient in gradients:
        gradient.mul_(setting.clip / (total + 1e-6))
