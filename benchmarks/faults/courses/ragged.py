"""Scripts that read rows of different length: an embedding, packing, the last state of each row."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from ..parts_common.fitting import Fit
from ..parts_common.layers import call, hidden, looked_up, passed_on, recurrent_layer
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run
from .training import train_loop


class RaggedNet(nn.Module):
    """Embedding, recurrence, a score for each class."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = recurrent_layer(setting, task.embedding)
        self.drop = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden * (1 + setting.bidirectional), task.outputs)

    def encode(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Shapes: embedded (B, T, E) -> (B, D * H)"""
        s = self.setting
        if s.padding == "packed" and s.length_one == "no" and s.axes == "right":
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
                h = hidden(self.rnn(packed)[1])
            if s.view == "ends":
                # (2, B, H) to (B, 2 * H), by the shape alone.
                return h[-2:].contiguous().view(len(embedded), -1)
            return torch.cat([h[-2], h[-1]], dim=1) if s.bidirectional else h[-1]
        out, state = call(self.rnn, embedded, None, s)
        if s.padding == "last_state":
            return hidden(state)[-1]
        return out[:, -1] if s.padding == "last_output" else out[torch.arange(len(out)), lengths - 1]

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: tokens (B, T), lengths (B) -> (B, C)"""
        s = self.setting
        assert lengths is not None
        tokens = looked_up(nn.functional.pad(tokens, (0, max(0, s.pad_to - tokens.shape[1]))), s)
        h = passed_on(self.encode(self.drop(self.embedding(tokens)), lengths), s)
        return activated(self.fc(self.drop(h)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = RaggedNet(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains on batches that are cut to their longest row."""
    s = run.setting
    x, y, lengths = run.load_data()
    assert lengths is not None

    def epoch() -> Any:
        for rows in run.batches(len(x)):
            lens = lengths[rows]
            yield x[rows, : int(lens.max())], y[rows], lens

    def loss_fn(net: nn.Module, tokens: Tensor, labels: Tensor, lens: Tensor) -> Tensor:
        return classification_loss(net(tokens, lens), labels, s)

    train_loop(Fit(run, build(run.task, s)), epoch, loss_fn, run.load_valid())
