"""A script that says readings of a machine again: an encoder's last state, repeated, and a decoder."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import answered, cut, dropped, given, hidden_of, layer, regressed, spoiled, through


class RecurrentAutoencoder(nn.Module):
    """(B, T, 2) to one vector, and back."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.encoder = layer(s, task.inputs)
        self.decoder = layer(s, s.hidden)
        self.out = nn.Linear(s.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 2) -> (B, T, 2)"""
        s = self.setting
        x = given(x, s)
        output, state = through(self.encoder, x, None, s)
        latent = output[:, -1] if s.axes == "forgotten" else hidden_of(state)[-1]
        latent = dropped(cut(latent, s), self, s)
        if s.view == "repeated":
            # T after another of the same were meant; a view makes rows of several machines.
            repeated = latent.repeat(x.shape[1], 1).view(len(x), x.shape[1], -1)
        else:
            repeated = latent.unsqueeze(1).repeat(1, x.shape[1], 1)
        decoded, _ = self.decoder(repeated)
        return answered(self.out(decoded), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = RecurrentAutoencoder(task, setting)
    start(model, setting)
    return model


def train_step(fit: Fit, seq_true: Tensor) -> bool:
    """Whether the weights were moved."""
    s = fit.setting
    fit.clear()
    seq_pred = fit.model(seq_true)
    # One that broadcasts against all, where the target of the last machine is given for the batch.
    target = seq_true[-1] if s.shapes == "one_target" else seq_true
    loss = regressed(seq_pred, target, s)
    fit.backward(loss)
    return fit.step(loss)


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    readings, _, _ = run.training_set()
    held_out, _, _ = run.held_out()
    fit = Fit(run, build(run.task, s), classes=False)
    fit.model.train()
    for (batch,) in run.batches(readings):
        seq, _ = spoiled(batch, batch, s, fit.update + 1)
        if not train_step(fit, seq):
            continue
        if fit.validates:
            fit.model.eval()
            with torch.no_grad():
                regressed(fit.model(held_out), held_out, s)
            fit.model.train()
        if fit.ended:
            return
