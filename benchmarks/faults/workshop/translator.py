"""Names in another script: an encoder in both directions, a decoder that looks at the letter it is to write."""

import random
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.layers import State, call, hidden, looked_up, recurrent_cell, recurrent_layer
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .desk import Desk
from .objectives import handed_on, loss_of, said
from .running import Run
from .starting import start


class Encoder(nn.Module):
    """Letters, and what stands around them."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = recurrent_layer(setting, task.embedding)
        self.bridge = nn.Linear(setting.hidden, setting.hidden)

    def forward(self, letters: Tensor) -> tuple[Tensor, State]:
        """Shapes: letters (B, T) -> (B, T, H), a state of the decoder's"""
        s = self.setting
        out, _ = call(self.rnn, self.embedding(looked_up(letters, s)), None, s)
        out = handed_on(out, s)
        first = torch.tanh(self.bridge(out[:, -1]))
        return out, (first, torch.zeros_like(first)) if s.cell == "LSTM" else first


class Decoder(nn.Module):
    """A cell; given the letter before, and what was read at this place."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.embedding = nn.Embedding(task.outputs + 1, task.embedding)
        self.cell = recurrent_cell(setting, task.embedding + setting.hidden)
        self.dropout = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden, task.outputs)

    def forward(self, before: Tensor, read: Tensor, state: State) -> tuple[Tensor, State]:
        """Shapes: before (B), read (B, H) -> (B, C), the next state"""
        state = self.cell(torch.cat([self.embedding(before), read], 1), state)
        return self.fc(self.dropout(hidden(state))), state


class Transliterator(nn.Module):
    """Both."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.begin = setting, task.outputs
        self.encoder, self.decoder = Encoder(task, setting), Decoder(task, setting)

    def forward(self, letters: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Shapes: letters (B, T), target (B, T) -> (B, T, C)"""
        s = self.setting
        assert target is not None
        memory, state = self.encoder(letters)
        before, outs = torch.full((len(letters),), self.begin), []
        for t in range(target.shape[1]):
            out, state = self.decoder(before, memory[:, t], state)
            outs.append(out)
            taught = not self.training or s.forcing == 1.0 or random.random() < s.forcing
            before = target[:, t] if taught else out.argmax(1)
        if s.view == "stacked":
            return said(torch.stack(outs).view(len(letters), len(outs), -1), s)
        return said(torch.stack(outs, 1), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Transliterator(task, setting)
    start(model, setting)
    return model


def fit_epoch(desk: Desk, run: Run, loader: Any) -> bool:
    """Whether another epoch follows."""
    desk.start_epoch()
    x, y, _ = run.load_valid()
    for letters, written in loader:
        scores = desk.model(letters, target=written)
        if not desk(loss_of(run.task, scores, written, run.setting)):
            continue
        desk.validate(lambda model: loss_of(run.task, model(x, target=y), y, run.setting))
        if desk.ended:
            return False
    return True


def main(run: Run) -> None:
    """Trains until it has had enough."""
    random.seed(run.setting.seed)
    desk = Desk(run, build(run.task, run.setting))
    x, y, _ = run.load_data()
    loader = run.loader(TensorDataset(x, y))
    while fit_epoch(desk, run, loader):
        pass
