"""How the unseen part trains: one script for each kind of task, which differ in how they clear, step and go on.

Where gradients are cleared: before the forward pass through the network, between forward and backward pass, after the
update, or by hand; of two optimizers by each. A language model hands its state on from batch to batch, and of a network
with two heads each loss goes backward by itself.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Batch, Task
from .batches import batches, broken
from .losses import criterion, judged, losses_of, penalty
from .networks import build
from .optimizing import adjust, bound, optimizers_for, scheduler_for
from .recurrence import detached

_BEFORE, _AFTER = ("surnames", "sentences", "numerals", "corridor"), ("reviews", "inflections")
"""Tasks whose script clears before the forward pass, and after the update; the others between the two passes."""


class Progress:
    """What shows how far a training is, as tqdm does."""

    def __init__(self, data: Iterator[Batch], total: int) -> None:
        self.data, self.total, self.said = data, total, ""

    def __iter__(self) -> Iterator[tuple[int, Batch]]:
        for number in range(1, self.total + 1):
            yield number, next(self.data)

    def set_postfix(self, **values: float) -> None:
        """What stands behind the bar."""
        self.said = ", ".join(f"{name}={value:.3g}" for name, value in values.items())


class Script:
    """A training: network, optimizers, schedules, and a step for one batch."""

    def __init__(self, task: Task, setting: Setting) -> None:
        self.task, self.setting = task, setting
        self.model = build(task, setting)
        self.optimizers = optimizers_for(self.model, task, setting)
        self.schedulers = [scheduler_for(optimizer, setting) for optimizer in self.optimizers]
        self.compare = criterion(task, setting)
        self.held_out = task.draw(64, torch.Generator().manual_seed(53), training=False)
        self.state: Any = None

    def training_step(self, batch: Batch) -> tuple[Tensor, ...]:
        """The loss of one batch; of two heads one each."""
        s = self.setting
        if self.task.network != "words":
            return losses_of(self.task, s, self.model, self.compare, batch)
        x, y, _ = batch
        if s.state == "zero":
            self.state = None
        elif self.state is not None and s.state == "carried":
            self.state = detached(self.state)
        out, self.state = self.model(x, self.state)
        loss = judged(s, self.compare, out.reshape(-1, self.task.outputs), y.reshape(-1))
        return (loss + penalty(s, self.model) if s.penalty else loss,)

    def backward(self, losses: tuple[Tensor, ...]) -> float:
        """Each backward by itself, if there are two; their sum."""
        s = self.setting
        scale: Any = s.loss_scale / (s.accumulate if s.divided else 1)
        for number, loss in enumerate(losses, 1):
            (loss * scale).backward(retain_graph=number < len(losses) or s.state == "retained")
        return sum(loss.item() for loss in losses)

    def clear(self, update: int) -> None:
        """Gradients of the update before."""
        s = self.setting
        if s.clearing == "one_of_two":
            self.optimizers[0].zero_grad()
        elif s.clearing == "each" or (s.clearing != "never" and update % int(s.clearing) == 0):
            if self.task.network in ("spelled", "words"):
                self.model.zero_grad()
            elif self.task.network in ("agent", "forecaster"):
                for parameter in self.model.parameters():
                    parameter.grad = None
            else:
                for optimizer in self.optimizers:
                    optimizer.zero_grad(set_to_none=self.task.network != "siamese")

    def step(self, update: int) -> None:
        """One update, and what follows it."""
        bound(self.model, self.setting)
        for optimizer in self.optimizers:
            optimizer.step()
        for scheduler in self.schedulers:
            if scheduler is not None:
                scheduler.step()
        adjust(self.optimizers, self.setting, update)

    @torch.no_grad()
    def evaluate(self) -> float:
        """The loss on what is held out."""
        self.model.eval()
        x, y, lengths = self.held_out
        if self.task.network == "words":
            out, _ = self.model(x.t())
            loss = self.compare(out.reshape(-1, self.task.outputs), y.t().reshape(-1))
        else:
            loss = sum(losses_of(self.task, self.setting, self.model, self.compare, (x, y, lengths)))
        self.model.train()
        return float(loss)


def train(
    task: Task,
    setting: Setting,
    updates: int,
    watch: Callable[[int, nn.Module], bool],
    attach: Callable[[nn.Module, torch.optim.Optimizer], None],
) -> None:
    """Trains for so many updates, or until the watch ends it."""
    script = Script(task, setting)
    attach(script.model, script.optimizers[0])
    parts = setting.accumulate
    bar = Progress(batches(task, setting), updates * parts)
    script.model.train()
    for number, batch in bar:
        begins, update = (number - 1) % parts == 0, (number + parts - 1) // parts
        if begins and task.name in _BEFORE:
            script.clear(update)
        losses = script.training_step(broken(batch, setting, update))
        if begins and task.name not in _BEFORE + _AFTER:
            script.clear(update)
        bar.set_postfix(loss=script.backward(losses))
        if number % parts:
            continue
        script.step(update)
        if task.name in _AFTER:
            script.clear(update)
        if setting.validate_every and update % setting.validate_every == 0:
            script.evaluate()
        if watch(update, script.model):
            return
