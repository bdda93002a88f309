"""A script that follows a calculation: an encoder, additive attention, a decoder of one cell with teacher forcing."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .criteria import activated, broken_loss, classified
from .pieces import State, cell, detach, hidden, looked_up, recur, rnn, severed
from .running import Run
from .stepping import Stepper
from .weights import init_weights

KEYS = 18


class Encoder(nn.Module):
    """What is to be done, both of it all and step by step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embed = nn.Embedding(task.inputs, task.embedding)
        self.rnn = rnn(setting, task.embedding)
        width = setting.hidden * (2 if setting.bidirectional else 1)
        self.bridge = nn.Linear(width, setting.hidden)
        self.bridge_to_cell = nn.Linear(width, setting.hidden) if setting.cell == "LSTM" else None

    def forward(self, steps: Tensor) -> tuple[Tensor, State]:
        """Shapes: steps (B, T) -> (B, T, H), a state of the decoder's"""
        s = self.setting
        embedded = self.embed(looked_up(steps, self, s))
        if s.length_one == "one_by_one":
            memory, _ = recur(self.rnn, embedded.flatten(0, 1)[:, None], None, s)
            memory = memory.view(*steps.shape, -1)
        else:
            memory, _ = recur(self.rnn, embedded, None, s)
        memory = severed(memory, s)
        h = torch.tanh(self.bridge(memory[:, -1]))
        return memory, h if self.bridge_to_cell is None else (h, self.bridge_to_cell(memory[:, -1]))


class Attention(nn.Module):
    """A score for each step that was encoded."""

    def __init__(self, width: int, setting: Setting) -> None:
        super().__init__()
        self.query = nn.Linear(setting.hidden, KEYS)
        self.key = nn.Linear(width, KEYS)
        self.value = nn.Linear(KEYS, 1, bias=False)

    def forward(self, h: Tensor, memory: Tensor) -> Tensor:
        """Shapes: h (B, H), memory (B, T, H) -> (B, H)"""
        scores = self.value(torch.tanh(self.query(h)[:, None] + self.key(memory)))
        return (torch.softmax(scores, 1) * memory).sum(1)


class Decoder(nn.Module):
    """One answer after the other."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        width = setting.hidden * (2 if setting.bidirectional else 1)
        self.embed = nn.Embedding(task.outputs + 1, task.embedding)
        self.attention = Attention(width, setting)
        self.cell = cell(setting, task.embedding + width)
        self.dropout = nn.Dropout(setting.dropout)
        self.head = last_layer(setting, setting.hidden + width, task.outputs)

    def forward(self, before: Tensor, state: State, memory: Tensor) -> tuple[Tensor, State]:
        """Shapes: before (B), memory (B, T, H) -> (B, C), the state that follows"""
        context = self.attention(hidden(state), memory)
        state = self.cell(torch.cat([self.embed(before), context], 1), state)
        scores = self.head(self.dropout(torch.cat([hidden(state), context], 1)))
        return activated(scores, self.setting), state


class Seq2Seq(nn.Module):
    """Both."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.sos = setting, task.outputs
        self.encoder, self.decoder = Encoder(task, setting), Decoder(task, setting)

    def forward(self, steps: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Shapes: steps (B, T), target (B, T') -> (B, T', C)"""
        s = self.setting
        assert target is not None
        memory, state = self.encoder(steps)
        before = torch.full((len(steps),), self.sos)
        outs = []
        for t in range(target.shape[1]):
            out, state = self.decoder(before, state, memory)
            outs.append(out)
            told = not self.training or s.forcing == 1.0 or float(torch.rand(())) < s.forcing
            before = target[:, t] if told else out.argmax(1)
            if s.detach_every and (t + 1) % s.detach_every == 0:
                state = detach(state)
        if s.view == "stacked":
            # (T, B, C), taken for (B, T, C).
            return torch.stack(outs).view(len(steps), len(outs), -1)
        return torch.stack(outs, 1)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Seq2Seq(task, setting)
    init_weights(model, setting)
    return model


def train_iters(stepper: Stepper, run: Run) -> None:
    """One batch after the other."""
    s, model = run.setting, stepper.model
    x, y, _ = run.training_set()
    held_x, held_y, _ = run.held_out()
    for rows in run.indices(len(x)):
        model.train()
        stepper.zero_grad()
        scores = model(x[rows], target=y[rows])
        loss = broken_loss(classified(scores, y[rows], s), scores, s, stepper.update + 1)
        stepper.backward(loss)
        if not stepper.step(loss):
            continue
        if stepper.validates:
            model.eval()
            with torch.no_grad():
                classified(model(held_x, target=held_y), held_y, s)
        if stepper.ended:
            return


def main(run: Run) -> None:
    """Trains until it has had enough."""
    train_iters(Stepper(run, build(run.task, run.setting)), run)
