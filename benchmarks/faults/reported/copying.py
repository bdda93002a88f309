"""A script for the copy memory task: symbols have to be said again after a while."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start
from .wiring import answered, criterion, cut, last_layer, layer, looked_up, through, viewed


class CopyModel(nn.Module):
    """Symbols in, a score for each symbol at every step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embed = nn.Embedding(task.inputs, task.embedding)
        self.rnn = layer(setting, task.embedding)
        self.drop = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T) -> (B, T, C)"""
        s = self.setting
        e = self.embed(looked_up(x, s))
        if s.view == "input":
            e = viewed(e)
        out, _ = through(self.rnn, e, None, s)
        out = out.transpose(0, 1) if s.view == "input" else out
        return answered(self.fc(self.drop(cut(out, s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = CopyModel(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    data_x, data_y, _ = run.training_set()
    test_x, test_y, _ = run.held_out()
    loader = run.loader(data_x, data_y)
    model = build(task, s)
    optimizer = optimizer_for(model.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler, loss_fn, iteration = scheduler_for(optimizer, s), criterion(s), 0
    run.attach(model, optimizer)
    while True:
        for number, (x, y) in run.batches(loader):
            model.train()
            if clears(s, number):
                optimizer.zero_grad()
            out = model(x)
            loss = loss_fn(out.reshape(-1, task.outputs), y.reshape(-1)) / s.accumulate
            loss.backward()
            if not steps(s, number):
                continue
            iteration += 1
            clip(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(iteration):
                model.eval()
                with torch.no_grad():
                    loss_fn(model(test_x).reshape(-1, task.outputs), test_y.reshape(-1))
            if run.ends(iteration, model):
                return
