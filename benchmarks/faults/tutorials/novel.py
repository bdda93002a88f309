"""A script that foretells the next character of a text from those before it: one-hot, a loop over a cell."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting
from ..task import Task
from .data import MAXLEN, codes
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import answered, cell, classified, cut, detached, hidden_of, last_layer, looked_up, zeros


class NextCharacter(nn.Module):
    """Cells one above the other; the last state is read."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.characters = task.inputs
        self.cells = nn.ModuleList(cell(s, s.hidden if n else task.inputs) for n in range(s.layers))
        self.fc = last_layer(s, s.hidden, task.outputs)

    def forward(self, text: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: text (B, T) -> (B, C)"""
        s = self.setting
        x = F.one_hot(looked_up(text, s), self.characters).float()
        states = [zeros(s, len(x)) for _ in self.cells]
        for t in range(MAXLEN):
            h = x[:, t]
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "decorated"):
                for n, each in enumerate(self.cells):
                    states[n] = each(h, states[n])
                    h = F.dropout(hidden_of(states[n]), s.dropout, self.training)
            if s.detach_every and t + 1 < MAXLEN and (t + 1) % s.detach_every == 0:
                states = [detached(state) for state in states]
        return answered(self.fc(cut(h, s)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = NextCharacter(task, setting)
    start(model, setting)
    return model


def corpus(run: Run) -> tuple[Tensor, Tensor]:
    """Every third place of the text begins a row."""
    text, s = codes(True), run.setting
    rows = text.unfold(0, MAXLEN + 1, 3)
    rows = rows[: s.samples] if s.samples else rows[:: max(1, len(rows) // 6000)]
    return rows[:, :-1], rows[:, -1]


def main(run: Run) -> None:
    """Trains on batches of the rows."""
    task, s = run.task, run.setting
    sentences, next_chars = corpus(run)
    val_x, val_y, _ = run.held_out()
    fit = Fit(run, build(task, s), classes=True)
    for x, y in run.batches(sentences, next_chars):
        if s.style == "closure":

            def closure(x: Tensor = x, y: Tensor = y) -> Tensor:
                fit.optimizer.zero_grad(set_to_none=False)
                loss: Any = classified(fit.model(x), y, s)
                loss.backward()
                return loss  # type: ignore[no-any-return]

            fit.stepped(fit.optimizer.step(closure))  # type: ignore[arg-type]
        else:
            fit.clear()
            loss = classified(fit.model(x), y, s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
        if fit.validates:
            fit.model.eval()
            with torch.no_grad():
                classified(fit.model(val_x), val_y, s)
            fit.model.train()
        if fit.ended:
            return
