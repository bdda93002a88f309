"""A script for the adding problem: a recurrence, its last state, and a squared error."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start
from .wiring import answered, criterion, cut, hidden_of, layer, measured, shaped, spoiled, through, viewed


class AddingModel(nn.Module):
    """Numbers and marks in, the sum of those marked out."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.rnn = layer(setting, task.inputs)
        self.drop = nn.Dropout(setting.dropout)
        self.linear = nn.Linear(setting.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 2) -> (B, 1)"""
        s = self.setting
        x = measured(x, s)
        if s.view == "input":
            x = viewed(x)
        output, state = through(self.rnn, x, None, s)
        # Without `batch_first` the last state is one of places; its last output still has as many rows as the batch.
        last = output[:, -1] if s.axes == "batch_first_missing" else hidden_of(state)[-1]
        return answered(self.linear(self.drop(cut(last, s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = AddingModel(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains on batches of a set that was drawn before."""
    task, s = run.task, run.setting
    X, Y, _ = run.training_set()
    val_X, val_Y, _ = run.held_out()
    loader = run.loader(X, Y)
    model = build(task, s)
    optimizer = optimizer_for(model.parameters(), s, classes=False)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler, mse, step = scheduler_for(optimizer, s), criterion(s, "numbers"), 0
    run.attach(model, optimizer)
    while True:
        model.train()
        for number, (x, y) in run.batches(loader):
            x, y = spoiled(x, y, s, step + 1)  # noqa: PLW2901 - as it is planted
            if clears(s, number):
                optimizer.zero_grad()
            output = model(x)
            if s.shapes == "hand_target_flat":
                loss = ((output - y.squeeze(-1)) ** 2).mean()
            elif s.broken == "masked_target":
                loss = torch.nanmean((output - y) ** 2)
            else:
                loss = mse(*shaped(output, y, s))
            (loss / s.accumulate).backward()
            if not steps(s, number):
                continue
            step += 1
            clip(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(step):
                model.eval()
                with torch.no_grad():
                    mse(model(val_X), val_Y).item()
                model.train()
            if run.ends(step, model):
                return
