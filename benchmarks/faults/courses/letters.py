"""The assignment of the letter after: a text in rows that go on from batch to batch, as a state may too."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from ..parts_common.fitting import Fit
from ..parts_common.layers import State, call, looked_up, passed_on, recurrent_layer, repackage_hidden, zeros
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .data import BPTT, text
from .running import Run
from .training import train_loop


class LetterRNN(nn.Module):
    """A score for each letter that may follow."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        size = setting.hidden if setting.tied else task.embedding
        self.embedding = nn.Embedding(task.inputs, size)
        self.rnn = recurrent_layer(setting, size)
        self.norm = nn.LayerNorm(setting.hidden) if setting.layer_norm else None
        self.drop = nn.Dropout(setting.dropout)
        self.fc: Any = last_layer(setting, setting.hidden, task.outputs)
        if setting.tied:
            self.fc.weight = self.embedding.weight

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Shapes: x (B, T) -> scores (B, T, C), the last state"""
        s = self.setting
        out, state = call(self.rnn, self.embedding(looked_up(x, s)), state, s)
        out = out if self.norm is None else self.norm(out)
        return activated(self.fc(self.drop(passed_on(out, s))), s), state


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = LetterRNN(task, setting)
    init_weights(model, setting)
    return model


def batchify(run: Run) -> Iterator[tuple[Tensor, Tensor]]:
    """An epoch of pieces (B, T), and of what follows each letter."""
    s = run.setting
    codes = text(True)[: s.samples * BPTT + 1 if s.samples else None]
    rows = min(s.batch, (len(codes) - 1) // BPTT)
    steps = (len(codes) - 1) // rows
    x, y = (part[: rows * steps].view(rows, steps) for part in (codes[:-1], codes[1:]))
    for i in range(0, steps - BPTT + 1, BPTT):
        begin = 0 if s.order == "one_batch" else i
        yield x[:, begin : begin + BPTT], y[:, begin : begin + BPTT]


def main(run: Run) -> None:
    """Trains, with a new state at the start of each epoch."""
    s = run.setting
    valid_x, valid_y, _ = run.load_valid()
    state: State = None

    def epoch() -> Iterator[tuple[Tensor, Tensor]]:
        nonlocal state
        state = None
        return batchify(run)

    def loss_fn(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        nonlocal state
        if not net.training:
            return classification_loss(net(x)[0], y, s)
        if state is None or s.state == "zero":
            # As many rows as torch asks for.
            state = zeros(s, s.layers, x.shape[1] if s.axes == "no_batch_first" else len(x))
        elif s.state == "carried":
            state = repackage_hidden(state)
        elif s.state == "half":
            state = (state[0].detach(), state[1])
        scores, state = net(x, state)
        return classification_loss(scores, y, s)

    train_loop(Fit(run, build(run.task, s)), epoch, loss_fn, (valid_x, valid_y))
