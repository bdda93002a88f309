"""How the sealed part trains: one function with criterion modules, parameter groups, a fixed set cut by hand.

Half of the tasks clear the gradients through the network, the others through the optimizer; some after the update.
"""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import swa_utils

from ..setting import Setting
from ..task import Batch, Task
from .batches import batches
from .clipping import clip, hooks
from .networks import build
from .optimizing import optimizer_for, scheduler_for

CLEARED_AFTER = ("events", "protocol", "gibberish")
"""Tasks whose loop clears the gradients after the update."""
CLEARED_BY_NETWORK = ("events", "oscillators", "identifiers", "dates")
"""Tasks whose loop clears them through the network."""


def train(
    task: Task,
    setting: Setting,
    updates: int,
    watch: Callable[[int, nn.Module], bool],
    attach: Callable[[nn.Module, torch.optim.Optimizer], None],
) -> None:
    """Trains for so many updates, or until the watch ends it."""
    model: Any = build(task, setting)
    optimizer = optimizer_for(model, task, setting)
    if setting.optimized == "copy":
        model = deepcopy(model)
    other = deepcopy(model) if setting.clearing == "other" else model
    scheduler = scheduler_for(optimizer, setting)
    averaged = _averaged(model, setting)
    if setting.clip_kind == "hook":
        hooks(model, setting)
    attach(model, optimizer)
    criterion = _criterion(task, setting)
    held_out = task.draw(64, torch.Generator().manual_seed(29), training=False)
    data = batches(task, setting)
    optimizer.zero_grad()

    for update in range(1, updates + 1):
        model.train()
        if task.name not in CLEARED_AFTER:
            _clear(task, setting, model, optimizer, other, update)
        mean = 0.0
        for _ in range(setting.accumulate):
            loss: Any = _loss(task, setting, model, criterion, _broken(next(data), setting, update))
            loss = loss * setting.loss_scale / setting.accumulate
            loss.backward(retain_graph=setting.state == "retained")
            mean += loss.item()
        clip(model, setting)
        _shake(model, setting.noise / (1 + update) ** 0.55)
        optimizer.step()
        _shrink(model, setting.shrink)
        if task.name in CLEARED_AFTER:
            _clear(task, setting, model, optimizer, other, update)
        if setting.schedule == "plateau":
            scheduler.step(mean)
        elif scheduler is not None:
            scheduler.step()
        if averaged is not None:
            averaged.update_parameters(model)
        if setting.validate_every and update % setting.validate_every == 0:
            evaluate(task, model if averaged is None else averaged, criterion, held_out)
        if watch(update, model):
            return


@torch.no_grad()
def evaluate(task: Task, model: Any, criterion: nn.Module, held_out: Batch) -> float:
    """The loss on what is held out."""
    model.eval()
    x, y, lengths = held_out
    out = model(x, lengths, target=y) if task.taught else model(x, lengths)
    loss: float = criterion(*_aligned(task, out, y)).item()
    return loss


def _criterion(task: Task, setting: Setting) -> nn.Module:
    if task.binary:
        return nn.BCEWithLogitsLoss()
    if not task.classes:
        return nn.MSELoss()
    if setting.output in ("nll", "nll_of_chances"):
        return nn.NLLLoss()
    return (
        nn.MSELoss()
        if setting.output == "squared"
        else nn.CrossEntropyLoss(label_smoothing=setting.smoothing)
    )


def _loss(task: Task, setting: Setting, model: Any, criterion: nn.Module, batch: Batch) -> Tensor:
    x, y, lengths = batch
    out = model(x, lengths, target=y) if task.taught else model(x, lengths)
    loss: Tensor
    if setting.shapes == "hand_target_flat":
        loss = ((out - y.flatten()) ** 2).mean()
    elif setting.shapes == "hand_output_flat":
        loss = (out.flatten() - y).abs().mean()
    else:
        out, y = _aligned(task, out, y)
        loss = criterion(*_given(setting, out, y))
    if setting.penalty:
        loss = loss + setting.penalty * sum(p.pow(2).sum() for p in model.parameters())
    if setting.broken == "distance":
        loss = loss + 1e-3 * _smoothness(model, x)
    return loss


def _aligned(task: Task, out: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Answers and targets as the loss wants them: (N, C) and (N), or of one shape."""
    if task.binary:
        return out.squeeze(1), y.float()
    return (out.flatten(0, -2), y.flatten()) if task.classes else (out, y)


def _given(setting: Setting, out: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """What the loss is given: the same, or what a fault makes of it."""
    if setting.output == "in_loop":
        return F.softmax(out, dim=1), y
    if setting.output == "sigmoid":
        return torch.sigmoid(out), y
    if setting.output == "nll_of_chances":
        return F.softmax(out, dim=1), y
    if setting.output == "squared":
        return F.softmax(out, dim=1), F.one_hot(y, out.shape[1]).float()
    return out, y


def _smoothness(model: Any, tokens: Tensor) -> Tensor:
    """The mean distance of neighbouring embeddings: a root, whose slope at zero is infinite."""
    embedding = next(m for m in model.modules() if isinstance(m, nn.Embedding))
    steps = embedding(tokens).diff(dim=1)
    return torch.sqrt(steps.pow(2).sum(-1)).mean()


def _broken(batch: Batch, setting: Setting, update: int) -> Batch:
    """The batch; at one update with a value that is no number."""
    x, y, lengths = batch
    if update != setting.not_a_number or setting.broken == "distance":
        return batch
    if setting.broken == "label":
        y = y.clone()
        y[1] = math.nan
    elif setting.broken == "constant":
        x = x.clone()
        x[2] = 0.0
        x[2] = (x[2] - x[2].mean()) / x[2].std()
    else:
        x = x.clone()
        x[0, -1] = math.inf
    return x, y, lengths


def _clear(
    task: Task,
    setting: Setting,
    model: Any,
    optimizer: torch.optim.Optimizer,
    other: Any,
    update: int,
) -> None:
    if setting.clearing == "other":
        other.zero_grad()
    elif setting.clearing == "head":
        model.head.zero_grad()
    elif setting.clearing == "each" or (setting.clearing != "never" and update % int(setting.clearing) == 0):
        (model if task.name in CLEARED_BY_NETWORK else optimizer).zero_grad()


def _averaged(model: nn.Module, setting: Setting) -> Any:
    if not setting.average:
        return None
    moving: Any = swa_utils.get_ema_multi_avg_fn
    return swa_utils.AveragedModel(model, multi_avg_fn=moving(setting.average))


@torch.no_grad()
def _shake(model: nn.Module, deviation: float) -> None:
    """Gradient noise, as Neelakantan et al. add it."""
    if not deviation:
        return
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.add_(torch.randn_like(parameter), alpha=deviation)


@torch.no_grad()
def _shrink(model: nn.Module, share: float) -> None:
    if not share:
        return
    for parameter in model.parameters():
        parameter.mul_(1 - share)
