"""Losses of the unseen part: some of several terms, some summed over steps; with what people get wrong in them."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F

from ..setting import Setting
from ..task import Batch, Task


def criterion(task: Task, setting: Setting) -> nn.Module:
    """What answers and targets are compared by."""
    s = setting
    if task.binary:
        return nn.BCEWithLogitsLoss()
    if not task.classes:
        kinds = {"squares": nn.MSELoss, "absolute": nn.L1Loss, "huber": nn.SmoothL1Loss}
        return kinds[s.regression]()
    if task.network == "speech":
        return nn.CTCLoss()
    if s.output == "nll":
        return nn.NLLLoss(ignore_index=-1)
    return nn.CrossEntropyLoss(ignore_index=-1, label_smoothing=s.smoothing, reduction=s.reduction)


def losses_of(
    task: Task, setting: Setting, model: Any, compare: nn.Module, batch: Batch
) -> tuple[Tensor, ...]:
    """The loss of one batch; of two heads one each."""
    s, (x, y, lengths) = setting, batch
    others: tuple[Tensor, ...] = ()
    if task.network == "autoencoder":
        out, mean, log_variance = model(x)
        divergence = -0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp()).sum(1).mean()
        loss = compare(out, y.to(out.dtype)) + 2e-3 * divergence
    elif task.network == "agent":
        scores, value = model(x)
        loss = _reinforce(scores, value, y)
    elif task.network == "teacher":
        out = model(x, lengths, target=y)
        loss = out.new_zeros(())
        for digit in range(y.shape[1]):
            loss = loss + judged(s, compare, out[:, digit], y[:, digit])
    elif task.network == "speech":
        loss = _aligned(s, compare, model(x), y, lengths)
    elif task.network == "customers":
        scores, price = model(x)
        loss = judged(s, compare, scores, y)
        others = (0.2 * F.mse_loss(price, x[..., 2].mean(1).to(price.dtype)),)
    elif task.binary:
        out = model(x, lengths).squeeze(-1)
        loss = compare(torch.sigmoid(out) if s.output == "loop_sigmoid" else out, y.to(out.dtype))
    elif task.classes:
        out = model(x, lengths)
        loss = judged(s, compare, out.reshape(-1, task.outputs), y.reshape(-1))
    else:
        loss = compare(*_shaped(s, model(x), y))
    if s.broken == "twins":
        apart = (model.encode(x[:, 0]) - model.encode(x[:, 1])).pow(2).sum(1)
        loss = loss + 1e-3 * torch.sqrt(apart).mean()
    return (loss + penalty(s, model) if s.penalty else loss), *others


def judged(setting: Setting, compare: nn.Module, scores: Tensor, y: Tensor) -> Tensor:
    """Shapes: scores (N, C), y (N) -> ()"""
    loss: Tensor
    if setting.output == "divergence":
        loss = F.kl_div(
            F.softmax(scores, dim=1),
            F.one_hot(y.clamp(min=0), scores.shape[1]).to(scores.dtype),
            reduction="batchmean",
        )
    elif setting.output == "batch_softmax":
        loss = compare(F.softmax(scores, dim=0), y)
    elif setting.output == "loop_softmax":
        loss = compare(scores.softmax(-1), y)
    elif setting.output == "loop_sigmoid":
        loss = compare(torch.sigmoid(scores), y)
    else:
        loss = compare(scores, y)
    return loss


def _reinforce(scores: Tensor, value: Tensor, y: Tensor) -> Tensor:
    """An action is drawn and rewarded; what the critic expected is taken off."""
    ways: Any = Categorical(logits=scores)
    action = ways.sample()
    reward = (action == y).to(value.dtype)
    advantage = reward - value.detach()
    policy = -(ways.log_prob(action) * advantage).mean()
    loss: Tensor = policy + 0.5 * F.mse_loss(value, reward) - 0.01 * ways.entropy().mean()
    return loss


def _aligned(setting: Setting, compare: nn.Module, out: Tensor, y: Tensor, lengths: Tensor | None) -> Tensor:
    frames = torch.full((len(y),), out.shape[1]) if lengths is None else lengths
    scores = out.transpose(0, 1)
    if setting.output == "chances":
        scores = scores.softmax(-1)
    elif setting.output != "unscaled":
        scores = scores.log_softmax(-1)
    loss: Tensor = compare(scores, y, frames, torch.full((len(y),), y.shape[1]))
    return loss


def _shaped(setting: Setting, out: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    y = y.to(out.dtype)
    if setting.shapes == "output_flat":
        return out.squeeze(), y
    return (out, y.view(-1)) if setting.shapes == "target_flat" else (out, y)


def penalty(setting: Setting, model: nn.Module) -> Tensor:
    """Of all weights."""
    total = torch.zeros(())
    for parameter in model.parameters():
        if setting.penalty_kind == "absolute":
            total = total + parameter.abs().sum()
        elif setting.penalty_kind == "norms":
            total = total + torch.norm(parameter)
        else:
            total = total + (parameter**2).sum()
    return setting.penalty * total
