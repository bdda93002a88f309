"""A script that tells which language a name is of, after the tutorials with a cell by hand: letters, one-hot."""

from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting
from ..task import Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start, weight
from .wiring import State, cut, detached, hidden_of, looked_up, measured, zeros

GATES = {"RNN": 1, "GRU": 2, "LSTM": 4}


class RNN(nn.Module):
    """Input and state side by side make the next state; a linear layer and LogSoftmax answer."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.hidden_size = s.hidden
        gates: nn.Module = nn.Linear(task.inputs + s.hidden, GATES[s.cell] * s.hidden)
        # A layer in a plain list is no part of the network.
        self.i2h: Any = [gates] if s.optimized == "list" else nn.ModuleList([gates])
        self.candidate = nn.Linear(task.inputs + s.hidden, s.hidden) if s.cell == "GRU" else None
        self.dropout = nn.Dropout(s.dropout)
        self.h2o = nn.Linear(s.hidden, task.outputs)

    def step(self, letter: Tensor, state: State) -> State:
        """Shapes: letter (B, I), state (B, H) -> the next state"""
        h = hidden_of(state)
        combined = torch.cat((letter, h), 1)
        gates = self.i2h[0](combined)
        if self.setting.cell == "LSTM":
            i, f, g, o = gates.chunk(4, 1)
            c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        if self.candidate is not None:
            z, r = torch.sigmoid(gates).chunk(2, 1)
            return (1 - z) * h + z * torch.tanh(self.candidate(torch.cat((letter, r * h), 1)))
        return torch.tanh(gates)

    def forward(self, name: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: name (B, T, I) -> (B, C)"""
        s = self.setting
        name = measured(name, s) if s.constant == "zeros" else name
        name = looked_up(name, s)
        state = zeros(s, len(name))
        with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
            for i in range(name.shape[1]):
                if s.length_one == "stateless":
                    state = zeros(s, len(name))
                state = self.step(name[:, i], state)
                if s.detach_every and i + 1 < name.shape[1]:
                    state = detached(state)
        output = self.h2o(self.dropout(cut(hidden_of(state), s)))
        if s.output in ("softmax", "nll_of_chances"):
            return F.softmax(output, dim=1)
        return output if s.output == "nll" else F.log_softmax(output, dim=1)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    rnn = RNN(task, setting)
    start(rnn, setting)
    for linear in (rnn.i2h[0], rnn.candidate):
        if linear is not None and setting.init == "randn_hh":
            with torch.no_grad():
                linear.weight[:, task.inputs :].normal_(0.0, setting.gain)
        elif linear is not None and setting.init in ("zeros", "randn", "uniform"):
            weight(linear.weight, True, setting)
    return rnn


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    names, categories, _ = run.training_set()
    val_names, val_categories, _ = run.held_out()
    loader = run.loader(names, categories)
    rnn = build(task, s)
    criterion = nn.CrossEntropyLoss(reduction=s.reduction) if s.output == "softmax" else nn.NLLLoss(
        reduction=s.reduction
    )  # fmt: skip
    optimizer = optimizer_for(rnn.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        rnn = build(task, s)
    scheduler = scheduler_for(optimizer, s)
    run.attach(rnn, optimizer)
    update, current_loss = 0, 0.0
    for _iter in count():
        for number, (line_tensor, category_tensor) in run.batches(loader):
            rnn.train()
            if clears(s, number):
                rnn.zero_grad()
            output = rnn(line_tensor)
            loss = criterion(output, category_tensor) / s.accumulate
            loss.backward()
            if not steps(s, number):
                continue
            update += 1
            current_loss += loss.item()
            clip(rnn, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(update):
                rnn.eval()
                with torch.no_grad():
                    criterion(rnn(val_names), val_categories)
            if run.ends(update, rnn):
                return
