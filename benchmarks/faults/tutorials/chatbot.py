"""A script that answers: an encoder of what was asked, a decoder that is given all of the right answer at once."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from ..setting import Setting
from ..task import Task
from .data import TURNS
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import State, answered, classified, cut, dropped, last_layer, layer, looked_up, through


class Encoder(nn.Module):
    """What was asked, packed."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = layer(setting, task.embedding)

    def forward(self, asked: Tensor, lengths: Tensor) -> State:
        """Shapes: asked (B, T) -> the last state"""
        s = self.setting
        embedded: Any = dropped(self.embedding(looked_up(asked, s)), self, s)
        if s.axes == "forgotten":
            rows = s.layers, len(asked), s.hidden
            state = through(self.rnn, embedded, None, s)[1]
            # Its state is one of places; the last of them is taken for all.
            last = [
                part[:, -1:].expand(rows).contiguous() for part in (state if s.cell == "LSTM" else (state,))
            ]
            return tuple(last) if s.cell == "LSTM" else last[0]
        if s.padding != "encoded":
            embedded = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        _, state = through(self.rnn, embedded, None, s)
        return tuple(cut(part, s) for part in state) if isinstance(state, tuple) else cut(state, s)


class Decoder(nn.Module):
    """The answer, given each word before."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.outputs + 1, task.embedding)
        self.rnn = layer(setting.changed(axes="right"), task.embedding)
        self.out = last_layer(setting, setting.hidden, task.outputs)

    def forward(self, words: Tensor, state: State) -> Tensor:
        """Shapes: words (B, T), state -> scores (B, T, C)"""
        output, _ = self.rnn(self.embedding(words), state)
        return answered(self.out(output), self.setting)


class Chatbot(nn.Module):
    """Both."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.begin = setting, task.outputs
        self.encoder, self.decoder = Encoder(task, setting), Decoder(task, setting)

    def forward(self, asked: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Shapes: asked (B, T), target (B, T') -> (B, T', C)"""
        assert target is not None
        assert lengths is not None
        s = self.setting
        state = self.encoder(asked, lengths)
        before = target[:, :-1].clamp_min(0)
        first = torch.full((len(asked), 1), self.begin)
        if self.training and s.forcing < 1.0:
            with torch.no_grad():
                own = self.decoder(torch.cat([first, before], 1), state).argmax(-1)[:, :-1]
            before = torch.where(torch.rand(before.shape) < s.forcing, before, own)
        scores: Tensor = self.decoder(torch.cat([first, before], 1), state)
        return scores


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Chatbot(task, setting)
    start(model, setting)
    return model


def padded(asked: Tensor, setting: Setting) -> Tensor:
    """Up to the length that all questions get."""
    more = max(0, setting.pad_to - asked.shape[1])
    return torch.cat([asked, asked.new_zeros(len(asked), more)], 1)


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    asked, answers, lengths = run.training_set()
    val_asked, val_answers, val_lengths = run.held_out()
    assert lengths is not None
    fit = Fit(run, build(task, s), classes=True)
    fit.model.train()
    for src, trg, n in run.batches(padded(asked, s), answers, lengths):
        fit.clear()
        output = fit.model(src, n, trg)
        if s.view == "turned":
            # (T, B, C) was meant, and (B, T, C) is there.
            output = output.view(TURNS, len(src), -1).transpose(0, 1)
        loss = classified(output, trg, s)
        fit.backward(loss)
        if not fit.step(loss):
            continue
        if fit.validates:
            fit.model.eval()
            with torch.no_grad():
                classified(fit.model(val_asked, val_lengths, val_answers), val_answers, s)
            fit.model.train()
        if fit.ended:
            return
