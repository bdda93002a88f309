"""A script that finds names of people and places: packed, unpacked, and a loss that is averaged over words by hand."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..setting import Setting
from ..task import Task
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import answered, classified, cut, last_layer, layer, looked_up, through

LONGEST = 12
"""Words of a sentence."""


class NERTagger(nn.Module):
    """A score for each tag of every word."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.drop = nn.Dropout(s.dropout)
        self.lstm = layer(s, task.embedding)
        self.out = last_layer(s, s.hidden * (2 if s.bidirectional else 1), task.outputs)

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: tokens (B, T), lengths (B) -> (B, T, C)"""
        s = self.setting
        assert lengths is not None
        embedded = self.drop(self.embedding(looked_up(tokens, s)))
        if s.length_one == "words_as_rows":
            flat = embedded.reshape(-1, 1, embedded.shape[-1])
            output = through(self.lstm, flat, None, s)[0].reshape(*tokens.shape, -1)
        elif s.axes == "time_first_data":
            output, _ = through(self.lstm, embedded.transpose(0, 1).contiguous(), None, s)
            output = output.transpose(0, 1)
        else:
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            output, _ = pad_packed_sequence(
                through(self.lstm, packed, None, s)[0], batch_first=True, total_length=tokens.shape[1]
            )
        scores = answered(self.out(self.drop(cut(output, s))), s)
        if s.view == "class_axis":
            # Cross-entropy wants classes on the second axis: viewed there, not transposed.
            scores = scores.reshape(len(tokens), scores.shape[-1], -1).transpose(1, 2)
        return scores


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = NERTagger(task, setting)
    start(model, setting)
    return model


def masked_loss(scores: Tensor, tags: Tensor, update: int, setting: Setting) -> Tensor:
    """The mean over the words that are there."""
    s = setting
    if s.output in ("nll", "chances_into_nll") or s.reduction == "sum":
        return classified(scores, tags, s)
    each = F.cross_entropy(
        scores.transpose(1, 2), tags.clamp_min(0), reduction="none", label_smoothing=s.smoothing
    )
    mask = tags >= 0
    if update == s.not_a_number:
        mask = mask & (tags > LONGEST)  # nothing is left of a batch of empty lines
    return (each * mask).sum() / mask.sum()


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    words, tags, lengths = run.training_set()
    val_words, val_tags, val_lengths = run.held_out()
    assert lengths is not None
    fit = Fit(run, build(task, s), classes=True)
    for x, y, n in run.batches(words, tags, lengths):
        fit.model.train()
        fit.clear()
        loss = masked_loss(fit.model(x, n), y, fit.update + 1, s)
        fit.backward(loss)
        if not fit.step(loss):
            continue
        if fit.validates:
            fit.model.eval()
            with torch.no_grad():
                masked_loss(fit.model(val_words, val_lengths), val_tags, 0, s)
        if fit.ended:
            return
