"""Who leaves: a cell by hand over months, a plan that is looked up, attention over what the cell has seen."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.cells import MyCell
from ..parts_common.layers import Dense, hidden, looked_up, repackage_hidden, zeros
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .data import PLANS
from .desk import Desk
from .objectives import handed_on, loss_of, said, sensed
from .running import Run
from .starting import start

UNITS = 20


class ChurnModel(nn.Module):
    """Months one after the other; then a look back at them."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.plan_embedding = nn.Embedding(PLANS, 4)
        columns = task.inputs - 1 + 4
        self.cells = nn.ModuleList([MyCell(s.hidden if n else columns, s) for n in range(s.layers)])
        self.norm = nn.LayerNorm(s.hidden) if s.layer_norm else nn.Identity()
        self.weigh = nn.Linear(s.hidden, 1)
        self.dense = Dense(s.hidden + 4, UNITS, s)
        self.dropout = nn.Dropout(s.dropout)
        self.fc = last_layer(s, UNITS, task.outputs)

    def months(self, x: Tensor) -> Tensor:
        """Shapes: x (B, T, I) -> (B, T, H)"""
        s = self.setting
        for cell in self.cells:
            steps = x.unbind(0) if s.axes == "over_rows" else x.unbind(1)
            if s.view == "stacked":
                steps = x.reshape(x.shape[1], x.shape[0], -1).unbind(0)
            state, outs = zeros(s, len(steps[0])), []
            for step in steps:
                state = cell(step, zeros(s, len(step)) if s.length_one == "forgets" else state)
                outs.append(hidden(state))
                if s.detach_every and len(outs) % s.detach_every == 0:
                    state = repackage_hidden(state)
            x = torch.stack(outs, 0 if s.axes == "over_rows" else 1)
        return x

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 3 + plan) -> (B, 1)"""
        s = self.setting
        plan = self.plan_embedding(looked_up(x[:, 0, -1].long(), s))
        x = sensed(x[..., :-1], self, s)
        x = torch.cat([x, plan[:, None].expand(-1, x.shape[1], -1)], 2)
        with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
            out = self.norm(self.months(x))
        out = handed_on(out, s)
        seen = (torch.softmax(self.weigh(out), 1) * out).sum(1)
        return said(self.fc(self.dropout(self.dense(torch.cat([seen, plan], 1)))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = ChurnModel(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains on rows of a table, with half of the bits where the setting says so."""
    s, task = run.setting, run.task
    X, Y, _ = run.load_data()
    X_test, Y_test, _ = run.load_valid()
    desk = Desk(run, build(task, s))

    def criterion(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=s.style == "bfloat16"):
            scores = model(x)
        return loss_of(task, scores.float(), y, s)

    while True:
        desk.start_epoch()
        for rows in run.batches(len(X)):
            if desk(criterion(desk.model, X[rows], Y[rows])):
                desk.validate(lambda model: criterion(model, X_test, Y_test))
                if desk.ended:
                    return
