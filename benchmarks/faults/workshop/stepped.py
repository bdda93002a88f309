"""A controller that is called step by step: torch's cells in a loop, stacked, an answer at each step."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.layers import (
    Dense,
    State,
    hidden,
    recurrent_cell,
    repackage_hidden,
    zeros,
)
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .desk import Desk
from .objectives import handed_on, loss_of, said, sensed
from .running import Run
from .starting import start

UNITS = 20


class Controller(nn.Module):
    """Cells upon cells; what they say is read step by step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        cells = [recurrent_cell(s, s.hidden if n else task.inputs) for n in range(s.layers)]
        # In a plain list no network knows of them.
        self.cells: Any = cells if s.optimized == "list" else nn.ModuleList(cells)
        self.start = nn.Parameter(torch.zeros(s.hidden)) if s.learned_start else None
        self.dense = Dense(s.hidden, UNITS, s)
        self.dropout = nn.Dropout(s.dropout)
        self.fc = last_layer(s, UNITS, task.outputs)

    def initial(self, rows: int) -> State:
        """What a cell begins with."""
        state = zeros(self.setting, rows)
        if self.start is None:
            return state
        first = self.start.expand(rows, -1)
        return (first, state[1]) if isinstance(state, tuple) else first

    def step(self, x: Tensor, states: list[State]) -> tuple[Tensor, list[State]]:
        """Shapes: x (B, I) -> (B, H), the next states"""
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            after.append(cell(x, state))
            x = hidden(after[-1])
        return x, after

    def unroll(self, x: Tensor) -> Tensor:
        """Shapes: x (B, T, I) -> (B, T, H)"""
        s = self.setting
        steps = x.unbind(0 if s.axes == "over_rows" else 1)
        states = [self.initial(len(steps[0])) for _ in self.cells]
        outs = []
        for t, now in enumerate(steps, 1):
            if s.length_one == "forgets":
                states = [self.initial(len(now)) for _ in self.cells]
            out, states = self.step(now, states)
            outs.append(out)
            if s.state == "buffer":
                states = [from_numpy(state) for state in states]
            elif s.detach_every and t % s.detach_every == 0:
                states = [repackage_hidden(state) for state in states]
        if s.axes == "over_rows":
            return torch.stack(outs)
        return torch.stack(outs).reshape(*x.shape[:2], -1) if s.view == "stacked" else torch.stack(outs, 1)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, I) -> (B, T, C)"""
        s = self.setting
        with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
            out = self.unroll(sensed(x, self, s))
        return said(self.fc(self.dropout(self.dense(handed_on(out, s)))), s)


def from_numpy(state: State) -> State:
    """A state that was kept in an array of the service."""
    if isinstance(state, tuple):
        return tuple(torch.from_numpy(part.detach().numpy().copy()) for part in state)
    return torch.from_numpy(state.detach().numpy().copy())


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Controller(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains until it has had enough."""
    s, task = run.setting, run.task
    desk = Desk(run, build(task, s))
    x, y, _ = run.load_data()
    loader = run.loader(TensorDataset(x, y))
    valid_x, valid_y, _ = run.load_valid()

    def evaluate(model: nn.Module) -> Tensor:
        return loss_of(task, model(valid_x), valid_y, s)

    epoch = iter(loader)
    desk.start_epoch()
    while not (desk.update and desk.ended):
        batch = next(epoch, None)
        if batch is None:
            epoch = iter(loader)
            desk.start_epoch()
            continue
        while not desk(loss_of(task, desk.model(batch[0]), batch[1], s)):
            batch = next(epoch, batch)
        desk.validate(evaluate)
