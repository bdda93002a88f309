"""A script that tags words: sentences padded by hand, both directions, and a loss that leaves padding out."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..parts_common.fitting import Fit
from ..parts_common.layers import call, looked_up, passed_on, recurrent_layer
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run


class BiLSTMTagger(nn.Module):
    """Embedding, a recurrence in both directions, a score for each class at each word."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.word_embeddings = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = recurrent_layer(setting, task.embedding, both=True)
        self.dropout = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, 2 * setting.hidden, task.outputs)

    def forward(self, sentences: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: sentences (B, T), lengths (B) -> (B, T, C)"""
        s = self.setting
        assert lengths is not None
        embeds = self.dropout(self.word_embeddings(looked_up(sentences, s)))
        if s.axes == "right" and s.length_one == "no" and s.view == "none":
            packed = pack_padded_sequence(embeds, lengths, batch_first=True, enforce_sorted=False)
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
                packed, _ = self.rnn(packed)
            out, _ = pad_packed_sequence(packed, batch_first=True, total_length=sentences.shape[1])
        else:
            out, _ = call(self.rnn, embeds, None, s)
        return activated(self.fc(self.dropout(passed_on(out, s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = BiLSTMTagger(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    x, y, lengths = run.load_data()
    valid_x, valid_y, valid_lengths = run.load_valid()
    assert lengths is not None
    fit = Fit(run, build(run.task, s))
    while True:
        fit.start_epoch()
        for rows in run.batches(len(x)):
            longest = int(lengths[rows].max())
            sentences, tags = x[rows, :longest], y[rows, :longest]
            fit.zero_grad()
            tag_scores = fit.model(sentences, lengths[rows])
            loss = classification_loss(tag_scores, tags, s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: classification_loss(net(valid_x, valid_lengths), valid_y, s))
            if fit.ended:
                return
