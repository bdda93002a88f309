"""A script that identifies a system with a recurrence of plain matrices, as those write who want to understand it."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import bound, clear, optimizer_for, scheduler_for
from .running import Run
from .starting import FromScratch, start
from .wiring import answered, broken, cut, measured


class Net(nn.Module):
    """The recurrence, step by step, and the warmth after each."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.cell = FromScratch(task.inputs, setting)
        self.dropout = nn.Dropout(setting.dropout)
        self.readout = nn.Linear(setting.hidden, task.outputs)

    def forward(self, u: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: u (B, T, 2) -> (B, T, 1)"""
        s = self.setting
        u = measured(u, s)
        if s.axes == "samples":
            u = u.transpose(0, 1)
        h = c = torch.zeros(u.shape[0], s.hidden)
        outputs = []
        for t in range(u.shape[1]):
            if s.length_one == "stateless":
                h = c = torch.zeros(u.shape[0], s.hidden)
            if s.cut == "switched_off":
                with torch.set_grad_enabled(False):
                    h, c = self.cell(u[:, t], h, c)
            else:
                h, c = self.cell(u[:, t], h, c)
            outputs.append(self.readout(self.dropout(cut(h, s))))
            if s.detach_every and (t + 1) % s.detach_every == 0:
                h, c = h.detach(), c.detach()
        y = torch.stack(outputs, dim=1)
        return answered(y.transpose(0, 1) if s.axes == "samples" else y, s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Net(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains on batches of any rows."""
    s = run.setting
    U, Y, _ = run.training_set()
    u_test, y_test, _ = run.held_out()
    net = build(run.task, s)
    optimizer = optimizer_for(net.parameters(), s, classes=False)
    if s.optimized == "made_anew":
        net = build(run.task, s)
    scheduler = scheduler_for(optimizer, s)
    run.attach(net, optimizer)
    g, it = run.generator(1), 0
    while True:
        it += 1
        idx = (
            torch.arange(s.batch)
            if s.order == "next_iter"
            else torch.randint(0, len(U), (s.batch,), generator=g)
        )
        u, y = broken(U[idx], s, it), Y[idx]
        loss: Any = torch.mean((net(u) - y) ** 2)
        clear(net, net, s, first=(it - 1) * s.batch % len(U) < s.batch)
        loss.backward()
        bound(net, s)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        if run.validates(it):
            net.eval()
            with torch.no_grad():
                torch.mean((net(u_test) - y_test) ** 2).item()
            net.train()
        if run.ends(it, net):
            return
