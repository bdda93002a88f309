"""A model of a log: what comes next in a stream that is read in parallel, time first, its state handed on."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..networks import LAYERS
from ..parts_common.layers import State, looked_up, repackage_hidden
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .desk import Desk
from .objectives import handed_on, loss_of, said
from .running import Run
from .starting import start


class LogModel(nn.Module):
    """An embedding, a recurrence over (T, B, E), a last layer that may share its weights."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        size = s.hidden if s.tied else task.embedding
        relu = {"nonlinearity": "relu"} if s.relu_bias is not None and s.cell == "RNN" else {}
        self.embedding = nn.Embedding(task.inputs, size)
        self.rnn = LAYERS[s.cell](
            size, s.hidden, s.layers, dropout=s.dropout if s.layers > 1 else 0.0, **relu
        )
        self.dropout = nn.Dropout(s.dropout)
        self.fc = last_layer(s, s.hidden, task.outputs)
        if s.tied:
            nn.init.normal_(self.embedding.weight, 0.0, s.hidden**-0.5)
            self.fc.weight = self.embedding.weight

    def forward(
        self, codes: Tensor, lengths: Tensor | None = None, state: State = None
    ) -> tuple[Tensor, State]:
        """Shapes: codes (B, T) -> (B, T, C), a state"""
        s = self.setting
        embedded = self.embedding(looked_up(codes, s))
        if s.length_one == "one_by_one":
            out, state = self.rnn(embedded.reshape(1, -1, embedded.shape[-1]))
            return said(self.fc(self.dropout(out)).reshape(*codes.shape, -1), s), None
        if s.view == "viewed":
            steps = embedded.reshape(codes.shape[1], len(codes), -1)
        else:
            steps = embedded if s.axes == "not_transposed" else embedded.transpose(0, 1)
        with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
            out, state = self.rnn(steps, state)
        out = self.fc(self.dropout(handed_on(out, s)))
        if s.view == "viewed":
            return said(out.reshape(*codes.shape, -1), s), state
        return said(out if s.axes == "not_transposed" else out.transpose(0, 1), s), state


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = LogModel(task, setting)
    start(model, setting)
    return model


def kept(state: State, setting: Setting) -> State:
    """What the next window begins with."""
    if setting.state == "zero":
        return None
    if setting.state == "carried":
        return repackage_hidden(state)
    if setting.state == "cell_kept" and isinstance(state, tuple):
        return state[0].detach(), state[1]
    return tuple(part.clone() for part in state) if isinstance(state, tuple) else state.clone()


def windows(run: Run) -> Iterator[Tensor]:
    """Rows of an epoch; where a state is carried, each stream goes on where it was."""
    s = run.setting
    n = s.samples or run.samples
    if s.state == "zero":
        yield from run.batches(n)
    else:
        yield from torch.arange(n - n % s.batch).view(s.batch, -1).t()


def main(run: Run) -> None:
    """Trains until it has had enough."""
    s, task = run.setting, run.task
    desk = Desk(run, build(task, s))
    x, y, _ = run.load_data()
    x_valid, y_valid, _ = run.load_valid()
    while True:
        desk.start_epoch()
        state: State = None
        for rows in windows(run):
            scores, state = desk.model(x[rows], state=state)
            moved = desk(loss_of(task, scores, y[rows], s))
            state = kept(state, s)
            if moved:
                desk.validate(lambda model: loss_of(task, model(x_valid)[0], y_valid, s))
                if desk.ended:
                    return
