"""A script that learns in which order two marks came, with a cell from scratch: matrices, biases, a loop over time."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.cells import MyCell
from ..parts_common.fitting import Fit
from ..parts_common.layers import hidden, passed_on, readings, repackage_hidden, zeros
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run


class MyRNN(nn.Module):
    """Cells in a loop, the last state, a linear layer."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        cells = [MyCell(setting.hidden if n else task.inputs, setting) for n in range(setting.layers)]
        # What is in a plain list is no part of the network.
        self.cells: Any = cells if setting.optimized == "list" else nn.ModuleList(cells)
        self.dropout = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 6) -> (B, C)"""
        s = self.setting
        x = readings(x, self, s)
        if s.view == "viewed":
            x = x.contiguous().view(x.shape[1], x.shape[0], -1).transpose(0, 1)
        by_rows = s.axes == "rows"
        seq_len, batch = (len(x), x.shape[1]) if by_rows else (x.shape[1], len(x))
        states = [zeros(s, batch) for _ in self.cells]
        outputs = []
        for t in range(seq_len):
            if s.length_one == "forgets":
                states = [zeros(s, batch) for _ in self.cells]
            inp = x[t] if by_rows else x[:, t]
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
                for n, cell in enumerate(self.cells):
                    states[n] = cell(inp, states[n])
                    inp = hidden(states[n])
            outputs.append(inp)
            if s.detach_every and (t + 1) % s.detach_every == 0 and t + 1 < seq_len:
                states = [repackage_hidden(state) for state in states]
        last = torch.stack(outputs)[:, -1] if by_rows else outputs[-1]
        return activated(self.fc(self.dropout(passed_on(last, s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = MyRNN(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains batch after batch."""
    s = run.setting
    x, y, _ = run.load_data()
    valid_x, valid_y, _ = run.load_valid()
    fit = Fit(run, build(run.task, s))
    while True:
        fit.start_epoch()
        for rows in run.batches(len(x)):
            fit.zero_grad()
            output = fit.model(x[rows])
            loss = classification_loss(output, y[rows], s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: classification_loss(net(valid_x), valid_y, s))
            if fit.ended:
                return
