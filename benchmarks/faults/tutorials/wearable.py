"""A script that tells activities by a wristband: a stack of layers with shortcuts, in a module that trains itself."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Batch, Task
from .fitting import Fit
from .running import Run
from .starting import DENSE, start
from .wiring import answered, classified, cut, dropped, given, last_layer, layer, spoiled, through

_CHANNELS, _STEPS = 5, 7


class ActivityModule(nn.Module):
    """Layers of their own, each of one recurrence; the last step is read."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        one = s.changed(layers=1)
        layers = [layer(one, s.hidden if n else task.inputs) for n in range(s.layers)]
        # In a plain list they are no part of the network.
        self.layers: Any = layers if s.optimized == "list" else nn.ModuleList(layers)
        self.norm = nn.LayerNorm(s.hidden) if s.layer_norm else nn.Identity()
        self.dense = nn.Linear(s.hidden, DENSE)
        self.out = last_layer(s, DENSE, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 5) -> (B, C)"""
        s = self.setting
        x = given(x, s)
        if s.view == "windows":
            # (B, 5, T) was read from the file, and viewed as (B, T, 5).
            x = x.transpose(0, 1).contiguous().view(len(x), _STEPS, _CHANNELS)
        elif s.axes == "unbatched_first":
            x = x.transpose(0, 1)
        for n, each in enumerate(self.layers):
            out, _ = through(each, x, None, s)
            x = out + x if n and s.pooling == "shortcut" else out
        last = x[-1] if s.axes == "unbatched_first" else x[:, -1]
        hidden = torch.relu(self.dense(self.norm(cut(last, s))))
        return answered(self.out(dropped(hidden, self, s)), s)

    def training_step(self, batch: tuple[Tensor, ...]) -> Tensor:
        """The loss of a batch."""
        x, y = batch
        return classified(self(x), y, self.setting)

    @torch.no_grad()
    def validation_step(self, batch: Batch) -> float:
        """The loss on what is held out."""
        self.eval()
        loss = self.training_step(batch[:2]).item()
        self.train()
        return loss


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = ActivityModule(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Fits the module."""
    s = run.setting
    x, y, _ = run.training_set()
    fit, held_out = Fit(run, build(run.task, s), classes=True), run.held_out()
    for windows, labels in run.batches(x, y):
        batch = spoiled(windows, labels.float(), s, fit.update + 1)[0], labels
        loss = fit.model.training_step(batch)
        fit.clear()
        fit.backward(loss)
        if not fit.step(loss):
            continue
        if fit.validates:
            fit.model.validation_step(held_out)
        if fit.ended:
            return
