"""A script that finds names in reports, after torch's tutorial on sequence models: a tagger, `model.zero_grad()`."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from ..setting import Setting
from ..task import Batch, Task
from .optimizing import bound, clear, optimizer_for, scheduler_for
from .running import Run
from .starting import start
from .wiring import answered, criterion, cut, layer, looked_up, read, unlabelled


class LSTMTagger(nn.Module):
    """A score for every tag of each word. In one direction no word sees the padding behind it, in both it is packed."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.word_embeddings = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.drop = nn.Dropout(setting.dropout)
        self.lstm = layer(setting, task.embedding)
        self.hidden2tag = nn.Linear(setting.hidden * (2 if setting.bidirectional else 1), task.outputs)

    def forward(self, sentence: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: sentence (B, T) -> (B, T, C)"""
        s = self.setting
        embeds = self.drop(self.word_embeddings(looked_up(sentence, s)))
        if s.bidirectional:
            packed = pack_padded_sequence(embeds, lengths, batch_first=True, enforce_sorted=False)  # type: ignore[arg-type]
            packed, _ = read(self.lstm, packed, None, s)
            lstm_out, _ = pad_packed_sequence(packed, batch_first=True, total_length=sentence.shape[1])
        else:
            lstm_out, _ = read(self.lstm, embeds, None, s)
        if s.view == "emissions":
            # Scores of all words, put back in the order of another axis.
            scores = self.hidden2tag(cut(lstm_out, s)).transpose(0, 1)
            return answered(scores.reshape(*sentence.shape, -1), s)
        return answered(self.hidden2tag(cut(lstm_out, s)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = LSTMTagger(task, setting)
    start(model, setting)
    return model


def prepare(data: Batch, rows: Tensor, setting: Setting) -> Batch:
    """Sentences and tags of some rows, padded to the longest."""
    x, y, lengths = data
    assert lengths is not None
    mine = lengths[rows]
    first = setting.axes != "pad_sequence"  # it is False if nothing is said
    words = [x[row, :n] for row, n in zip(rows.tolist(), mine.tolist(), strict=True)]
    tags = [y[row, :n] for row, n in zip(rows.tolist(), mine.tolist(), strict=True)]
    return (
        pad_sequence(words, batch_first=first),
        pad_sequence(tags, batch_first=first, padding_value=-100),
        mine,
    )


def masked_mean(scores: Tensor, tags: Tensor) -> Tensor:
    """What CrossEntropyLoss does, by hand: without a single tag it is nothing divided by nothing."""
    there = (tags >= 0).float()
    losses = F.cross_entropy(scores, tags.clamp(min=0), reduction="none")
    return (losses * there).sum() / there.sum()


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    training_data, order, update = run.training_set(), run.generator(1), 0
    val_words, val_tags, val_lengths = run.held_out()
    model = build(task, s)
    loss_function = criterion(s)
    optimizer = optimizer_for(model.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler = scheduler_for(optimizer, s)
    run.attach(model, optimizer)
    while True:
        for number, rows in enumerate(run.epoch(len(training_data[0]), order)):
            update += 1
            clear(model, model, s, first=number == 0)
            sentences, tags, lengths = prepare(training_data, rows, s)
            tag_scores = model(sentences, lengths)
            targets = unlabelled(tags.reshape(-1), s, update)
            compare = masked_mean if s.broken == "unlabelled" else loss_function
            loss = compare(tag_scores.reshape(-1, task.outputs), targets)
            loss.backward()
            bound(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(update):
                model.eval()
                with torch.no_grad():
                    scores = model(val_words, val_lengths)
                    loss_function(scores.reshape(-1, task.outputs), val_tags.reshape(-1))
                model.train()
            if run.ends(update, model):
                return
