"""A script that writes characters: an embedding, a recurrence, and a state that may go from one window to the next."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from ..parts_common.fitting import Fit
from ..parts_common.layers import State, call, looked_up, passed_on, recurrent_layer, repackage_hidden, zeros
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run
from .texts import WINDOW, characters


class CharRNN(nn.Module):
    """A score for each character that may follow."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        size = setting.hidden if setting.tied else task.embedding
        self.embedding = nn.Embedding(task.inputs, size)
        self.rnn = recurrent_layer(setting, size)
        self.norm = nn.LayerNorm(setting.hidden) if setting.layer_norm else None
        self.dropout = nn.Dropout(setting.dropout)
        self.fc: Any = last_layer(setting, setting.hidden, task.outputs)
        if setting.tied:
            self.fc.weight = self.embedding.weight

    def forward(self, x: Tensor, hidden: State = None) -> tuple[Tensor, State]:
        """Shapes: x (B, T) -> scores (B, T, C), the last state"""
        s = self.setting
        out, hidden = call(self.rnn, self.embedding(looked_up(x, s)), hidden, s)
        out = out if self.norm is None else self.norm(out)
        return activated(self.fc(self.dropout(passed_on(out, s))), s), hidden

    def init_hidden(self, rows: int) -> State:
        """Zeros."""
        return zeros(self.setting, self.setting.layers, rows)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = CharRNN(task, setting)
    init_weights(model, setting)
    return model


def get_batches(run: Run) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows (B, T) of one text and of what follows: each row goes on where its row of the window before ended."""
    s = run.setting
    text = characters(True)
    if s.samples:
        text = text[: s.samples * WINDOW + 1]
    rows = min(s.batch, (len(text) - 1) // WINDOW)
    each = (len(text) - 1) // rows
    x, y = (part[: rows * each].view(rows, each) for part in (text[:-1], text[1:]))
    for begin in range(0, each - WINDOW + 1, WINDOW):
        at = 0 if s.order == "one_batch" else begin
        yield x[:, at : at + WINDOW], y[:, at : at + WINDOW]


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    valid_x, valid_y, _ = run.load_valid()
    fit = Fit(run, build(run.task, s))
    model = fit.model
    while True:
        fit.start_epoch()
        hidden = None
        for x, y in get_batches(run):
            if hidden is None or s.state == "zero":
                # As many rows as torch asks for.
                hidden = model.init_hidden(x.shape[1] if s.axes == "no_batch_first" else len(x))
            elif s.state == "carried":
                hidden = repackage_hidden(hidden)
            elif s.state == "half":
                hidden = (hidden[0].detach(), hidden[1])
            fit.zero_grad()
            output, hidden = model(x, hidden)
            loss = classification_loss(output, y, s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: classification_loss(net(valid_x)[0], valid_y, s))
            if fit.ended:
                return
