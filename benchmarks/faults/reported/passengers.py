"""A script that forecasts a series from windows of it: layers, the last output, a dense layer."""

from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import DENSE, start
from .wiring import answered, criterion, cut, layer, measured, shaped, spoiled, through

LOOKBACK = 12


class AirModel(nn.Module):
    """Months in, the next month out."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.lstm = layer(setting, task.inputs * (LOOKBACK if setting.length_one == "features" else 1))
        self.drop = nn.Dropout(setting.dropout)
        self.linear = nn.Linear(setting.hidden, DENSE)
        self.out = nn.Linear(DENSE, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, 12, 1) -> (B, 1)"""
        s = self.setting
        x = measured(x, s)
        if s.length_one == "features":
            x = x.reshape(len(x), 1, LOOKBACK)
        elif s.length_one == "look_back_of_one":
            x = x[:, -1:]
        x, _ = through(self.lstm, x, None, s)
        x = torch.relu(self.linear(self.drop(cut(x[:, -1, :], s))))
        return answered(self.out(x), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = AirModel(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    X_train, y_train, _ = run.training_set()
    X_test, y_test, _ = run.held_out()
    loader = run.loader(X_train, y_train)
    model = build(task, s)
    optimizer = optimizer_for(model.parameters(), s, classes=False)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler, loss_fn, n = scheduler_for(optimizer, s), criterion(s, "numbers"), 0
    run.attach(model, optimizer)
    for _epoch in count():
        model.train()
        for number, (X_batch, y_batch) in run.batches(loader):
            X, y = spoiled(X_batch, y_batch, s, n + 1)
            y_pred, y = shaped(model(X), y, s)
            loss = loss_fn(y_pred, y) / s.accumulate
            if clears(s, number):
                optimizer.zero_grad()
            loss.backward()
            if not steps(s, number):
                continue
            n += 1
            clip(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(n):
                model.eval()
                with torch.no_grad():
                    loss_fn(model(X_test), y_test)
                model.train()
            if run.ends(n, model):
                return
