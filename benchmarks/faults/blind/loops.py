"""How the blind part trains: a trainer with `fit`, a dataset whose batches `collate` pads, losses as functions.

Half of the tasks step as skorch does, with a closure; the others in the loop itself.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, repeat
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, SequentialSampler

from ..networks import initialize
from ..setting import Setting
from ..task import Batch, Task
from .data import song
from .networks import build, detached, layer

RATES = {"SGD": 0.4, "nesterov": 0.06, "Adam": 4e-3, "AdamW": 4e-3, "NAdam": 3e-3, "RMSprop": 2e-3}
"""Good rates for these networks; those without moments take twice as much where the loss is cross-entropy."""
SAMPLES = 3000
"""Of the training set, unless the setting has another number."""
CLOSURES = ("digits", "sums", "melody", "translate")
"""The tasks that are trained through `optimizer.step(closure)`."""
Sample = tuple[Tensor, Tensor, int]


class Samples(Dataset[Sample]):
    """A fixed set, each sequence in its own length."""

    def __init__(self, task: Task, n: int, generator: torch.Generator, *, training: bool) -> None:
        self.x, self.y, self.lengths = task.draw(n, generator, training=training)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> Sample:
        length = self.x.shape[1] if self.lengths is None else int(self.lengths[index])
        return self.x[index, :length], self.y[index], length


def collate(samples: list[Sample]) -> Batch:
    """Pads to the longest of the batch."""
    x, y, lengths = zip(*samples, strict=True)
    return pad_sequence(list(x), batch_first=True), torch.stack(y), torch.tensor(lengths)


def batches(task: Task, setting: Setting) -> Iterator[Batch]:
    """Training batches without end."""
    generator = torch.Generator().manual_seed(3000 + setting.seed)
    if setting.state != "zero":
        return _chunks(setting, generator)
    data = Samples(task, setting.samples or SAMPLES, generator, training=True)
    if setting.order == "sorted":
        order = data.y.float().reshape(len(data), -1).mean(1).argsort(stable=True)
        data.x, data.y = data.x[order], data.y[order]
        data.lengths = None if data.lengths is None else data.lengths[order]
        loader = DataLoader(data, setting.batch, sampler=SequentialSampler(data), collate_fn=collate)
    else:
        loader = DataLoader(data, setting.batch, shuffle=True, generator=generator, collate_fn=collate)
    if setting.order == "same":
        return repeat(next(iter(loader)))
    return chain.from_iterable(repeat(loader))


def _chunks(setting: Setting, generator: torch.Generator) -> Iterator[Batch]:
    """Pieces of one long song a row: each goes on where the one before ended."""
    notes = song(setting.batch, 4001, generator)
    while True:
        for start in range(0, 4000, 16):
            yield notes[:, start : start + 16], notes[:, start + 1 : start + 17], None


class Trainer:
    """Holds what a training needs, and fits."""

    def __init__(self, task: Task, setting: Setting) -> None:
        self.task, self.setting = task, setting
        self.net = build(task, setting)
        self.optimizer = self._optimizer()
        if setting.optimized == "stale":
            self._start_anew()
        self.scheduler = self._scheduler()
        self.held_out = Samples(task, 64, torch.Generator().manual_seed(41), training=False)
        self.state: Any = None
        self.update = 0

    def fit(self, data: Iterator[Batch], updates: int, watch: Callable[[int, nn.Module], bool]) -> None:
        """So many updates, or until the watch ends it."""
        for self.update in range(1, updates + 1):
            self.net.train()
            group = [next(data) for _ in range(self.setting.accumulate)]
            if self.task.name in CLOSURES:
                self.optimizer.step(partial(self.backward, group))
            else:
                self.backward(group)
                self.optimizer.step()
            if self.scheduler is not None:
                self.scheduler.step()
            if self.setting.validate_every and self.update % self.setting.validate_every == 0:
                self.evaluate()
            if watch(self.update, self.net):
                return

    def backward(self, group: list[Batch]) -> float:
        """Gradients of a group of batches; the mean of their losses."""
        s = self.setting
        if s.clearing == "each" or (s.clearing != "never" and self.update % int(s.clearing) == 0):
            self.optimizer.zero_grad()
        total = 0.0
        for batch in group:
            loss: Any = self.loss(batch) / len(group)
            loss.backward(retain_graph=s.state == "retained")
            total += loss.item()
        if s.clip is not None:
            if s.clip_kind == "norm":
                nn.utils.clip_grad_norm_(self.net.parameters(), s.clip)
            else:
                nn.utils.clip_grad_value_(self.net.parameters(), s.clip)
        return total

    def loss(self, batch: Batch) -> Tensor:
        """Of one batch."""
        x, y, lengths = batch
        if self.setting.not_a_number == self.update and x.is_floating_point():
            x = x.clone()
            x[-1, 2] = math.nan
        return self.criterion(self.predict(x, y, lengths), y) * self.setting.loss_scale

    def predict(self, x: Tensor, y: Tensor, lengths: Tensor | None) -> Tensor:
        """What the network says."""
        if self.task.taught:
            return self.net(x, lengths, target=y)  # type: ignore[no-any-return]
        if self.setting.state == "zero":
            return self.net(x, lengths)  # type: ignore[no-any-return]
        if self.setting.state == "carried" and self.state is not None:
            self.state = detached(self.state)
        out, self.state = self.net(x, lengths, self.state)
        return out  # type: ignore[no-any-return]

    def criterion(self, out: Tensor, y: Tensor) -> Tensor:
        """The loss of these answers."""
        s, how = self.setting, self.setting.reduction
        if self.task.binary:
            return F.binary_cross_entropy_with_logits(out.squeeze(-1), y.float(), reduction=how)
        if not self.task.classes:
            out = out.squeeze(-1) if s.shapes == "output_flat" else out
            y = y.squeeze(-1) if s.shapes == "target_flat" else y
            compare = F.smooth_l1_loss if self.task.name == "brackets" else F.mse_loss
            return compare(out, y, reduction=how)
        scores, classes = out.flatten(0, -2), y.flatten()
        if s.output == "nll":
            return F.nll_loss(scores, classes)
        if s.loss_log:
            right = F.softmax(scores, dim=1).gather(1, classes[:, None])
            return -(right * (right > 0.02)).log().mean()
        return F.cross_entropy(scores, classes, reduction=how, label_smoothing=s.smoothing)

    @torch.no_grad()
    def evaluate(self) -> float:
        """The loss on what is held out."""
        self.net.eval()
        x, y, lengths = collate([self.held_out[i] for i in range(len(self.held_out))])
        out = self.net(x, lengths, target=y) if self.task.taught else self.net(x, lengths)
        return self.criterion(out[0] if isinstance(out, tuple) else out, y).item()

    def _optimizer(self) -> torch.optim.Optimizer:
        s = self.setting
        weights = [p for name, p in self.net.named_parameters() if p.requires_grad and self._trains(name)]
        rate = RATES[s.optimizer] * s.rate
        if (self.task.classes or self.task.binary) and s.optimizer in ("SGD", "nesterov"):
            rate *= 2
        extra: dict[str, Any] = {"momentum": 0.9, "nesterov": True} if s.optimizer == "nesterov" else {}
        kind: Any = torch.optim.SGD if s.optimizer == "nesterov" else getattr(torch.optim, s.optimizer)
        made: torch.optim.Optimizer = kind(weights, lr=rate, weight_decay=s.weight_decay, **extra)
        return made

    def _trains(self, name: str) -> bool:
        recurrent = any(part in name for part in ("rnn", "encoder", "decoder", "cells"))
        if self.setting.optimized == "head":
            return name.startswith(("scores", "classifier", "to_note", "words"))
        return self.setting.optimized != "no_recurrence" or not recurrent

    def _start_anew(self) -> None:
        """As a script does that sets up its recurrence again after it has built the optimizer."""
        holder, name = (self.net.encoder, "rnn") if self.task.network == "pipeline" else (self.net, "encoder")
        fresh = layer(self.task, self.setting, getattr(holder, name).input_size)
        initialize(fresh, self.setting)
        setattr(holder, name, fresh)

    def _scheduler(self) -> Any:
        s, schedules = self.setting, torch.optim.lr_scheduler
        if s.schedule == "one_cycle":
            best = [group["lr"] for group in self.optimizer.param_groups]
            return schedules.OneCycleLR(self.optimizer, max_lr=best, total_steps=1200, pct_start=0.1)
        if s.schedule == "restarts":
            return schedules.CosineAnnealingWarmRestarts(self.optimizer, T_0=50)
        if s.schedule == "linear":
            return schedules.LinearLR(self.optimizer, 1.0, 0.3, total_iters=300)
        if s.schedule == "power":
            return schedules.LambdaLR(self.optimizer, lambda n: s.gamma**n)
        return None


def train(
    task: Task,
    setting: Setting,
    updates: int,
    watch: Callable[[int, nn.Module], bool],
    attach: Callable[[nn.Module, torch.optim.Optimizer], None],
) -> None:
    """Trains for so many updates, or until the watch ends it."""
    trainer = Trainer(task, setting)
    attach(trainer.net, trainer.optimizer)
    trainer.fit(batches(task, setting), updates, watch)
