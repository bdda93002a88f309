"""A script that classifies what sensors read: layers with a first state of zeros, and the last output."""

from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import DENSE, start
from .wiring import (
    State,
    answered,
    criterion,
    cut,
    hidden_of,
    last_layer,
    layer,
    measured,
    spoiled,
    through,
    viewed,
)

STEPS = 8


class RNN(nn.Module):
    """Many to one."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.hidden_size, self.num_layers = setting.hidden, setting.layers
        flat = setting.length_one == "features"
        self.lstm = layer(setting, task.inputs * (STEPS if flat else 1))
        self.dropout = nn.Dropout(setting.dropout)
        self.dense = nn.Linear(setting.hidden, DENSE)
        self.fc = last_layer(setting, DENSE, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, 8, 3) -> (B, C)"""
        s = self.setting
        x = measured(x, s)
        if s.length_one == "features":
            x = x.reshape(len(x), 1, -1)
        if s.view == "input":
            x = viewed(x)
        h0 = torch.zeros(self.num_layers, x.size(0 if self.lstm.batch_first else 1), self.hidden_size)
        state: State = (h0, h0.clone()) if s.cell == "LSTM" else h0
        out, state = through(self.lstm, x, state, s)
        last = out[-1] if s.view == "input" else out[:, -1, :]
        if s.view == "final_state":
            last = hidden_of(state).view(len(x), -1)[:, : s.hidden]
        return answered(self.fc(torch.relu(self.dense(self.dropout(cut(last, s))))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = RNN(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    readings, labels, _ = run.training_set()
    test_readings, test_labels, _ = run.held_out()
    train_loader = run.loader(readings, labels)
    model = build(task, s)
    loss_fn = criterion(s)
    optimizer = optimizer_for(model.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler, update = scheduler_for(optimizer, s), 0
    run.attach(model, optimizer)
    for _epoch in count():
        for i, (images, targets) in run.batches(train_loader):
            model.train()
            x, y = spoiled(images, targets, s, update + 1)
            outputs = model(x)
            loss = loss_fn(outputs, y) / s.accumulate
            if clears(s, i):
                optimizer.zero_grad()
            loss.backward()
            if not steps(s, i):
                continue
            update += 1
            clip(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(update):
                model.eval()
                with torch.no_grad():
                    loss_fn(model(test_readings), test_labels).item()
            if run.ends(update, model):
                return
