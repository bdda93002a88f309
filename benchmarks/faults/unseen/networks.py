"""Networks of the unseen part that read sequences, healthy or with a fault; those that make some: makers.py."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting
from ..task import Task
from .makers import Agent, Autoencoder, Teacher, WordModel
from .recurrence import ConcatCell, State, detached, layer, run, width
from .starting import RECURRENT, start
from .wiring import Head, floored, looked_up, measured, padded


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    kinds: dict[str, Callable[[Task, Setting], nn.Module]] = {
        "spelled": Spelled,
        "pooling": Pooling,
        "letters": Letters,
        "forecaster": Forecaster,
        "siamese": Siamese,
        "speech": Speech,
        "customers": Customers,
        "autoencoder": Autoencoder,
        "agent": Agent,
        "teacher": Teacher,
        "words": WordModel,
    }
    model = kinds[task.network](task, setting)
    start(model, setting)
    for module in model.modules():
        recurrent = isinstance(module, RECURRENT)
        embedding = isinstance(module, (nn.Embedding, nn.Conv1d))
        if (setting.frozen == "embedding" and embedding) or (setting.frozen == "recurrence" and recurrent):
            module.requires_grad_(False)
    return model.double() if setting.double else model


class Spelled(nn.Module):
    """One-hot letters into a cell of linear layers, its state handed on by hand; the last state answers."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.task, self.setting = task, setting
        self.cell = ConcatCell(task.inputs, setting)
        self.head = Head(setting.hidden, task.outputs, setting)

    def init_hidden(self, samples: int) -> State:
        """Zeros."""
        like = next(self.cell.parameters())
        return like.new_zeros(samples, self.setting.hidden), like.new_zeros(samples, self.setting.hidden)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T) -> (B, C)"""
        s = self.setting
        like = next(self.cell.parameters())
        letters = like.new_zeros(*x.shape, self.task.inputs)
        if s.constant == "no":
            letters.scatter_(2, x[..., None], 1.0)
        if s.axes == "samples":
            letters = letters.transpose(0, 1)
        state = self.init_hidden(letters.shape[0])
        outs = []
        for t in range(letters.shape[1]):
            if s.length_one == "stateless":
                state = self.init_hidden(letters.shape[0])
            state = self.cell(letters[:, t], state)
            if s.detach_every and (t + 1) % s.detach_every == 0:
                state = detached(state)
            outs.append(state[0])
        if s.axes == "samples":
            return self.head(torch.stack(outs)[:, -1])
        return self.head(outs[-1])


class Pooling(nn.Module):
    """Words of reviews, sorted by length and packed; their outputs pooled by attention, as a mean, or at the end."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = layer(setting, task.embedding)
        size = width(self.rnn)
        self.attention: nn.Module | None = None
        if setting.pooling == "attention":
            self.attention = nn.Sequential(nn.Linear(size, size), nn.Tanh(), nn.Linear(size, 1, bias=False))
        self.head = Head(size, task.outputs, setting)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Shapes: x (B, T) -> (B, 1)"""
        s, x = self.setting, padded(x, self.setting)
        order = lengths.argsort(descending=True, stable=True)
        back = order.argsort()
        features = F.dropout(self.embedding(looked_up(x[order], s)), s.dropout, self.training)
        out, final = run(self.rnn, features, s, lengths[order].clamp(min=1))
        if s.pooling == "last":
            return self.head(final[back])
        return self.head(self._pooled(out[back], lengths))

    def _pooled(self, out: Tensor, lengths: Tensor) -> Tensor:
        s = self.setting
        there = torch.arange(out.shape[1]) < lengths[:, None]
        if s.pooling == "off_by_one":
            rows = torch.arange(len(out))
            return out[rows, lengths.clamp(max=out.shape[1] - 1)]
        if self.attention is None:
            if s.padding != "packed":
                return out.mean(1)
            return (out * there[..., None]).sum(1) / lengths[:, None]
        energy = self.attention(out).squeeze(-1)
        if s.padding == "packed":
            energy = energy.masked_fill(~there, -torch.inf)
        return (torch.softmax(energy, dim=1)[..., None] * out).sum(1)


class Letters(nn.Module):
    """A tagger: letters through a convolution and a maximum, words in both directions, a score for each word."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.letters = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.convolution = nn.Conv1d(task.embedding, 20, kernel_size=3, padding=1)
        self.rnn = layer(setting, 20, both=True)
        self.head = Head(width(self.rnn), task.outputs, setting)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, letters) -> (B, T, C)"""
        s = self.setting
        samples, steps, size = x.shape
        letters = self.letters(looked_up(x, s).reshape(samples * steps, size)).transpose(1, 2)
        words = torch.relu(self.convolution(letters)).amax(2).view(samples, steps, -1)
        out, _ = run(self.rnn, F.dropout(words, s.dropout, self.training), s, lengths)
        return self.head(out)


class Forecaster(nn.Module):
    """One-layer modules one after another over values, their mask and the gaps; the last step tells the next value."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        layers, size, steps = [], task.inputs, 16
        for _ in range(setting.layers):
            layers.append(layer(setting, size, steps=steps, layers=1))
            size, steps = width(layers[-1]), 1
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(size) if setting.layer_norm else nn.Identity()
        self.head = Head(size, task.outputs, setting)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 3) -> (B, 1)"""
        s = self.setting
        out, final = measured(floored(x, s), s), None
        for rnn in self.layers:
            out, final = run(rnn, F.dropout(out, s.dropout, self.training and final is not None), s)
        assert final is not None
        # In both directions the last step has seen all forward alone: the states have.
        return self.head(self.norm(final if s.bidirectional else out[:, -1]))


class Siamese(nn.Module):
    """Two sequences through the same recurrence; how far their final states are apart decides."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.encoder = layer(setting, task.inputs, steps=12)
        size = width(self.encoder)
        self.embed = nn.Linear(size, 16)
        self.head = Head(16, task.outputs, setting)

    def encode(self, x: Tensor) -> Tensor:
        """Shapes: x (B, T, I) -> (B, 16)"""
        s = self.setting
        _, final = run(self.encoder, measured(floored(x, s), s), s)
        return torch.tanh(self.embed(F.dropout(final, s.dropout, self.training)))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, 2, T, I) -> (B, 1)"""
        return self.head((self.encode(x[:, 0]) - self.encode(x[:, 1])).abs())


class Speech(nn.Module):
    """A convolution over frames, the recurrence, and for each frame the scores of phones and of the blank."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.front = nn.Conv1d(task.inputs, 16, kernel_size=3, padding=1)
        self.rnn = layer(setting, 16)
        self.head = Head(width(self.rnn), task.outputs, setting)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, I) -> (B, T, C)"""
        s = self.setting
        frames = torch.relu(self.front(measured(floored(x, s), s).transpose(1, 2)))
        frames = frames.reshape(len(x), x.shape[1], -1) if s.view == "channels" else frames.transpose(1, 2)
        out, _ = run(self.rnn, F.dropout(frames, s.dropout, self.training), s)
        return self.head(out)


class Customers(nn.Module):
    """Articles and prices in time, the customer beside them, a dense layer, and two heads: next shelf, mean price."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.articles = nn.Embedding(task.inputs, task.embedding)
        self.customers = nn.Embedding(8, 4)
        self.rnn = layer(setting, task.embedding + 1, steps=7)
        self.dense = nn.Linear(width(self.rnn) + 4, 32)
        self.norm = nn.LayerNorm(32) if setting.layer_norm else nn.Identity()
        self.head = Head(32, task.outputs, setting)
        self.price = nn.Linear(32, 1)
        if setting.dense_bias:
            nn.init.constant_(self.dense.bias, setting.dense_bias)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Shapes: x (B, T, 3) -> (B, C), (B)"""
        s = self.setting
        articles = looked_up(x[..., 0].long(), s)
        features = torch.cat([self.articles(articles), measured(x, s)[..., 2:]], dim=-1)
        _, final = run(self.rnn, features, s)
        both = torch.cat([final, self.customers(x[:, 0, 1].long())], dim=1)
        dense = F.dropout(torch.relu(self.norm(self.dense(both))), s.dropout, self.training)
        return self.head(dense), self.price(dense).squeeze(-1)
