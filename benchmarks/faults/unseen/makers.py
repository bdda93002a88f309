"""Networks of the unseen part that make sequences or act: autoencoder, agent, decoder, language model."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting
from ..task import Task
from .recurrence import cell, detached, layer, run, width
from .wiring import Head, floored, looked_up, measured, padded

_CODE = 4


class Autoencoder(nn.Module):
    """A variational one: the final state becomes a noisy code, of which a second recurrence writes the sequence."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.encoder = layer(setting, task.inputs, steps=12)
        self.mean = nn.Linear(width(self.encoder), _CODE)
        self.log_variance = nn.Linear(width(self.encoder), _CODE)
        nn.init.constant_(self.log_variance.bias, -3.0)
        self.decoder = nn.GRU(_CODE + 1, 32, batch_first=True)
        self.head = Head(32, task.outputs, setting)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Shapes: x (B, T, 1) -> (B, T, 1), (B, code), (B, code)"""
        s = self.setting
        _, final = run(self.encoder, measured(floored(x, s), s), s)
        final = F.dropout(final, s.dropout, self.training)
        mean, log_variance = self.mean(final), self.log_variance(final)
        code = mean
        if self.training:
            code = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        if s.cut == "between":
            code = code.detach()
        steps = x.shape[1]
        clock = torch.linspace(-1, 1, steps, dtype=code.dtype).expand(len(x), steps)[..., None]
        out, _ = self.decoder(torch.cat([code[:, None].expand(-1, steps, -1), clock], dim=-1))
        return self.head(out), mean, log_variance


class Agent(nn.Module):
    """An actor and its critic on one cell, stepped through the corridor; both answer at its end."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        sizes = [task.inputs] + [setting.hidden] * (setting.layers - 1)
        self.cells = nn.ModuleList([cell(setting, size) for size in sizes])
        self.head = Head(setting.hidden, task.outputs, setting)
        self.critic = nn.Linear(setting.hidden, 1)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Shapes: x (B, T, I) -> scores of the ways (B, C), expected reward (B)"""
        s = self.setting
        x = measured(floored(x, s), s)
        if s.axes == "samples":
            x = x.transpose(0, 1)
        state: list[Any] = [None] * len(self.cells)
        outs = []
        for t in range(x.shape[1]):
            if s.length_one == "stateless":
                state = [None] * len(self.cells)
            h = x[:, t]
            for i, each in enumerate(self.cells):
                state[i] = each(h, state[i])
                h = state[i][0] if isinstance(state[i], tuple) else state[i]
            outs.append(h)
            if s.detach_every and (t + 1) % s.detach_every == 0 and t + 1 < x.shape[1]:
                state = [detached(each) for each in state]
        h = torch.stack(outs)[:, -1] if s.axes == "samples" else outs[-1]
        h = F.dropout(h, s.dropout, self.training)
        return self.head(h), self.critic(h).squeeze(-1)


class Teacher(nn.Module):
    """An encoder and a decoder of cells, which is given the right digit, or at some steps its own."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.begin = setting, task.outputs
        self.letters = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.encoder = layer(setting, task.embedding)
        self.bridge = nn.Linear(width(self.encoder), setting.hidden)
        self.digits = nn.Embedding(task.outputs + 1, task.embedding)
        self.decoder = nn.GRUCell(task.embedding, setting.hidden)
        self.head = Head(setting.hidden, task.outputs, setting)

    def forward(self, x: Tensor, lengths: Tensor, target: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T), target (B, digits) -> (B, digits, C)"""
        assert target is not None
        s = self.setting
        features = F.dropout(self.letters(looked_up(padded(x, s), s)), s.dropout, self.training)
        _, final = run(self.encoder, features, s, lengths)
        h = torch.tanh(self.bridge(final))
        if s.cut == "between":
            h = h.detach()
        begun, given, outs = h, torch.full_like(target[:, 0], self.begin), []
        for right in target.unbind(1):
            if s.length_one == "stateless":
                h = torch.zeros_like(begun)
            h = self.decoder(self.digits(given), h)
            outs.append(self.head(h))
            if s.detach_every:
                h = h.detach()
            forced = not self.training or float(torch.rand(())) < s.forcing
            given = right if forced else outs[-1].argmax(-1).detach()
        return torch.stack(outs, dim=1)


class WordModel(nn.Module):
    """A language model over (time, batch), its state handed in and out; encoder and decoder may share their weights."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        size = s.hidden if s.tied else task.embedding
        self.drop = nn.Dropout(s.dropout)
        self.encoder = nn.Embedding(task.inputs, size)
        relu = {"nonlinearity": "relu"} if s.relu_bias is not None and s.cell == "RNN" else {}
        kind: Any = getattr(nn, s.cell)
        self.rnn = kind(size, s.hidden, s.layers, dropout=s.dropout if s.layers > 1 else 0.0, **relu)
        self.head = Head(s.hidden, task.outputs, s)
        if s.tied:
            nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
            self.head.layers[0].weight = self.encoder.weight
        if s.learned_start:
            self.begun = nn.Parameter(torch.zeros(2, s.layers, 1, s.hidden))

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Shapes: x (T, B), state -> (T, B, C), the next state"""
        s = self.setting
        if state is None and s.learned_start:
            h, c = (part.expand(-1, x.shape[1], -1).contiguous() for part in self.begun)
            state = (h, c) if s.cell == "LSTM" else h
        words = self.drop(self.encoder(looked_up(x, s)))
        if s.cut == "no_grad":
            with torch.no_grad():
                out, state = self.rnn(words, state)
        else:
            out, state = self.rnn(words, state)
        if s.view == "output":
            out = out.reshape(out.shape[1], out.shape[0], -1).transpose(0, 1)
        return self.head(self.drop(out)), state
