"""The training loop of the bench, as people write it; every branch is a habit or a fault of setting.py."""

import math
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .networks import LAYERS, build, initialize
from .setting import Setting
from .task import FOLDERS, Task
from .tasks import TASKS, stream

RATES = {"SGD": 0.3, "momentum": 0.05, "Adam": 5e-3, "AdamW": 5e-3, "RMSprop": 2e-3}
"""Good rates for these small networks, with clipping at 1; SGD takes three times as much where the loss is
cross-entropy."""

Watch = Callable[[int, nn.Module], bool]
"""Called after each update with its number and the network; True ends the training."""
Attach = Callable[[nn.Module, torch.optim.Optimizer], None]
"""Called before the first update: other tools that watch (peers.py)."""


def train(
    setting: Setting,
    updates: int,
    watch: Watch = lambda _, __: False,
    attach: Attach = lambda _, __: None,
) -> None:
    """Trains for so many updates, or until the watch ends it."""
    task = TASKS[setting.task]
    loops = import_module(f".{task.part}.loops", __package__) if task.part in FOLDERS else None
    torch.manual_seed(setting.seed)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # torch warns of some faults by itself; the bench does not rely on it
    if loops is not None:
        loops.train(task, setting, updates, watch, attach)
        return
    model = build(task, setting)
    optimizer = _optimizer(model, setting)
    if setting.optimized == "stale":
        _replace_the_recurrence(model, setting)
    schedule = _schedule(optimizer, setting)
    attach(model, optimizer)
    batches = stream(task, setting, torch.Generator().manual_seed(setting.seed + 1))
    state: Any = None
    for update in range(1, updates + 1):
        model.train()
        if _clears(setting, update):
            optimizer.zero_grad()
        for _ in range(setting.accumulate):
            loss, state = _loss(task, setting, model, next(batches), state, update)
            (loss / setting.accumulate).backward(retain_graph=setting.state == "retained")
        if setting.clip is not None:
            if setting.clip_kind == "norm":
                nn.utils.clip_grad_norm_(model.parameters(), setting.clip)
            else:
                nn.utils.clip_grad_value_(model.parameters(), setting.clip)
        optimizer.step()
        if schedule is not None:
            schedule.step()
        if setting.validate_every and update % setting.validate_every == 0:
            validate(task, model)
        if watch(update, model):
            return


def _loss(
    task: Task, setting: Setting, model: nn.Module, batch: Any, state: Any, update: int
) -> tuple[Any, Any]:
    x, y, lengths = batch
    if setting.not_a_number == update and x.is_floating_point():
        x = x.clone()
        x[0, 0] = math.nan
    if task.taught:
        out = model(x, lengths, target=y)
    elif setting.state != "zero":
        if state is not None and setting.state == "carried":
            state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        out, state = model(x, lengths, state)
    else:
        out = model(x, lengths)
    return _compare(task, setting, out, y) * setting.loss_scale, state


def _compare(task: Task, setting: Setting, out: Tensor, y: Tensor) -> Tensor:
    if setting.output == "nll":
        return F.nll_loss(out.reshape(-1, task.outputs), y.reshape(-1), ignore_index=-1)
    if setting.loss_log:
        chances = torch.softmax(out, -1).reshape(-1, task.outputs)
        chosen = chances[torch.arange(len(chances)), y.reshape(-1)]
        return -torch.log(chosen * (chosen > 0.02)).mean()
    if setting.shapes == "output_flat":
        return task.loss(out.squeeze(-1), y)
    if setting.shapes == "target_flat":
        return task.loss(out, y.squeeze(-1))
    return task.loss(out, y)


def validate(task: Task, model: nn.Module) -> float:
    """The loss on held-out samples."""
    model.eval()
    with torch.no_grad():
        x, y, lengths = task.draw(64, torch.Generator().manual_seed(77), training=False)
        out = model(x, lengths, target=y) if task.taught else model(x, lengths)
        loss = task.loss(out, y).item()
    model.train()
    return loss


def _clears(setting: Setting, update: int) -> bool:
    if setting.clearing == "each":
        return True
    return setting.clearing != "never" and update % int(setting.clearing) == 0


def _optimizer(model: Any, setting: Setting) -> torch.optim.Optimizer:
    if setting.optimized == "head":
        parameters = list(model.head.parameters())
    elif setting.optimized == "no_recurrence":
        parameters = [p for name, p in model.named_parameters() if not name.startswith(("rnn", "cell"))]
    else:
        parameters = [p for p in model.parameters() if p.requires_grad]
    rate, decay = RATES[setting.optimizer] * setting.rate, setting.weight_decay
    if TASKS[setting.task].classes and setting.optimizer in ("SGD", "momentum"):
        rate *= 3
    if setting.optimizer == "SGD":
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay)
    if setting.optimizer == "momentum":
        return torch.optim.SGD(parameters, lr=rate, momentum=0.9, weight_decay=decay)
    kind: Any = getattr(torch.optim, setting.optimizer)
    made: torch.optim.Optimizer = kind(parameters, lr=rate, weight_decay=decay)
    return made


def _replace_the_recurrence(model: Any, setting: Setting) -> None:
    """As a script does that sets up its network again after it has built the optimizer."""
    old = model.rnn
    model.rnn = LAYERS[setting.cell](
        old.input_size,
        old.hidden_size,
        num_layers=old.num_layers,
        bidirectional=old.bidirectional,
        batch_first=old.batch_first,
    )
    initialize(model.rnn, setting)


def _schedule(optimizer: torch.optim.Optimizer, setting: Setting) -> Any:
    if setting.warm_up:
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / setting.warm_up))
    if setting.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 2000)
    if setting.schedule == "exponential":
        return torch.optim.lr_scheduler.ExponentialLR(optimizer, setting.gamma)
    if setting.schedule == "steps":
        return torch.optim.lr_scheduler.StepLR(optimizer, 5, setting.gamma**5)
    return None
