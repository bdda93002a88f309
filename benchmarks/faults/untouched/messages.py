"""A script that tells spam from other messages, after the tutorials for sentiment: packed sequences, functions."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..setting import Setting
from ..task import Batch, Task
from .optimizing import bound, clear, optimizer_for, scheduler_for
from .running import Run
from .starting import start
from .wiring import answered, criterion, cut, hidden_of, layer, looked_up, read


class RNN(nn.Module):
    """Words, packed, in one or both directions; the final states answer."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = layer(setting, task.embedding)
        self.fc = nn.Linear(setting.hidden * (2 if setting.bidirectional else 1), task.outputs)
        self.dropout = nn.Dropout(setting.dropout)

    def forward(self, text: Tensor, text_lengths: Tensor) -> Tensor:
        """Shapes: text (B, T) -> (B, 1)"""
        s = self.setting
        text = F.pad(text, (0, max(0, s.pad_to - text.shape[1])))
        embedded = self.dropout(self.embedding(looked_up(text, s)))
        if s.padding == "ends":
            output, _ = read(self.rnn, embedded, None, s)
            hidden = torch.cat((output[:, -1, : s.hidden], output[:, 0, s.hidden :]), dim=1)
        else:
            packed = pack_padded_sequence(embedded, text_lengths, batch_first=True, enforce_sorted=False)
            packed_output, state = read(self.rnn, packed, None, s)
            hidden = hidden_of(state)
            if s.padding == "repadded":
                output, _ = pad_packed_sequence(packed_output, batch_first=True)
                hidden = output[:, -1]
            else:
                hidden = torch.cat((hidden[-2], hidden[-1]), dim=1) if s.bidirectional else hidden[-1]
        return answered(self.fc(self.dropout(cut(hidden, s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = RNN(task, setting)
    start(model, setting)
    return model


def iterate(data: Batch, run: Run, g: torch.Generator) -> Iterator[Batch]:
    """Batches of an epoch, padded to the longest message."""
    text, labels, lengths = data
    assert lengths is not None
    for rows in run.epoch(len(text), g):
        longest = int(lengths[rows].max())
        yield text[rows, :longest], labels[rows], lengths[rows]


def binary_accuracy(predictions: Tensor, labels: Tensor) -> float:
    """Share of right answers."""
    return float(((predictions > 0).float() == labels).float().mean())


@torch.no_grad()
def evaluate(model: nn.Module, data: Batch, loss_fn: nn.Module) -> float:
    """The loss on what is held out."""
    model.eval()
    text, labels, lengths = data
    loss = loss_fn(model(text, lengths).squeeze(1), labels.float()).item()
    model.train()
    return float(loss)


def main(run: Run) -> None:
    """Trains epoch after epoch, each a function."""
    task, s = run.task, run.setting
    data, held_out, order = run.training_set(), run.held_out(), run.generator(1)
    model = build(task, s)
    optimizer = optimizer_for(model.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler = scheduler_for(optimizer, s)
    loss_fn = criterion(s, binary=True)
    run.attach(model, optimizer)
    updates, accuracy = 0, 0.0
    for _epoch in count(1):
        model.train()
        for number, (text, labels, lengths) in enumerate(iterate(data, run, order)):
            last_of_group = (number + 1) % s.accumulate == 0
            if number % s.accumulate == 0:
                clear(optimizer, model, s, first=number == 0)
            predictions = model(text, lengths).squeeze(1)
            loss = loss_fn(predictions, labels.float()) / s.accumulate
            accuracy = 0.9 * accuracy + 0.1 * binary_accuracy(predictions, labels)
            loss.backward()
            if not last_of_group:
                continue
            updates += 1
            bound(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(updates):
                evaluate(model, held_out, loss_fn)
            if run.ends(updates, model):
                return
