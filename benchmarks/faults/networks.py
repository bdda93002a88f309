"""The networks of the bench, healthy or with a fault in what they compute."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .setting import Setting
from .task import Task

LAYERS: dict[str, Any] = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
CELLS: dict[str, Any] = {"RNN": nn.RNNCell, "LSTM": nn.LSTMCell, "GRU": nn.GRUCell}


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    kinds: dict[str, Any] = {"layer": LayerNet, "cells": CellNet, "own": OwnNet, "attention": AttentionNet}
    model: Any = kinds[task.network](task, setting)
    for module in model.modules():
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase, OwnCell)):
            initialize(module, setting)
    if setting.frozen == "embedding" and getattr(model, "embed", None) is not None:
        model.embed.weight.requires_grad_(False)
    if setting.frozen == "recurrence":
        for name, parameter in model.named_parameters():
            if name.startswith(("rnn", "cell")):
                parameter.requires_grad_(False)
    return model


@torch.no_grad()
def initialize(module: nn.Module, setting: Setting) -> None:
    """The recurrent module's weights as the setting says."""
    for name, weight in module.named_parameters():
        recurrent = "weight_hh" in name or "h2h" in name
        if setting.init == "zeros":
            weight.zero_()
        elif setting.init == "constant" and weight.dim() > 1:
            weight.fill_(0.05)
        elif recurrent and weight.dim() > 1 and setting.init in ("orthogonal", "scaled"):
            for block in torch.split(weight, weight.shape[1]):
                nn.init.orthogonal_(block, setting.gain) if setting.init == "orthogonal" else block.mul_(
                    setting.gain
                )
        if "bias_ih" in name and setting.gate != "none":
            n = len(weight) // max(1, len(weight) // setting.hidden)
            part = {
                "input": slice(0, n),
                "forget": slice(n, 2 * n),
                "update": slice(n, 2 * n),
                "all": slice(None),
            }
            weight[part[setting.gate]] = setting.gate_bias
        if "bias_ih" in name and setting.relu_bias is not None:
            weight.fill_(setting.relu_bias)


class LayerNet(nn.Module):
    """Embedding for tokens, one recurrent module, a linear head."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.task, self.setting = task, setting
        size = setting.hidden if setting.tied else task.embedding if task.tokens else task.inputs
        self.embed = nn.Embedding(task.inputs, size) if task.tokens else None
        if setting.tied and self.embed is not None:
            nn.init.uniform_(self.embed.weight, -0.1, 0.1)
        if setting.length_one == "features":
            size *= FLAT[task.name]
        extra = {"nonlinearity": "relu"} if setting.relu_bias is not None and setting.cell == "RNN" else {}
        self.rnn = LAYERS[setting.cell](
            size,
            setting.hidden,
            num_layers=setting.layers,
            bidirectional=setting.bidirectional,
            batch_first=setting.axes != "batch_first_missing",
            dropout=setting.dropout if setting.layers > 1 else 0.0,
            **extra,
        )
        self.drop = nn.Dropout(setting.dropout)
        width = setting.hidden * (2 if setting.bidirectional else 1)
        self.head = nn.Linear(width, task.outputs)
        if setting.tied and self.embed is not None:
            self.head.weight = self.embed.weight

    def forward(self, x: Tensor, lengths: Tensor | None = None, state: Any = None) -> Any:
        """The answer; with the state that was left, where one is carried."""
        s = self.setting
        features = x * s.input_scale + s.input_offset if self.embed is None else self.embed(x) * s.input_scale
        if s.constant != "no":
            features = torch.zeros_like(features) if s.constant == "zeros" else torch.full_like(features, 0.5)
        out, left = self.recur(features, lengths, state)
        if s.cut == "detach":
            out = out.detach()
        answer = self.head(self.drop(self.read(out, left, lengths)))
        answer = _finish(answer, s)
        return (answer, left) if s.state != "zero" else answer

    def recur(self, features: Tensor, lengths: Tensor | None, state: Any) -> Any:
        """Output (B, T, H) and final state, or what a fault makes of them."""
        s = self.setting
        if s.cut == "no_grad":
            with torch.no_grad():
                return self.rnn(features)
        if s.length_one != "no":
            return self._one_step(features)
        if s.axes == "transposed":
            out, left = self.rnn(features.transpose(0, 1))
            return out.transpose(0, 1), left
        if lengths is None or s.padding == "last_output":
            return self.rnn(features, state)
        packed, left = self.rnn(
            pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False)
        )
        return pad_packed_sequence(packed, batch_first=True)[0], left

    def _one_step(self, features: Tensor) -> Any:
        if self.setting.length_one == "features":
            return self.rnn(features.flatten(1)[:, None])
        out, left = self.rnn(features.flatten(0, 1)[:, None])
        return out.view(*features.shape[:2], -1), left

    def read(self, out: Tensor, left: Any, lengths: Tensor | None) -> Any:
        """What the head is given: every step, or the end of each sequence."""
        if self.task.read == "every":
            return out
        hidden = left[0] if isinstance(left, tuple) else left
        if self.setting.view == "final_state":
            ways = 2 if self.setting.bidirectional else 1
            return hidden[-ways:].view(-1, ways * self.setting.hidden)
        if lengths is None or self.setting.padding == "last_output":
            if self.setting.bidirectional:
                return torch.cat([hidden[-2], hidden[-1]], 1)
            return out[:, -1]
        return torch.cat([hidden[-2], hidden[-1]], 1) if self.setting.bidirectional else hidden[-1]


FLAT = {"forecast": 24, "recall": 10, "adding": 12, "activity": 30, "lines": 24}
"""Time steps of the tasks whose time may end up on the feature axis."""


def _finish(answer: Tensor, setting: Setting) -> Tensor:
    """The last activation."""
    if setting.output == "softmax":
        return torch.softmax(answer, -1)
    if setting.output == "softmax_module":
        return nn.Softmax(dim=-1)(answer)  # type: ignore[no-any-return]
    if setting.output == "relu":
        return torch.relu(answer)
    if setting.output == "sigmoid":
        return torch.sigmoid(answer)
    return answer


class CellNet(nn.Module):
    """A cell of torch's in a loop over time, with its state reset where an episode begins."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.encode = nn.Sequential(nn.Linear(task.inputs, 24), nn.Tanh())
        self.cell = CELLS[setting.cell](24, setting.hidden)
        self.drop = nn.Dropout(setting.dropout)
        self.head = nn.Linear(setting.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """An answer at every step."""
        s = self.setting
        h = x.new_zeros(len(x), s.hidden)
        state: Any = (h, h) if s.cell == "LSTM" else h
        outs = []
        for t in range(x.shape[1]):
            state = self.cell(self.encode(x[:, t] * s.input_scale + s.input_offset), state)
            outs.append(state[0] if s.cell == "LSTM" else state)
            if s.detach_every and (t + 1) % s.detach_every == 0:
                state = tuple(part.detach() for part in state) if s.cell == "LSTM" else state.detach()
        out = torch.stack(outs, 1)
        return _finish(self.head(self.drop(out.detach() if s.cut == "detach" else out)), s)


class OwnCell(nn.Module):
    """An Elman cell written by hand; or, as GRU and LSTM, a minimal gated one."""

    def __init__(self, inputs: int, setting: Setting) -> None:
        super().__init__()
        self.gated = setting.cell != "RNN"
        self.i2h = nn.Linear(inputs, setting.hidden)
        self.h2h = nn.Linear(setting.hidden, setting.hidden)
        self.keep = nn.Linear(inputs + setting.hidden, setting.hidden) if self.gated else None

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Shapes: x (B, I), h (B, H) -> (B, H)"""
        new = torch.tanh(self.i2h(x) + self.h2h(h))
        if self.keep is None:
            return new
        keep = torch.sigmoid(self.keep(torch.cat([x, h], 1)))
        return keep * h + (1 - keep) * new


class OwnNet(nn.Module):
    """The hand-written cell in a loop, read at the last step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embed = nn.Embedding(task.inputs, task.embedding)
        self.cell = OwnCell(task.embedding, setting)
        self.drop = nn.Dropout(setting.dropout)
        self.head = nn.Linear(setting.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The answer at the last step."""
        h = torch.zeros(len(x), self.setting.hidden)
        for t in range(x.shape[1]):
            h = self.cell(self.embed(x[:, t]) * self.setting.input_scale, h)
            if self.setting.detach_every and (t + 1) % self.setting.detach_every == 0:
                h = h.detach()
        h = h.detach() if self.setting.cut == "detach" else h
        return _finish(self.head(self.drop(h)), self.setting)


class AttentionNet(nn.Module):
    """Encoder and decoder, the decoder with dot-product attention, taught by the right answers so far."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embed = nn.Embedding(task.inputs, task.embedding)
        self.rnn = LAYERS[setting.cell](task.embedding, setting.hidden, batch_first=True)
        self.decoder = LAYERS[setting.cell](task.embedding, setting.hidden, batch_first=True)
        self.drop = nn.Dropout(setting.dropout)
        self.head = nn.Linear(2 * setting.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Scores (B, T, C) of the answer's digits."""
        assert target is not None
        memory, state = self.rnn(self.embed(x) * self.setting.input_scale)
        if self.setting.cut == "detach":
            memory = memory.detach()
            state = tuple(p.detach() for p in state) if isinstance(state, tuple) else state.detach()
        given = torch.cat([torch.full_like(x[:, :1], 8), target[:, :-1]], 1)
        out, _ = self.decoder(self.embed(given), state)
        weights = torch.softmax(out @ memory.transpose(1, 2) / out.shape[-1] ** 0.5, -1)
        return _finish(self.head(self.drop(torch.cat([out, weights @ memory], -1))), self.setting)
