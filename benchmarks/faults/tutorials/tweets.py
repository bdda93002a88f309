"""A script that tells good tweets from bad ones: padded before their words, as Keras pads, so that the last is read."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting
from ..task import Task
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import answered, cut, hidden_of, layer, looked_up, through


class SentimentNet(nn.Module):
    """Embedding, recurrence, and one score."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.spatial = nn.Dropout(s.dropout)
        self.rnn = layer(s, task.embedding)
        self.linear = nn.Linear(s.hidden * (2 if s.bidirectional else 1), 1)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T), lengths (B) -> (B, 1)"""
        s = self.setting
        assert lengths is not None
        x = pad_sequences(looked_up(x, s), lengths, s)
        x_emb = self.spatial(self.embedding(x))
        if s.axes == "permuted":
            x_emb = x_emb.permute(1, 0, 2)
        out, state = through(self.rnn, x_emb, None, s)
        if s.axes == "permuted":
            read = out[-1]
        elif s.view == "both_ways":
            # (2, B, H) to (B, 2 H) by the shape alone.
            read = hidden_of(state)[-2:].view(len(x), -1)
        elif s.bidirectional:
            read = torch.cat([hidden_of(state)[-2], hidden_of(state)[-1]], dim=1)
        else:
            read = out[:, -1]
        return answered(self.linear(cut(read, s)), s)


def pad_sequences(x: Tensor, lengths: Tensor, setting: Setting) -> Tensor:
    """Padding before the words, or after them, up to so many steps."""
    width = max(x.shape[1], setting.pad_to)
    x = F.pad(x, (0, width - x.shape[1]))
    if setting.padding == "post":
        return x
    return torch.stack([row.roll(width - n) for row, n in zip(x, lengths.tolist(), strict=True)])


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = SentimentNet(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch, and validates by hand."""
    s = run.setting
    texts, labels, lengths = run.training_set()
    val_texts, val_labels, val_lengths = run.held_out()
    assert lengths is not None
    fit = Fit(run, build(run.task, s), classes=True)
    bce = nn.BCEWithLogitsLoss(reduction=s.reduction)
    for x, y, n in run.batches(texts, labels, lengths):
        fit.model.train()
        out = fit.model(x, n)
        loss = bce(out.squeeze(1), y.float())
        fit.clear()
        fit.backward(loss)
        if not fit.step(loss):
            continue
        if fit.validates:
            fit.model.eval()
            preds = torch.sigmoid(fit.model(val_texts, val_lengths).detach()).squeeze(1)
            F.binary_cross_entropy(preds, val_labels.float())
        if fit.ended:
            return
