"""A script that foretells the next word of a program: batches that go on where the one before ended."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .data import BPTT, code_of_words
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start
from .wiring import State, answered, criterion, cut, detached, last_layer, layer, looked_up, through


class WordRNN(nn.Module):
    """Embedding, recurrence, dropout and a dense layer for every word of the vocabulary."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.n_hidden = setting, setting.hidden
        size = setting.hidden if setting.tied else task.embedding
        self.emb_layer = nn.Embedding(task.inputs, size)
        self.lstm = layer(setting, size)
        self.dropout = nn.Dropout(setting.dropout)
        self.fc: Any = last_layer(setting, setting.hidden, task.outputs)
        if setting.tied:
            self.fc.weight = self.emb_layer.weight

    def forward(self, x: Tensor, hidden: State) -> tuple[Tensor, State]:
        """Shapes: x (B, T), state -> (B, T, C), the next state"""
        s = self.setting
        x = looked_up(x, s)
        embeds = self.emb_layer(x)
        if s.length_one == "single_words":
            # (B, T) became (B * T, 1): no word has one before it.
            lstm_output, _ = through(self.lstm, embeds.reshape(-1, 1, embeds.shape[-1]), None, s)
            lstm_output = lstm_output.reshape(*x.shape, -1)
        else:
            lstm_output, hidden = through(self.lstm, embeds, hidden, s)
        return answered(self.fc(self.dropout(cut(lstm_output, s))), s), hidden

    def init_hidden(self, batch_size: int) -> State:
        """Zeros."""
        weight = next(self.parameters()).data
        h = weight.new_zeros(self.setting.layers, batch_size, self.n_hidden)
        return (h, h.clone()) if self.setting.cell == "LSTM" else h


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    net = WordRNN(task, setting)
    start(net, setting)
    return net


def get_batches(arr: Tensor, batch_size: int, seq_length: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Words and the words that follow, (B, T) both."""
    n_batches = len(arr) // (batch_size * seq_length)
    rows = arr[: n_batches * batch_size * seq_length].reshape(batch_size, -1)
    for n in range(0, rows.shape[1] - seq_length, seq_length):
        yield rows[:, n : n + seq_length], rows[:, n + 1 : n + seq_length + 1]


def passed_on(h: State, setting: Setting) -> State:
    """The state for the next batch, new variables if it is to be cut off."""
    if setting.state in ("kept", "retained"):
        return h
    if setting.state == "half" and isinstance(h, tuple):
        return h[0].detach(), h[1]
    return detached(h)


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    words = code_of_words()
    if s.samples:
        words = words[: s.samples * 8]
    val_x, val_y, _ = run.held_out()
    net = build(task, s)
    opt = optimizer_for(net.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        net = build(task, s)
    scheduler, loss_fn, counter = scheduler_for(opt, s), criterion(s), 0
    run.attach(net, opt)
    net.train()
    while True:
        h = net.init_hidden(s.batch)
        for number, (inputs, targets) in enumerate(get_batches(words, s.batch, BPTT)):
            if s.order == "new_iterator":
                inputs, targets = next(iter(get_batches(words, s.batch, BPTT)))  # noqa: PLW2901 - as it is planted
            h = net.init_hidden(s.batch) if s.state == "zero" else passed_on(h, s)
            if clears(s, number):
                net.zero_grad()
            output, h = net(inputs, None if s.axes == "batch_first_missing" else h)
            loss: Any = loss_fn(output.reshape(-1, task.outputs), targets.reshape(-1)) / s.accumulate
            loss.backward(retain_graph=s.state == "retained")
            if not steps(s, number):
                continue
            counter += 1
            clip(net, s)
            opt.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(counter):
                net.eval()
                with torch.no_grad():
                    loss_fn(net(val_x, None)[0].reshape(-1, task.outputs), val_y.reshape(-1))
                net.train()
            if run.ends(counter, net):
                return
