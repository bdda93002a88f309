"""A script that deciphers: an encoder, attention, and a decoder of one cell, whose losses are added up step by step."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.fitting import Fit
from ..parts_common.layers import (
    State,
    call,
    hidden,
    looked_up,
    passed_on,
    recurrent_cell,
    recurrent_layer,
    repackage_hidden,
)
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run


class EncoderRNN(nn.Module):
    """What was read, at each letter."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = recurrent_layer(setting, task.embedding)

    def forward(self, letters: Tensor) -> tuple[Tensor, State]:
        """Shapes: letters (B, T) -> (B, T, H), the last state"""
        s = self.setting
        outputs, state = call(self.rnn, self.embedding(looked_up(letters, s)), None, s)
        last = tuple(part[-1] for part in state) if isinstance(state, tuple) else state[-1]
        outputs = passed_on(outputs, s)
        if isinstance(last, tuple):
            return outputs, tuple(passed_on(part, s) for part in last)
        return outputs, passed_on(last, s)


class AttnDecoderRNN(nn.Module):
    """One letter after the other, each with a look at all that was read."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.outputs + 1, task.embedding)
        self.attention = nn.Linear(setting.hidden, setting.hidden, bias=False)
        self.cell = recurrent_cell(setting, task.embedding)
        self.dropout = nn.Dropout(setting.dropout)
        self.concat = nn.Linear(2 * setting.hidden, setting.hidden)
        self.fc = last_layer(setting, setting.hidden, task.outputs)

    def forward(self, token: Tensor, state: State, outputs: Tensor) -> tuple[Tensor, State]:
        """Shapes: token (B), outputs (B, T, H) -> scores (B, C), the state that follows"""
        state = self.cell(self.dropout(self.embedding(token)), state)
        h = hidden(state)
        weights = torch.softmax(torch.bmm(outputs, self.attention(h)[:, :, None]), dim=1)
        context = (weights * outputs).sum(dim=1)
        made = torch.tanh(self.concat(torch.cat([h, context], dim=1)))
        return activated(self.fc(self.dropout(made)), self.setting), state


class Translator(nn.Module):
    """Both."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.sos = setting, task.outputs
        self.encoder, self.decoder = EncoderRNN(task, setting), AttnDecoderRNN(task, setting)

    def forward(self, letters: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Shapes: letters (B, T), target (B, T') -> (B, T', C)"""
        s = self.setting
        assert target is not None
        outputs, state = self.encoder(letters)
        token = torch.full((len(letters),), self.sos)
        scores = []
        for t in range(target.shape[1]):
            out, state = self.decoder(token, state, outputs)
            scores.append(out)
            teacher = self.training and (s.forcing == 1.0 or float(torch.rand(())) < s.forcing)
            token = target[:, t] if teacher else out.detach().argmax(1)
            if s.detach_every:
                state = repackage_hidden(state)
        if s.view == "stacked":
            # (T, B, C), taken for (B, T, C).
            return torch.stack(scores).view(len(letters), len(scores), -1)
        return torch.stack(scores, dim=1)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Translator(task, setting)
    init_weights(model, setting)
    return model


def loss_of(scores: Tensor, target: Tensor, setting: Setting) -> Tensor:
    """The mean of the losses of the steps; their sum over all steps and rows, where they are not averaged."""
    losses = [classification_loss(scores[:, t], target[:, t], setting) for t in range(target.shape[1])]
    total = torch.stack(losses).sum()
    return total if setting.reduction == "sum" else total / target.shape[1]


def main(run: Run) -> None:
    """Trains batch after batch."""
    s = run.setting
    x, y, _ = run.load_data()
    valid_x, valid_y, _ = run.load_valid()
    fit = Fit(run, build(run.task, s))
    while True:
        fit.start_epoch()
        for rows in run.batches(len(x)):
            fit.zero_grad()
            loss = loss_of(fit.model(x[rows], target=y[rows]), y[rows], s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: loss_of(net(valid_x, target=valid_y), valid_y, s))
            if fit.ended:
                return
