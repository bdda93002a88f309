"""Losses, right and wrong."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting

PADDED = -100
"""The class of what is padded."""


def last_layer(setting: Setting, inputs: int, outputs: int) -> nn.Module:
    """Linear; with a softmax behind, where chances are wanted of it."""
    linear = nn.Linear(inputs, outputs)
    return nn.Sequential(linear, nn.Softmax(dim=-1)) if setting.output == "softmax_layer" else linear


def activated(out: Tensor, setting: Setting) -> Tensor:
    """What forward returns: the last layer's output, or that after an activation."""
    how = setting.output
    if how in ("softmax", "nll_of_chances"):
        return F.softmax(out, dim=-1)
    if how == "wrong_axis":
        return F.softmax(out, dim=0)
    if how == "log_softmax":
        return F.log_softmax(out, dim=-1)
    if how in ("relu", "sigmoid", "tanh"):
        made: Tensor = getattr(torch, how)(out)
        return made
    return out


def classification_loss(scores: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Of scores (..., C) and classes (...)."""
    s = setting
    flat, right = scores.reshape(-1, scores.shape[-1]), y.reshape(-1)
    if s.output in ("nll", "nll_of_chances", "log_softmax"):
        return F.nll_loss(flat, right, ignore_index=PADDED, reduction=s.reduction)
    return F.cross_entropy(
        flat, right, ignore_index=PADDED, reduction=s.reduction, label_smoothing=s.smoothing
    )


def regression_loss(out: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Of numbers of one shape, if nothing goes wrong."""
    s = setting
    if s.shapes == "target_flat":
        y = y.squeeze(-1)
    elif s.shapes == "output_flat":
        out = out.squeeze(-1)
    kind: Any = {"absolute": F.l1_loss, "huber": F.smooth_l1_loss}.get(s.regression, F.mse_loss)
    loss: Tensor = kind(out, y, reduction=s.reduction)
    return loss
