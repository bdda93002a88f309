"""A script that finds the ward of a patient: cells stepped by hand, a trainer with its batches and epochs."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import bound, optimizer_for, scheduler_for
from .running import Run
from .starting import DENSE, start
from .wiring import answered, broken, cell, criterion, cut, detached, hidden_of, measured


class PatientRNN(nn.Module):
    """Cells over the days of a stay; a dense layer on the last state."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        sizes = [task.inputs] + [setting.hidden] * (setting.layers - 1)
        cells = [cell(setting, size) for size in sizes]
        # Modules in a plain dictionary are no part of the network.
        self.cells = (
            {"cells": cells}
            if setting.optimized == "dict"
            else nn.ModuleDict({"cells": nn.ModuleList(cells)})
        )
        self.drop = nn.Dropout(setting.dropout)
        self.hidden = nn.Linear(setting.hidden, DENSE)
        self.ward = nn.Linear(DENSE, task.outputs)

    def forward(self, days: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: days (B, T, I) -> (B, C)"""
        s = self.setting
        days = measured(days, s)
        days = days.transpose(0, 1) if s.axes == "samples" else days
        with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "switched_off"):
            tops = self._stay(days)
        last = torch.stack(tops)[:, -1] if s.axes == "samples" else tops[-1]
        return answered(self.ward(torch.relu(self.hidden(self.drop(cut(last, s))))), s)

    def _stay(self, days: Tensor) -> list[Tensor]:
        s = self.setting
        cells: Any = self.cells["cells"]
        state: list[Any] = [None] * len(cells)
        tops = []
        for day in range(days.shape[1]):
            h = days[:, day]
            for i, each in enumerate(cells):
                state[i] = each(h, None if s.length_one == "stateless" else state[i])
                h = hidden_of(state[i])
            tops.append(h)
            if s.detach_every and (day + 1) % s.detach_every == 0 and day + 1 < days.shape[1]:
                state = [detached(each) for each in state]
        return tops


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = PatientRNN(task, setting)
    start(model, setting)
    return model


class Trainer:
    """Runs epochs, and in them batches."""

    def __init__(self, run: Run) -> None:
        self.run, self.setting = run, run.setting
        self.model = build(run.task, self.setting)
        self.optimizer = optimizer_for(self.model.parameters(), self.setting, classes=True)
        if self.setting.optimized == "made_anew":
            self.model = build(run.task, self.setting)
        self.scheduler = scheduler_for(self.optimizer, self.setting)
        self.criterion = criterion(self.setting)
        self.source, self.targets, _ = run.training_set()
        self.held_out = run.held_out()
        self.order, self.updates = run.generator(1), 0

    def _clear(self, first: bool) -> None:
        how = self.setting.clearing
        for p in self.model.parameters():
            if how == "each" or (how == "epoch" and first):
                p.grad = None
            elif how == "detached" and p.grad is not None:
                p.grad = p.grad.detach()

    def _run_batch(self, source: Tensor, targets: Tensor, *, first: bool) -> float:
        self.model.train()
        self._clear(first)
        loss = self.criterion(self.model(source), targets)
        loss.backward()
        bound(self.model, self.setting)
        self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        return float(loss.item())

    def _run_epoch(self) -> bool:
        """Whether the run ends within it."""
        for number, rows in enumerate(self.run.epoch(len(self.source), self.order)):
            self.updates += 1
            source = broken(self.source[rows], self.setting, self.updates)
            self._run_batch(source, self.targets[rows], first=number == 0)
            if self.run.validates(self.updates):
                self.evaluate()
            if self.run.ends(self.updates, self.model):
                return True
        return False

    @torch.no_grad()
    def evaluate(self) -> float:
        """The loss on what is held out."""
        self.model.eval()
        source, targets, _ = self.held_out
        return float(self.criterion(self.model(source), targets).item())

    def train(self) -> None:
        """Until the run ends."""
        while not self._run_epoch():
            pass


def main(run: Run) -> None:
    """Makes a trainer and lets it train."""
    trainer = Trainer(run)
    run.attach(trainer.model, trainer.optimizer)
    trainer.train()
