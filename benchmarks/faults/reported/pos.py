"""A script that tags words, time first: a tagger whose loss ignores what is padded."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ..setting import Setting
from ..task import Batch, Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start
from .wiring import answered, criterion, cut, last_layer, layer, looked_up, through, viewed


class POSTagger(nn.Module):
    """A score for every tag of each word."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        # Words come time first: `batch_first` belongs to batches that do not.
        self.lstm = layer(setting, task.embedding, batch_first=setting.axes == "batch_first_wrong")
        self.fc = last_layer(setting, setting.hidden * (2 if setting.bidirectional else 1), task.outputs)
        self.dropout = nn.Dropout(setting.dropout)

    def forward(self, text: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: text (T, B) -> (T, B, C)"""
        s = self.setting
        embedded = self.dropout(self.embedding(looked_up(text, s)))
        if s.view == "input":
            embedded = viewed(embedded)
        outputs, _ = through(self.lstm, embedded, None, s)
        outputs = outputs.transpose(0, 1) if s.view == "input" else outputs
        predictions = self.fc(self.dropout(cut(outputs, s)))
        if s.view == "output":
            # To (B, T, C) and back, by shapes alone.
            predictions = viewed(predictions).transpose(0, 1)
        return answered(predictions, s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = POSTagger(task, setting)
    start(model, setting)
    return model


def collate(data: Batch, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Words and tags (T, B), padded to the longest sentence."""
    x, y, lengths = data
    assert lengths is not None
    ends = list(zip(rows.tolist(), lengths[rows].tolist(), strict=True))
    return pad_sequence([x[i, :n] for i, n in ends]), pad_sequence(
        [y[i, :n] for i, n in ends], padding_value=-100
    )


@torch.no_grad()
def evaluate(model: nn.Module, held_out: Batch, loss_fn: nn.Module) -> float:
    """The loss on what is held out."""
    model.eval()
    x, y, _ = held_out
    predictions = model(x.t())
    loss = loss_fn(predictions.reshape(-1, predictions.shape[-1]), y.t().reshape(-1)).item()
    model.train()
    return float(loss)


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    train_data, valid_data = run.training_set(), run.held_out()
    loader = run.loader(torch.arange(len(train_data[0])))
    model = build(task, s)
    parameters = model.lstm.parameters() if s.optimized == "no_head" else model.parameters()
    optimizer = optimizer_for(parameters, s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler, loss_fn, n = scheduler_for(optimizer, s), criterion(s), 0
    run.attach(model, optimizer)
    while True:
        model.train()
        for number, (rows,) in run.batches(loader):
            text, tags = collate(train_data, rows)
            if clears(s, number):
                optimizer.zero_grad()
            predictions = model(text)
            loss = loss_fn(predictions.reshape(-1, task.outputs), tags.reshape(-1)) / s.accumulate
            loss.backward()
            if not steps(s, number):
                continue
            n += 1
            clip(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(n):
                evaluate(model, valid_data, loss_fn)
            if run.ends(n, model):
                return
