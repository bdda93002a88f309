"""Scripts that unroll a cell by hand, torch's or one from scratch, and read it at the end or at every step."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.cells import MyCell
from ..parts_common.fitting import Fit
from ..parts_common.layers import State, hidden, passed_on, readings, recurrent_cell, repackage_hidden, zeros
from ..parts_common.losses import activated, classification_loss, last_layer, regression_loss
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .planting import SCRATCH
from .running import Run
from .training import train_loop


class Unrolled(nn.Module):
    """Cells in a loop over time, and a linear layer."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.every = setting, task.read == "every"
        make: Any = (lambda s, n: MyCell(n, s)) if task.name in SCRATCH else recurrent_cell
        cells = [make(setting, setting.hidden if n else task.inputs) for n in range(setting.layers)]
        # What is in a plain list is no part of the network.
        self.cells: Any = cells if setting.optimized == "list" else nn.ModuleList(cells)
        self.h0 = nn.Parameter(torch.zeros(setting.hidden)) if setting.learned_start else None
        self.drop = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden, task.outputs)

    def init_hidden(self, rows: int) -> list[State]:
        """Of all cells."""
        states = [zeros(self.setting, rows) for _ in self.cells]
        if self.h0 is not None:
            h = self.h0.expand(rows, -1)
            states[0] = (h, states[0][1]) if isinstance(states[0], tuple) else h
        return states

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, I) -> (B, C), or (B, T, C)"""
        s = self.setting
        x = readings(x, self, s)
        if s.view == "viewed":
            # (T, B, I) by its sizes alone.
            x = x.contiguous().view(x.shape[1], x.shape[0], -1).transpose(0, 1)
        time = 0 if s.axes == "rows" else 1
        steps = x.unbind(time)
        states, outputs = self.init_hidden(len(steps[0])), []
        for t, h in enumerate(steps, 1):
            if s.length_one == "forgets":
                states = self.init_hidden(len(h))
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
                for n, cell in enumerate(self.cells):
                    states[n] = cell(h, states[n])
                    h = hidden(states[n])  # noqa: PLW2901
            outputs.append(h)
            if s.detach_every and t % s.detach_every == 0 and t < len(steps):
                states = [repackage_hidden(state) for state in states]
        out = torch.stack(outputs, dim=time)
        out = passed_on(out if self.every else out[:, -1], s)
        return activated(self.fc(self.drop(out)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Unrolled(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains on slices of arrays."""
    s = run.setting
    loss_fn = classification_loss if run.task.classes else regression_loss
    x, y, _ = run.load_data()

    def epoch() -> Any:
        return ((x[rows], y[rows]) for rows in run.batches(len(x)))

    train_loop(
        Fit(run, build(run.task, s)), epoch, lambda net, a, b: loss_fn(net(a), b, s), run.load_valid()[:2]
    )
