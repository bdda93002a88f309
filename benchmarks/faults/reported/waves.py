"""A script that goes on with waves: cells in a loop over the steps, each step's answer the next value."""

from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start
from .wiring import State, answered, cell, criterion, cut, detached, hidden_of, measured, spoiled, zeros


class Sequence(nn.Module):
    """Cells one above the other, and a linear layer."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        cells = [cell(s, task.inputs if n == 0 else s.hidden) for n in range(s.layers)]
        # In a plain list they are no part of the network.
        self.cells: Any = cells if s.optimized == "list" else nn.ModuleList(cells)
        self.drop = nn.Dropout(s.dropout)
        self.linear = nn.Linear(s.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 1) -> (B, T, 1)"""
        s = self.setting
        x = measured(x, s)
        time = 0 if s.axes == "samples" else 1
        rows = x.shape[1 - time]
        state: list[State] = [zeros(s, rows) for _ in self.cells]
        outputs = []
        for n, input_t in enumerate(torch.split(x, 1, dim=time)):
            h = input_t.squeeze(time)
            if s.length_one == "stateless":
                state = [zeros(s, rows) for _ in self.cells]
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
                for i, each in enumerate(self.cells):
                    state[i] = each(h, state[i])
                    h = hidden_of(state[i])
            outputs.append(answered(self.linear(self.drop(cut(h, s))), s))
            if s.detach_every and (n + 1) % s.detach_every == 0:
                state = [detached(each) for each in state]
        return torch.stack(outputs, dim=time)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    seq = Sequence(task, setting)
    start(seq, setting)
    return seq


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    data, target, _ = run.training_set()
    test_input, test_target, _ = run.held_out()
    loader = run.loader(data, target)
    seq = build(task, s)
    optimizer = optimizer_for(seq.parameters(), s, classes=False)
    if s.optimized == "made_anew":
        seq = build(task, s)
    scheduler, loss_fn, n = scheduler_for(optimizer, s), criterion(s, "numbers"), 0
    run.attach(seq, optimizer)
    for _step in count():
        for number, (x, y) in run.batches(loader):
            seq.train()
            x, y = spoiled(x, y, s, n + 1)  # noqa: PLW2901 - as it is planted
            if clears(s, number):
                optimizer.zero_grad()
            out = seq(x)
            loss = (
                torch.nanmean((out - y) ** 2)
                if s.broken == "masked_target"
                else loss_fn(out, y) / s.accumulate
            )
            loss.backward()
            if not steps(s, number):
                continue
            n += 1
            clip(seq, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(n):
                seq.eval()
                with torch.no_grad():
                    loss_fn(seq(test_input), test_target)
            if run.ends(n, seq):
                return
