"""A script that composes, as course projects on music do: long columns of notes, and a state that goes from one window
to the next."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .corpora import PHRASE, melody
from .criteria import activated, broken_loss, classified
from .pieces import State, detach, looked_up, recur, rnn, severed, viewed
from .running import Run
from .stepping import Stepper
from .weights import init_weights


class MusicRNN(nn.Module):
    """Embedding, recurrence, and a score for each note that may follow."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.n_layers, self.n_hidden = setting.layers, setting.hidden
        size = setting.hidden if setting.tied else task.embedding
        self.embed = nn.Embedding(task.inputs, size)
        self.rnn = rnn(setting, size, batch_first=setting.view != "viewed")
        self.norm = nn.LayerNorm(setting.hidden) if setting.layer_norm else nn.Identity()
        self.drop = nn.Dropout(setting.dropout)
        self.head: Any = last_layer(setting, setting.hidden, task.outputs)
        if setting.tied:
            self.head.weight = self.embed.weight

    def init_hidden(self, batch_size: int) -> State:
        """Zeros for h, and for c where there is one."""
        weight = next(self.parameters()).data
        h = weight.new_zeros(self.n_layers, batch_size, self.n_hidden)
        return (h, h.clone()) if self.setting.cell == "LSTM" else h

    def forward(self, notes: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Shapes: notes (B, T) -> scores (B, T, C), the last state"""
        s = self.setting
        x = self.drop(self.embed(looked_up(notes, self, s)))
        if s.length_one == "one_by_one":
            out, _ = recur(self.rnn, x.reshape(-1, 1, x.shape[-1]), None, s)
            out = out.reshape(*notes.shape, -1)
        elif s.view == "viewed":
            # (B, T, E) read as (T, B, E), and back.
            out, state = recur(self.rnn, viewed(x), state, s)
            out = viewed(out)
        else:
            out, state = recur(self.rnn, x, state, s)
        return activated(self.head(self.drop(self.norm(severed(out, s)))), s), state


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    net = MusicRNN(task, setting)
    init_weights(net, setting)
    return net


def get_batches(run: Run) -> Iterator[tuple[bool, Tensor, Tensor]]:
    """Whether the melody begins anew, then windows (B, T) of notes and of those that follow, one after the other."""
    s = run.setting
    notes = melody(True)[: (s.samples * PHRASE if s.samples else None)]
    steps = max((len(notes) - 1) // s.batch, PHRASE)
    rows = (len(notes) - 1) // steps
    arr, after = (part[: rows * steps].view(rows, steps) for part in (notes[:-1], notes[1:]))
    while True:
        for n in range(0, steps - PHRASE + 1, PHRASE):
            at = 0 if s.order == "one_batch" else n
            yield n == 0, arr[:, at : at + PHRASE], after[:, at : at + PHRASE]


def truncated(state: State, setting: Setting) -> State:
    """What is known of the windows before, rightly without what they were computed from."""
    if setting.state == "half":
        return state[0].detach(), state[1]
    return state if setting.state in ("kept", "retained") else detach(state)


def main(run: Run) -> None:
    """Trains window after window."""
    task, s = run.task, run.setting
    val_x, val_y, _ = run.held_out()
    stepper = Stepper(run, build(task, s))
    net, h = stepper.model, None
    net.train()
    for begins, x, y in get_batches(run):
        if h is None or s.state == "zero" or (begins and s.state == "carried"):
            # As many rows as torch asks for.
            h = net.init_hidden(x.shape[1] if s.axes == "batch_second" else len(x))
        else:
            h = truncated(h, s)
        stepper.zero_grad()
        output, h = net(x, h)
        loss = classified(output.reshape(-1, task.outputs), y.reshape(-1), s)
        stepper.backward(broken_loss(loss, output, s, stepper.update + 1))
        if not stepper.step(loss):
            continue
        if stepper.validates:
            net.eval()
            with torch.no_grad():
                classified(net(val_x)[0], val_y, s)
            net.train()
        if stepper.ended:
            return
