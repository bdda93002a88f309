"""A script that follows a battery minute by minute: cells in a loop over time, a number at each step."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.fitting import Fit
from ..parts_common.layers import State, hidden, passed_on, readings, recurrent_cell, repackage_hidden, zeros
from ..parts_common.losses import activated, last_layer, regression_loss
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run


class Sequence(nn.Module):
    """Cells on top of each other, and a linear layer at each step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        cells = [recurrent_cell(setting, setting.hidden if n else task.inputs) for n in range(setting.layers)]
        # What is in a plain list is no part of the network.
        self.cells: Any = cells if setting.optimized == "list" else nn.ModuleList(cells)
        self.dropout = nn.Dropout(setting.dropout)
        self.norm = nn.LayerNorm(setting.hidden) if setting.layer_norm else None
        self.h0 = nn.Parameter(torch.zeros(setting.hidden)) if setting.learned_start else None
        self.fc = last_layer(setting, setting.hidden, task.outputs)

    def start(self, rows: int) -> State:
        """The first state of a cell."""
        state = zeros(self.setting, rows)
        if self.h0 is None:
            return state
        h = self.h0.expand(rows, -1)
        return (h, state[1]) if isinstance(state, tuple) else h

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 2) -> (B, T, 1)"""
        s = self.setting
        x = readings(x, self, s)
        if s.view == "viewed":
            steps = x.contiguous().view(x.shape[1], x.shape[0], -1).unbind(0)
        else:
            # Over the rows, where time is taken to be first.
            steps = x.unbind(0 if s.axes == "rows" else 1)
        states = [self.start(len(steps[0])) for _ in range(s.layers)]
        outputs = []
        for x_t in steps:
            if s.length_one == "forgets":
                states = [self.start(len(x_t)) for _ in range(s.layers)]
            h = x_t
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
                for n, cell in enumerate(self.cells):
                    states[n] = cell(h, states[n])
                    h = hidden(states[n])
            out = passed_on(h, s)
            out = out if self.norm is None else self.norm(out)
            outputs.append(activated(self.fc(self.dropout(out)), s))
            if s.detach_every and len(outputs) % s.detach_every == 0:
                states = [repackage_hidden(state) for state in states]
        if s.view == "viewed":
            return torch.stack(outputs).view(len(x), x.shape[1], -1)
        return torch.stack(outputs, dim=0 if s.axes == "rows" else 1)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Sequence(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    inputs, volts, _ = run.load_data()
    test_inputs, test_volts, _ = run.load_valid()
    fit = Fit(run, build(run.task, s))
    while True:
        fit.start_epoch()
        for rows in run.batches(len(inputs)):
            fit.zero_grad()
            out = fit.model(inputs[rows])
            loss = regression_loss(out, volts[rows], s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: regression_loss(net(test_inputs), test_volts, s))
            if fit.ended:
                return
