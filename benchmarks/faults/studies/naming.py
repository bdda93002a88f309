"""A script that writes names letter by letter: cells in a loop over time, the loss added up as it goes."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .criteria import activated, broken_loss, classified
from .pieces import State, cell, detach, hidden, looked_up, recur, severed, zero_state
from .running import Run
from .stepping import Stepper
from .weights import init_weights


class CharCells(nn.Module):
    """A letter in, scores of the next one out."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        size = s.hidden if s.tied else task.embedding
        self.embed = nn.Embedding(task.inputs, size)
        self.cells = nn.ModuleList(cell(s, s.hidden if n else size) for n in range(s.layers))
        self.dropout = nn.Dropout(s.dropout)
        self.head: Any = last_layer(s, s.hidden, task.outputs)
        if s.tied:
            self.head.weight = self.embed.weight
            nn.init.normal_(self.embed.weight, 0.0, s.hidden**-0.5)
        self.start = nn.Parameter(torch.zeros(s.hidden)) if s.learned_start else None

    def begin(self, rows: int) -> list[State]:
        """The state before the first letter, of each cell."""
        states = [zero_state(self.setting, rows) for _ in self.cells]
        if self.start is None:
            return states
        h = self.start.expand(rows, -1)
        return [(h, state[1]) if isinstance(state, tuple) else h for state in states]

    def step(self, letters: Tensor, states: list[State], t: int) -> tuple[Tensor, list[State]]:
        """Shapes: letters (B) -> (B, C), and the states that follow"""
        s = self.setting
        if s.length_one == "forgets":
            states = self.begin(len(letters))
        h = self.embed(looked_up(letters, self, s))
        after: list[State] = []
        for module, state in zip(self.cells, states, strict=True):
            after.append(recur(module, h, state, s))
            h = self.dropout(hidden(after[-1]))
        if s.detach_every and (t + 1) % s.detach_every == 0:
            after = [detach(state) for state in after]
        return activated(self.head(severed(h, s)), s), after

    def forward(self, letters: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: letters (B, T) -> (B, T, C)"""
        s = self.setting
        time = 0 if s.axes == "over_rows" else 1
        states = self.begin(letters.shape[1 - time])
        scores = []
        for t, column in enumerate(letters.unbind(time)):
            score, states = self.step(column, states, t)
            scores.append(score)
        if s.view == "stacked":
            # (T, B, C), taken for (B, T, C).
            return torch.stack(scores).view(*letters.shape, -1)
        return torch.stack(scores, time)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = CharCells(task, setting)
    init_weights(model, setting)
    return model


def train_on(model: Any, x: Tensor, y: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
    """The loss of a batch, added up over its letters, and all scores."""
    s = setting
    if s.axes != "right" or s.view != "none" or s.reduction == "sum":
        scores: Tensor = model(x)
        return classified(scores, y, s), scores
    states, losses, all_scores = model.begin(len(x)), [], []
    for t in range(x.shape[1]):
        scores, states = model.step(x[:, t], states, t)
        there = (y[:, t] >= 0).float().mean()
        if there > 0:
            losses.append(classified(scores, y[:, t], s) * there)
        all_scores.append(scores)
    return torch.stack(losses).sum() / (y >= 0).float().mean() / x.shape[1], torch.stack(all_scores, 1)


def main(run: Run) -> None:
    """Trains on names, as many at once as the batch has."""
    s = run.setting
    names, following, _ = run.training_set()
    held_x, held_y, _ = run.held_out()
    stepper = Stepper(run, build(run.task, s))
    for rows in run.indices(len(names)):
        x, y = names[rows], following[rows]
        stepper.model.train()
        stepper.zero_grad()
        loss, scores = train_on(stepper.model, x, y, s)
        loss = broken_loss(loss, scores, s, stepper.update + 1)
        stepper.backward(loss)
        if not stepper.step(loss):
            continue
        if stepper.validates:
            stepper.model.eval()
            with torch.inference_mode():
                classified(stepper.model(held_x), held_y, s)
        if stepper.ended:
            break
