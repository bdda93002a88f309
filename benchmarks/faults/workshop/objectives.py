"""Losses of the workshop's part, and what goes on between recurrence and loss."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..parts_common.layers import passed_on, readings
from ..parts_common.losses import activated, classification_loss, regression_loss
from ..setting import Setting
from ..task import Task


def sensed(x: Tensor, model: nn.Module, setting: Setting) -> Tensor:
    """Readings as all parts have them; or by the range of another sensor, which leaves next to nothing of them."""
    x = readings(x, model, setting)
    return x * 1e-5 + 0.5 if setting.constant == "other_range" else x


def handed_on(h: Tensor, setting: Setting) -> Tensor:
    """What the last layer is given of the recurrence."""
    if setting.cut == "flags":
        return (h > 0).float()
    if setting.cut == "cached":
        return torch.stack([row.clone() for row in h.detach()])
    return passed_on(h, setting)


def said(out: Tensor, setting: Setting) -> Tensor:
    """What forward returns of the last layer's output."""
    if setting.output == "clamped":
        return out.clamp(0, 1)
    if setting.output == "double_sigmoid":
        return torch.sigmoid(out)
    return activated(out, setting)


def yes_or_no(out: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Of scores (..., 1) and y (...)."""
    s, wanted = setting, y.to(out.dtype).reshape(out.shape)
    if s.output == "clamped":
        return F.binary_cross_entropy(out, wanted, reduction=s.reduction)
    if s.smoothing:
        wanted = wanted * (1 - s.smoothing) + s.smoothing / 2
    if s.loss_log:
        chances = torch.sigmoid(out)
        chances = chances * (chances > 0.3)
        return -(wanted * chances.log() + (1 - wanted) * (1 - chances).log()).mean()
    return F.binary_cross_entropy_with_logits(out, wanted, reduction=s.reduction)


def one_of_many(scores: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Of scores (..., C) and y (...)."""
    s = setting
    if s.loss_log:
        # The divergence of what is from what is said, by hand.
        wanted = F.one_hot(y.reshape(-1), scores.shape[-1]).to(scores.dtype)
        chances = torch.softmax(scores.reshape(wanted.shape), -1)
        return (wanted * torch.log(wanted / chances)).sum(1).mean()
    if s.output == "focal":
        losses = F.cross_entropy(scores.reshape(-1, scores.shape[-1]), y.reshape(-1), reduction="none")
        return ((1 - torch.exp(-losses)) ** 2 * losses).mean()
    if s.output == "squared":
        return F.mse_loss(torch.softmax(scores, -1), F.one_hot(y, scores.shape[-1]).to(scores.dtype))
    return classification_loss(scores, y, s)


def how_many(out: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Of numbers."""
    s = setting
    if s.shapes == "hand_target_flat":
        return ((out - y.reshape(-1)) ** 2).mean()
    if s.shapes == "middle_axis":
        y = y[:, None]
    if s.regression == "log_cosh":
        return torch.log(torch.cosh(out - y)).mean()
    return regression_loss(out, y, s)


def likelihood(made: tuple[Tensor, Tensor], y: Tensor, setting: Setting) -> Tensor:
    """Of a mean and the logarithm of a variance."""
    mean, log_variance = made
    if setting.shapes != "equal":
        mean, log_variance, y = _shaped(mean, log_variance, y, setting.shapes)
    terms = 0.5 * (log_variance + (mean - y) ** 2 / log_variance.exp())
    return terms.sum() if setting.reduction == "sum" else terms.mean()


def _shaped(mean: Tensor, log_variance: Tensor, y: Tensor, how: str) -> tuple[Tensor, Tensor, Tensor]:
    if how == "output_flat":
        return mean.squeeze(-1), log_variance.squeeze(-1), y
    return mean, log_variance, y[:, None] if how == "middle_axis" else y.squeeze(-1)


def loss_of(task: Task, made: Any, y: Tensor, setting: Setting) -> Tensor:
    """The loss of what a network says."""
    if isinstance(made, tuple):
        return likelihood(made, y, setting)
    if not task.classes:
        return how_many(made, y, setting)
    return (yes_or_no if task.binary else one_of_many)(made, y, setting)
