"""A script that finds faults of a sensor: a convolution, a recurrence, a dense layer; its step is a closure."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..parts_common.layers import Dense
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .criteria import activated, broken_batch, broken_loss, classified
from .pieces import measured, recur, rnn, severed
from .running import Run
from .stepping import Stepper
from .weights import init_weights

CHANNELS, UNITS = 14, 22


class ConvRNN(nn.Module):
    """Readings (B, T, sensors) in, a score for each fault out."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.conv = nn.Conv1d(task.inputs, CHANNELS, kernel_size=3, padding=1)
        self.norm = nn.LayerNorm(CHANNELS) if s.layer_norm else nn.Identity()
        # In a list, no network knows of it.
        recurrence = rnn(s, CHANNELS)
        self.rnn: Any = [recurrence] if s.optimized == "list" else nn.ModuleList([recurrence])
        self.dense = Dense(s.hidden, UNITS, s)
        self.dropout = nn.Dropout(s.dropout)
        self.head = last_layer(s, UNITS, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 4) -> (B, C)"""
        s = self.setting
        x = measured(x, self, s)
        found = F.relu(self.conv(x.transpose(1, 2)))
        # (B, C, T) to (B, T, C); by the shape alone, if it is viewed.
        viewed = found.reshape(len(x), -1, CHANNELS)
        steps = self.norm(viewed if s.view == "viewed" else found.transpose(1, 2))
        if s.length_one == "last_alone":
            steps = steps[:, -1:]
        elif s.axes == "permuted":
            steps = steps.transpose(0, 1)
        out, _ = recur(self.rnn[0], steps, None, s)
        if s.axes == "permuted":
            out = out.transpose(0, 1)
        last = out.mean(1) if s.pooling == "mean" else out[:, -1]
        return activated(self.head(self.dropout(self.dense(severed(last, s)))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = ConvRNN(task, setting)
    init_weights(model, setting)
    return model


def make_train_step(stepper: Stepper) -> Callable[[Tensor, Tensor], bool]:
    """A function that trains on a batch; whether that was an update."""

    def train_step(x: Tensor, y: Tensor) -> bool:
        s, update = stepper.setting, stepper.update + 1
        stepper.model.train()
        x, _ = broken_batch(x, y, s, update)
        scores = stepper.model(x)
        loss = broken_loss(classified(scores, y, s), scores, s, update)
        stepper.zero_grad()
        stepper.backward(loss)
        return stepper.step(loss)

    return train_step


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    x, y, _ = run.training_set()
    held_x, held_y, _ = run.held_out()
    stepper = Stepper(run, build(run.task, s))
    train_step = make_train_step(stepper)
    loader = run.loader(torch.utils.data.TensorDataset(x, y))
    while True:
        for xs, ys in loader:
            if not train_step(xs, ys):
                continue
            if stepper.validates:
                stepper.model.eval()
                with torch.no_grad():
                    classified(stepper.model(held_x), held_y, s).item()
            if stepper.ended:
                return
