"""A script that tells good reviews from bad ones: packed sequences, the last state of one direction or of both."""

from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..setting import Setting
from ..task import Batch, Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start
from .wiring import answered, criterion, cut, hidden_of, layer, looked_up, through


class SentimentRNN(nn.Module):
    """Words, packed; a linear layer says how good."""

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
        text = nn.functional.pad(text, (0, max(0, s.pad_to - text.shape[1])))
        embedded = self.dropout(self.embedding(looked_up(text, s)))
        if s.padding in ("last_output", "final_state", "mean"):
            output, state = through(self.rnn, embedded, None, s)
        else:
            packed = pack_padded_sequence(embedded, text_lengths, batch_first=True, enforce_sorted=False)
            packed_output, state = through(self.rnn, packed, None, s)
            output, _ = pad_packed_sequence(packed_output, batch_first=True)
        return answered(self.fc(self.dropout(cut(self._read(output, hidden_of(state)), s))), s)

    def _read(self, output: Tensor, hidden: Tensor) -> Tensor:
        s = self.setting
        if s.padding in ("last_output", "repadded"):
            return output[:, -1]
        if s.padding == "mean":
            return output.mean(1)
        if s.view == "final_state":
            return hidden.view(hidden.shape[1], -1)[:, : self.fc.in_features]
        return torch.cat((hidden[-2], hidden[-1]), dim=1) if s.bidirectional else hidden[-1]


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = SentimentRNN(task, setting)
    start(model, setting)
    return model


@torch.no_grad()
def evaluate(model: nn.Module, held_out: Batch, loss_fn: nn.Module) -> float:
    """The loss on what is held out."""
    model.eval()
    text, label, lengths = held_out
    loss = loss_fn(model(text, lengths), label[:, None].float()).item()
    model.train()
    return float(loss)


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    reviews, labels, lengths = run.training_set()
    assert lengths is not None
    iterator, held_out = run.loader(reviews, labels, lengths), run.held_out()
    model = build(task, s)
    optimizer = optimizer_for(model.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler = scheduler_for(optimizer, s)
    loss_fn = criterion(s, "chance")
    run.attach(model, optimizer)
    update = 0
    for _epoch in count():
        model.train()
        for number, (text, label, text_lengths) in run.batches(iterator):
            if clears(s, number):
                optimizer.zero_grad()
            predictions = model(text[:, : int(text_lengths.max())], text_lengths)
            loss = loss_fn(predictions, label[:, None].float()) / s.accumulate
            loss.backward()
            if not steps(s, number):
                continue
            update += 1
            clip(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(update):
                evaluate(model, held_out, loss_fn)
            if run.ends(update, model):
                return
