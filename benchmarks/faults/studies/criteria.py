"""Losses of the studies' part, right and wrong, and what makes them no number."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..setting import Setting

IGNORED = -100
"""The class of what is padded."""


def activated(out: Tensor, setting: Setting) -> Tensor:
    """What the network says, after a last activation that does not belong there; or one that does no harm."""
    how = setting.output
    if how in ("softmax", "chances_into_nll"):
        return torch.softmax(out, dim=-1)
    if how == "wrong_axis":
        return torch.softmax(out, dim=0)
    if how == "log_softmax":
        return F.log_softmax(out, dim=-1)
    if how in ("sigmoid", "tanh", "relu"):
        made: Tensor = getattr(torch, how)(out)
        return made
    return out


def classified(scores: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Of scores (..., C) and classes (...); IGNORED ones do not count."""
    s = setting
    flat, right = scores.reshape(-1, scores.shape[-1]), y.reshape(-1)
    if s.output == "one_against_all" or s.loss_log:
        flat, right = flat[right >= 0], right[right >= 0]
        wanted = F.one_hot(right, flat.shape[1]).to(flat.dtype)
        if s.loss_log:
            # Chances as they are printed: what is unlikely is zero.
            chances = torch.softmax(flat, dim=-1)
            chances = chances * (chances > 5e-3)
            return -(wanted * torch.log(chances)).sum(1).mean()
        return F.binary_cross_entropy_with_logits(flat, wanted, reduction=s.reduction) * flat.shape[1] / 2
    if s.output in ("nll", "chances_into_nll"):
        return F.nll_loss(flat, right, ignore_index=IGNORED, reduction=s.reduction)
    return F.cross_entropy(
        flat, right, ignore_index=IGNORED, reduction=s.reduction, label_smoothing=s.smoothing
    )


def regressed(out: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Squared, absolute or Huber's error."""
    kind: Any = {"absolute": F.l1_loss, "huber": F.huber_loss}.get(setting.regression, F.mse_loss)
    loss: Tensor = kind(out, y, reduction=setting.reduction)
    return loss


def shaped(out: Tensor, y: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
    """Prediction and target as the loss is given them: of one shape, (B, 1) or (B, T, 2), if nothing goes wrong."""
    if setting.shapes == "squeezed":
        return out.squeeze(-1), y
    if setting.shapes == "extra_axis":
        return out, y.unsqueeze(1)
    return (out, y.reshape(-1)) if setting.shapes == "flat_target" else (out, y)


def broken_batch(x: Tensor, y: Tensor, setting: Setting, update: int) -> tuple[Tensor, Tensor]:
    """The batch of this update; at one update with a value that is none."""
    if update != setting.not_a_number or setting.broken not in ("input", "label", "std", "infinite"):
        return x, y
    x, y = x.clone(), y.clone()
    if setting.broken == "label":
        y[0] = math.nan
    elif setting.broken == "std":
        x[0] = (x[0] - x[0]) / (x[0] - x[0]).std()
    elif setting.broken == "infinite":
        x[0, 1] = 1 / (x[0, 1] * 0)
    else:
        x[0, 2] = math.nan
    return x, y


def broken_loss(loss: Tensor, out: Tensor, setting: Setting, update: int) -> Tensor:
    """The loss of this update; at one update with a root of zero added, or as the mean over nothing."""
    if update != setting.not_a_number:
        return loss
    if setting.broken == "root":
        return loss + torch.sqrt((out - out.detach()).pow(2).sum())
    # The sum of what a mask leaves, by how much that is: nothing.
    return loss * 0 / torch.zeros(()) if setting.broken == "empty" else loss
