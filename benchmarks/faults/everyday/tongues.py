"""A script that tells languages apart: both directions over letters, and the last state of each."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import call, hidden, looked_up, passed_on, recurrent_layer
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run


class LanguageNet(nn.Module):
    """Embedding, a recurrence in both directions, a linear layer over both ends."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = recurrent_layer(setting, task.embedding, both=True)
        self.dropout = nn.Dropout(setting.dropout)
        self.norm = nn.LayerNorm(2 * setting.hidden) if setting.layer_norm else None
        self.fc = last_layer(setting, 2 * setting.hidden, task.outputs)

    def forward(self, letters: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: letters (B, T) -> (B, C)"""
        s = self.setting
        output, state = call(self.rnn, self.dropout(self.embedding(looked_up(letters, s))), None, s)
        h_n = hidden(state)
        if s.axes in ("no_batch_first", "permuted") or s.length_one == "one_by_one":
            h = output[:, -1]
        elif s.pooling == "mean":
            h = output.mean(dim=1)
        elif s.view == "ends":
            # (2, B, H) to (B, 2 * H), by the shape alone.
            h = h_n[-2:].contiguous().view(len(letters), -1)
        else:
            h = torch.cat((h_n[-2], h_n[-1]), dim=1)
        h = passed_on(h, s)
        h = h if self.norm is None else self.norm(h)
        return activated(self.fc(self.dropout(h)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = LanguageNet(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    x, y, _ = run.load_data()
    valid_x, valid_y, _ = run.load_valid()
    loader = run.loader(TensorDataset(x, y))
    fit = Fit(run, build(run.task, s))
    while True:
        fit.start_epoch()
        for letters, languages in loader:
            fit.zero_grad()
            scores = fit.model(letters)
            loss = classification_loss(scores, languages, s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: classification_loss(net(valid_x), valid_y, s))
            if fit.ended:
                return
