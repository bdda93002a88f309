"""Networks of the fifth set, with cells and regularizers that the fault bench does not have."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.faults.setting import Setting
from benchmarks.faults.task import Task

CELLS = ("projected", "relu", "minimal", "LSTMCell")


class Minimal(nn.Module):
    """A gated cell by hand: one gate mixes the old state with a new one."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.new, self.keep = (nn.Linear(inputs + hidden, hidden) for _ in range(2))

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        """Shapes: x (B, I), state (B, H) -> (B, H)"""
        both = torch.cat([x, state], 1)
        keep = torch.sigmoid(self.keep(both))
        return keep * state + (1 - keep) * torch.tanh(self.new(both))


class Reader(nn.Module):
    """Embedding for tokens, one recurrence, layer normalization, dropout with one mask for all steps, a linear head."""

    def __init__(self, task: Task, setting: Setting, locked: float) -> None:
        super().__init__()
        self.task, self.kind, self.hidden, self.locked = task, setting.cell, setting.hidden, locked
        self.embed = nn.Embedding(task.inputs, task.embedding, padding_idx=0) if task.tokens else None
        inputs = task.embedding if task.tokens else task.inputs
        made: dict[str, Any] = {
            "projected": lambda: nn.LSTM(inputs, 2 * self.hidden, proj_size=self.hidden, batch_first=True),
            "relu": lambda: nn.RNN(inputs, self.hidden, nonlinearity="relu", batch_first=True),
            "minimal": lambda: Minimal(inputs, self.hidden),
            "LSTMCell": lambda: nn.LSTMCell(inputs, self.hidden),
        }
        self.recurrence = made[self.kind]()
        self.norm = nn.LayerNorm(self.hidden) if setting.layer_norm else nn.Identity()
        self.drop = nn.Dropout(setting.dropout)
        self.head = nn.Linear(self.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Scores at every step, or at the last of each sequence."""
        out = self._recur(x if self.embed is None else self.embed(x), lengths)
        if self.locked and self.training:
            kept = torch.rand(len(out), 1, self.hidden) > self.locked
            out = out * kept / (1 - self.locked)
        if self.task.read != "every":
            last = torch.full((len(x),), x.shape[1] - 1) if lengths is None else lengths - 1
            out = out[torch.arange(len(x)), last]
        scores: Tensor = self.head(self.drop(self.norm(out)))
        return scores

    def _recur(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        if self.kind not in ("projected", "relu"):
            return self._loop(features)
        if lengths is None:
            out: Tensor = self.recurrence(features)[0]
            return out
        packed = pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(
            self.recurrence(packed)[0], batch_first=True, total_length=features.shape[1]
        )[0]

    def _loop(self, features: Tensor) -> Tensor:
        h = features.new_zeros(len(features), self.hidden)
        state: Any = (h, h) if self.kind == "LSTMCell" else h
        outs = []
        for step in features.unbind(1):
            state = self.recurrence(step, state)
            outs.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(outs, 1)
