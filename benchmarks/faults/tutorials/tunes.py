"""A script that goes on with a tune, time first: the network keeps its own state from bar to bar."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from . import data
from .data import BAR
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import State, answered, classified, cut, detached, dropped, last_layer, layer, looked_up, through


class RNNModel(nn.Module):
    """Encoder, recurrence, decoder; encoder and decoder may share their weights."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        size = s.hidden if s.tied else task.embedding
        self.embedding = nn.Embedding(task.inputs, size)
        self.rnn = layer(s, size, batch_first=s.axes == "batch_first_wrong")
        self.out: Any = last_layer(s, s.hidden, task.outputs)
        if s.tied:
            self.out.weight = self.embedding.weight
        self.hidden: State = None

    def init_hidden(self, rows: int) -> State:
        """Zeros, as many as the weights are wide."""
        weight = next(self.rnn.parameters())
        h = weight.new_zeros(self.setting.layers, rows, self.setting.hidden)
        return (h, h.clone()) if self.setting.cell == "LSTM" else h

    def repackage(self) -> State:
        """What is known of the bars before, rightly without their graph."""
        s = self.setting
        if s.state == "carried":
            return detached(self.hidden)
        if s.state == "cell_kept":
            return self.hidden[0].detach(), self.hidden[1]
        return self.hidden

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Shapes: x (T, B) -> (T, B, C), the last state"""
        s = self.setting
        emb = dropped(self.embedding(looked_up(x, s)), self, s)
        if s.length_one == "single_notes":
            # (T, B) became (1, T * B): no note has one before it.
            out, _ = through(self.rnn, emb.view(1, -1, emb.shape[-1]), None, s)
            out = out.view(*x.shape, -1)
        else:
            out, state = through(self.rnn, emb, state, s)
        return answered(self.out(dropped(cut(out, s), self, s)), s), state


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = RNNModel(task, setting)
    start(model, setting)
    return model


def batchify(notes: Tensor, rows: int) -> Tensor:
    """Columns of the tune, side by side: (T, B)."""
    steps = len(notes) // rows
    return notes[: steps * rows].view(rows, steps).t().contiguous()


def bars(run: Run) -> Iterator[tuple[bool, Tensor, Tensor]]:
    """Whether the tune begins anew, then notes (T, B) and those that follow."""
    s = run.setting
    notes = data.tunes(True)
    if s.samples:
        notes = notes[: s.samples * BAR]
    source = batchify(notes, s.batch)
    while True:
        for i in range(0, max(1, len(source) - 1 - BAR), BAR):
            i = 0 if s.order == "one_batch" else i  # noqa: PLW2901 - as it is planted
            bar, target = source[i : i + BAR], source[i + 1 : i + 1 + BAR]
            yield i == 0, bar[: len(target)], target


def main(run: Run) -> None:
    """Trains on bars in their order."""
    task, s = run.task, run.setting
    held_x, held_y, _ = run.held_out()
    fit = Fit(run, build(task, s), classes=True)
    model = fit.model
    model.train()
    for begins, x, y in bars(run):
        if s.state == "zero" or (begins and s.state == "carried") or model.hidden is None:
            # As many as torch asks for.
            model.hidden = model.init_hidden(x.shape[0 if s.axes == "batch_first_wrong" else 1])
        else:
            model.hidden = model.repackage()
        fit.clear()
        output, model.hidden = model(x, model.hidden)
        if s.view == "other_order":
            # (T, B, C) beside targets of (B, T).
            output, y = output.reshape(-1, task.outputs), y.t().reshape(-1)  # noqa: PLW2901
        loss = classified(output, y, s)
        fit.backward(loss)
        if not fit.step(loss):
            continue
        if fit.validates:
            model.eval()
            with torch.no_grad():
                classified(model(held_x.t())[0], held_y.t(), s)
            model.train()
        if fit.ended:
            return
