"""A forecasting job: windows of readings, one recurrence, functions all the way, batches cut by hand."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from ..parts_common.layers import Dense, call, recurrent_layer
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .desk import Desk
from .objectives import handed_on, loss_of, said, sensed
from .running import Run
from .starting import start

UNITS = 24


class WindowModel(nn.Module):
    """Readings (B, T, I) in, a number, a mean with its variance, or scores out."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        recurrence = recurrent_layer(s, task.inputs)
        # In a plain list no network knows of it.
        self.rnn: Any = [recurrence] if s.optimized == "list" else nn.ModuleList([recurrence])
        self.norm = nn.LayerNorm(s.hidden) if s.layer_norm else nn.Identity()
        self.dense = Dense(s.hidden, UNITS, s)
        self.dropout = nn.Dropout(s.dropout)
        self.likely = task.name == "demand"
        self.fc = last_layer(s, UNITS, 2 if self.likely else task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Any:
        """Shapes: x (B, T, I) -> (B, C), or twice (B, 1)"""
        s = self.setting
        x = sensed(x, self, s)
        if s.length_one == "newest":
            x = x[:, -1:]
        out, _ = call(self.rnn[0], x, None, s)
        last = out.mean(1) if s.pooling == "mean" else out[:, -1]
        out = self.fc(self.dropout(self.dense(handed_on(self.norm(last), s))))
        if self.likely:
            return said(out[:, :1], s), out[:, 1:]
        return said(out, s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = WindowModel(task, setting)
    start(model, setting)
    return model


def minibatches(run: Run, desk: Desk) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows and what follows them, without end."""
    x, y, _ = run.load_data()
    while True:
        desk.start_epoch()
        for rows in run.batches(len(x)):
            yield x[rows], y[rows]


def train_step(desk: Desk, task: Task, x: Tensor, y: Tensor) -> bool:
    """Whether the weights were moved."""
    s = desk.setting

    def forward() -> Tensor:
        return loss_of(task, desk.model(x), y, s)

    return desk.ask(forward) if s.style == "closure" else desk(forward())


def main(run: Run) -> None:
    """Trains until it has had enough."""
    desk = Desk(run, build(run.task, run.setting))
    x, y, _ = run.load_valid()
    for batch in minibatches(run, desk):
        if not train_step(desk, run.task, *batch):
            continue
        desk.validate(lambda model: loss_of(run.task, model(x), y, run.setting))
        if desk.ended:
            return
