"""A script that models the language of names, after torch's example for words: columns, states that are handed on.

With plain gradient descent it moves the weights itself, as that example does.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Batch, Task
from .data import names
from .optimizing import bound, clear, optimizer_for, rate_of, scheduler_for
from .running import Run
from .starting import start
from .wiring import answered, criterion, cut, detached, layer, looked_up, read


class RNNModel(nn.Module):
    """Encoder, recurrence over (time, batch), decoder; both ends may share their weights."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        size = s.hidden if s.tied else task.embedding
        self.drop = nn.Dropout(s.dropout)
        self.encoder = nn.Embedding(task.inputs, size)
        # Columns stand side by side: `batch_first` belongs to batches of rows.
        self.rnn = layer(s if s.axes == "batchify" else s.changed(axes="batch_first_missing"), size)
        self.decoder = nn.Linear(s.hidden, task.outputs)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        if s.tied:
            self.decoder.weight = self.encoder.weight

    def init_hidden(self, bsz: int) -> Any:
        """Zeros."""
        weight = next(self.parameters())
        h = weight.new_zeros(self.setting.layers, bsz, self.setting.hidden)
        return (h, h.clone()) if self.setting.cell == "LSTM" else h

    def forward(self, data: Tensor, hidden: Any = None) -> tuple[Tensor, Any]:
        """Shapes: data (T, B), state -> (T, B, C), the next state"""
        s = self.setting
        emb = self.drop(self.encoder(looked_up(data, s)))
        output, hidden = read(self.rnn, emb, hidden, s)
        return answered(self.decoder(self.drop(cut(output, s))), s), hidden


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = RNNModel(task, setting)
    start(model, setting)
    return model


def batchify(data: Tensor, bsz: int) -> Tensor:
    """Columns (T, B) of a text."""
    return data[: len(data) // bsz * bsz].view(bsz, -1).t().contiguous()


def repackage_hidden(h: Any, setting: Setting) -> Any:
    """The state without the graph that it came from."""
    if setting.state == "half" and isinstance(h, tuple):
        return h[0].detach(), h[1]
    return h if setting.state in ("kept", "retained") else detached(h)


@torch.no_grad()
def evaluate(model: RNNModel, held_out: Batch, loss_function: nn.Module) -> float:
    """The loss on what is held out."""
    model.eval()
    x, y, _ = held_out
    output, _ = model(x.t(), None)
    loss = loss_function(output.reshape(-1, output.shape[-1]), y.t().reshape(-1)).item()
    model.train()
    return float(loss)


def move(model: RNNModel, optimizer: torch.optim.Optimizer | None, lr: float) -> None:
    """An update, by hand where there is no optimizer."""
    if optimizer is not None:
        optimizer.step()
        return
    for p in model.parameters():
        if p.grad is not None:
            p.data.add_(p.grad, alpha=-lr)


def main(run: Run) -> None:
    """Trains chunk after chunk of the text, from its beginning again when it ends."""
    task, s = run.task, run.setting
    text = names(True)
    train_data = batchify(text[: s.samples * 10] if s.samples else text, s.batch)
    bptt = 1 if s.length_one == "bptt" else min(10, len(train_data) - 1)
    held_out = run.held_out()
    model, loss_function = build(task, s), criterion(s)
    by_hand, lr = s.optimizer == "SGD", rate_of(s, True)
    optimizer = None if by_hand else optimizer_for(model.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler = None if optimizer is None else scheduler_for(optimizer, s)
    if optimizer is not None:
        run.attach(model, optimizer)
    update = 0
    while True:
        hidden = None
        for i in range(0, len(train_data) - bptt, bptt):
            update += 1
            start_at = 0 if s.order == "next_iter" else i
            data, targets = (train_data[start_at + d : start_at + d + bptt] for d in (0, 1))
            if hidden is None or s.state == "zero":
                hidden = None if s.axes == "batchify" else model.init_hidden(s.batch)
            else:
                hidden = repackage_hidden(hidden, s)
            clear(model, model, s, first=i == 0)
            output, hidden = model(data, hidden)
            loss = loss_function(output.reshape(-1, task.outputs), targets.reshape(-1))
            loss.backward(retain_graph=s.state == "retained")
            bound(model, s)
            move(model, optimizer, lr)
            if scheduler is not None:
                scheduler.step()
            if run.validates(update):
                evaluate(model, held_out, loss_function)
            if run.ends(update, model):
                return
