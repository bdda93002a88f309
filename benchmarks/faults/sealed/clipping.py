"""How the sealed part bounds its gradients."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting


def clip(model: nn.Module, setting: Setting) -> None:
    """By the norm of all, or of each, or by value: with torch's functions, or by hand."""
    limit = setting.clip
    if limit is None:
        return
    if setting.clip_kind == "norm":
        nn.utils.clip_grad_norm_(model.parameters(), limit)
    elif setting.clip_kind == "value":
        nn.utils.clip_grad_value_(model.parameters(), limit)
    elif setting.clip_kind == "each":
        for parameter in model.parameters():
            nn.utils.clip_grad_norm_(parameter, limit)
    elif setting.clip_kind == "hand":
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.clamp_(-limit, limit)


def hooks(model: nn.Module, setting: Setting) -> None:
    """Every parameter clamps its own gradient."""
    limit = setting.clip
    if limit is None:
        return

    def clamped(gradient: Tensor) -> Tensor:
        return torch.clamp(gradient, -limit, limit)

    own: Any
    for own in model.parameters():
        if own.requires_grad:
            own.register_hook(clamped)
