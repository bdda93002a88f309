"""A script that finds splice sites: columns for the four bases, both directions, batches cut by hand."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .criteria import activated, broken_batch, broken_loss, classified
from .pieces import hidden, measured, recur, rnn, severed
from .running import Run
from .stepping import Stepper
from .weights import init_weights


class BiRNN(nn.Module):
    """What is known at both ends, or of all bases."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.rnn = rnn(setting, task.inputs, both=True)
        self.dropout = nn.Dropout(setting.dropout)
        self.norm = nn.LayerNorm(2 * setting.hidden) if setting.layer_norm else nn.Identity()
        self.head = last_layer(setting, 2 * setting.hidden, task.outputs)

    def forward(self, bases: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: bases (B, T, 4) -> (B, C)"""
        s = self.setting
        bases = measured(bases, self, s)
        rows, steps, _ = bases.shape
        if s.length_one == "one_by_one":
            bases = bases.flatten(0, 1)[:, None]
        elif s.axes == "permuted":
            bases = bases.permute(1, 0, 2)
        out, state = recur(self.rnn, bases, None, s)
        if s.length_one == "one_by_one":
            out = out.view(rows, steps, -1)
        elif s.axes == "permuted":
            out = out.permute(1, 0, 2)
        if s.view == "ends":
            # (2, B, H), taken for (B, 2 * H).
            ends = hidden(state)[-2:].view(rows, -1)
        else:
            ends = torch.cat([out[:, -1, : s.hidden], out[:, 0, s.hidden :]], 1)
        return activated(self.head(self.dropout(self.norm(severed(ends, s)))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = BiRNN(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains on batches of a permutation."""
    s = run.setting
    X, Y, _ = run.training_set()
    X_val, Y_val, _ = run.held_out()
    stepper = Stepper(run, build(run.task, s))
    net = stepper.model
    net.train()
    for rows in run.indices(len(X)):
        xb, yb = X[rows], Y[rows]
        update = stepper.update + 1
        out = net(broken_batch(xb, yb, s, update)[0])
        loss = broken_loss(classified(out, yb, s), out, s, update)
        if not stepper(loss):
            continue
        if stepper.validates:
            net.eval()
            with torch.no_grad():
                classified(net(X_val), Y_val, s).item()
            net.train()
        if stepper.ended:
            return
