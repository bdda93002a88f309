"""A script that reads digits row by row: the first lesson on recurrences after that on images."""

from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import answered, classified, cut, dropped, given, last_layer, layer, through


class RNN(nn.Module):
    """Rows in, the last output through a linear layer out."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.hidden_size, self.num_layers = s.hidden, s.layers
        self.ways = 2 if s.bidirectional else 1
        self.lstm = layer(s, task.inputs)
        self.norm = nn.LayerNorm(s.hidden * self.ways) if s.layer_norm else nn.Identity()
        self.fc = last_layer(s, s.hidden * self.ways, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, 8, 8) -> (B, C)"""
        s = self.setting
        x = given(x, s)
        rows = x.size(1) if s.axes == "forgotten" else x.size(0)
        h0 = torch.zeros(self.num_layers * self.ways, rows, self.hidden_size)
        state = (h0, torch.zeros_like(h0)) if s.cell == "LSTM" else h0
        out, last = through(self.lstm, x, state, s)
        if s.view == "all_layers":
            h = last[0] if isinstance(last, tuple) else last
            read = h.view(x.size(0), -1)[:, : s.hidden * self.ways]
        elif self.ways == 2:
            read = torch.cat([out[:, -1, : s.hidden], out[:, 0, s.hidden :]], dim=1)
        else:
            read = out[:, -1, :]
        return answered(self.fc(dropped(self.norm(cut(read, s)), self, s)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = RNN(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    images, labels, _ = run.training_set()
    test_images, test_labels, _ = run.held_out()
    fit = Fit(run, build(task, s), classes=True)
    batches = run.batches(images, labels)
    for _ in count():
        x, y = next(batches)
        outputs = fit.model(x.reshape(-1, 8, 8))
        loss = classified(outputs, y, s)
        fit.clear()
        fit.backward(loss)
        if not fit.step(loss):
            continue
        if fit.validates:
            fit.model.eval()
            with torch.no_grad():
                classified(fit.model(test_images), test_labels, s).item()
            fit.model.train()
        if fit.ended:
            return
