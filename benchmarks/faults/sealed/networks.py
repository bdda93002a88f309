"""Networks of the sealed part, healthy or with a fault in what they compute."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting
from ..task import Task
from .recurrence import HandCell, Recurrence, cell, cut, start

UNKNOWN = 1
"""The token that every other becomes, where a vocabulary knows none."""


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    kinds: dict[str, Callable[[Task, Setting], nn.Module]] = {
        "pooled": Pooled,
        "speller": Speller,
        "normalizer": Normalizer,
        "marked": Marked,
        "front": Front,
        "handmade": Handmade,
        "residual": Residual,
    }
    model = kinds[task.network](task, setting)
    start(model, setting)
    for loose in getattr(model, "loose", ()):
        start(loose, setting)
    if setting.frozen == "embedding":
        for module in model.modules():
            if isinstance(module, (nn.Embedding, nn.Conv1d)):
                module.requires_grad_(False)
    return model


def answer(scores: Tensor, setting: Setting) -> Tensor:
    """The last activation; the same shape."""
    if setting.output == "by_hand":
        chances = torch.exp(scores)
        return chances / chances.sum(-1, keepdim=True)
    if setting.output == "tempered":
        return F.softmax(scores * 2, dim=-1)
    if setting.output == "relu":
        return scores.clamp(min=0)
    return torch.tanh(scores) if setting.output == "tanh" else scores


def known(tokens: Tensor, setting: Setting) -> Tensor:
    """The tokens, or what a vocabulary makes of them that knows none."""
    return torch.full_like(tokens, UNKNOWN) if setting.constant == "unknown" else tokens


def raw(x: Tensor, setting: Setting) -> Tensor:
    """Numbers as they are measured; the last of them perhaps in another unit."""
    x = x * setting.input_scale + setting.input_offset
    if setting.column_scale == 1.0 and setting.column_offset == 0.0:
        return x
    return torch.cat([x[..., :-1], x[..., -1:] * setting.column_scale + setting.column_offset], dim=-1)


class Pooled(nn.Module):
    """Reads sequences of unequal length: in both directions with the maximum over time, or forward to their end."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.task, self.setting = task, setting
        self.symbols = nn.Embedding(task.inputs, task.embedding, padding_idx=0) if task.tokens else None
        self.memory = Recurrence(
            setting, task.embedding if task.tokens else task.inputs, both=task.read == "max"
        )
        width = self.memory.width * (setting.layers if setting.view == "layers" else 1)
        self.head = nn.Sequential(nn.Dropout(setting.dropout), nn.Linear(width, task.outputs))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Shapes: x (B, T) or (B, T, I) -> (B, C)"""
        s = self.setting
        features = raw(x, s) if self.symbols is None else self.symbols(known(x, s))
        out, final = self.memory(features, lengths)
        return answer(self.head(self._read(out, final, lengths)), s)

    def _read(self, out: Tensor, final: Tensor, lengths: Tensor) -> Tensor:
        s = self.setting
        if s.view == "layers":
            return final.reshape(len(lengths), -1)
        if self.task.read == "max":
            if s.padding == "packed":
                beyond = torch.arange(out.shape[1]) >= lengths[:, None]
                out = out.masked_fill(beyond[..., None], -torch.inf)
            return out.amax(1)
        return torch.cat([final[-2], final[-1]], dim=1) if self.memory.rnn.bidirectional else final[-1]


class Speller(nn.Module):
    """Cells in a loop over letters, with layer normalization above; it keeps its state, if a text goes on."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.letters = nn.Embedding(task.inputs, task.embedding)
        sizes = [task.embedding] + [setting.hidden] * (setting.layers - 1)
        cells = [cell(setting, size) for size in sizes]
        self.loose = cells if setting.optimized == "list" else []
        self.cells = nn.ModuleList([] if self.loose else cells)
        self.norm = nn.LayerNorm(setting.hidden)
        self.narrow = nn.Linear(setting.hidden, task.embedding) if setting.tied else nn.Identity()
        self.head = nn.Linear(task.embedding if setting.tied else setting.hidden, task.outputs)
        if setting.tied:
            nn.init.normal_(self.letters.weight, 0.0, 0.1)
            self.head.weight = self.letters.weight
        self.state: Any = None

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Scores of the next letter (B, T, C)."""
        s = self.setting
        goes_on = self.training and s.state != "zero"
        state = self.state if goes_on and self.state is not None else [None] * (len(self.loose or self.cells))
        if goes_on and s.state == "carried":
            state = [_apart(each) for each in state]
        features = F.dropout(self.letters(known(x, s)), s.dropout, self.training)
        over_samples = s.axes == "samples"
        outs = []
        for features_now in features.unbind(0 if over_samples else 1):
            if s.length_one == "stateless":
                state = [None] * len(state)
            h, state = self._step(features_now, state)
            outs.append(h)
            if s.detach_every:
                state = [_apart(each) for each in state]
        if goes_on:
            self.state = state
        out = cut(torch.stack(outs, dim=0 if over_samples else 1), s)
        return answer(self.head(self.narrow(self.norm(out))), s)

    def _step(self, h: Tensor, state: list[Any]) -> tuple[Tensor, list[Any]]:
        after = []
        for each, before in zip(self.loose or self.cells, state, strict=True):
            new = each(h, before)
            h = new[0] if isinstance(new, tuple) else new
            after.append(new)
        return h, after


def _apart(state: Any) -> Any:
    """A state of a cell without its graph."""
    if state is None:
        return None
    return (
        tuple(part.clone().detach() for part in state) if isinstance(state, tuple) else state.clone().detach()
    )


class Normalizer(nn.Module):
    """Encoder and decoder; the decoder is taught, and attends by a small network (additive attention)."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.begin = setting, task.outputs
        self.source = nn.Embedding(task.inputs, task.embedding)
        self.digits = nn.Embedding(task.outputs + 1, task.embedding)
        self.encoder = Recurrence(setting, task.embedding)
        self.bridge = nn.Linear(self.encoder.width, setting.hidden)
        self.decoder = nn.GRU(task.embedding, setting.hidden, batch_first=True)
        self.query = nn.Linear(setting.hidden, setting.hidden)
        self.key = nn.Linear(self.encoder.width, setting.hidden)
        self.energy = nn.Linear(setting.hidden, 1, bias=False)
        self.head = nn.Linear(setting.hidden + self.encoder.width, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Scores of the digits (B, T, C), given those before."""
        assert target is not None
        memory, final = self.encoder(self.source(known(x, self.setting)))
        given = torch.cat([torch.full_like(target[:, :1], self.begin), target[:, :-1]], dim=1)
        ways = 2 if self.encoder.rnn.bidirectional else 1
        begun = torch.tanh(self.bridge(torch.cat(list(final[-ways:]), dim=1)))
        out, _ = self.decoder(self.digits(given), begun[None])
        energy = self.energy(torch.tanh(self.query(out)[:, :, None] + self.key(memory)[:, None])).squeeze(-1)
        found = torch.bmm(F.softmax(energy, dim=-1), memory)
        both = F.dropout(torch.cat([out, found], dim=-1), self.setting.dropout, self.training)
        return answer(self.head(both), self.setting)


class Marked(nn.Module):
    """Marks are embedded, the time between stands beside them; an answer at every step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.marks = nn.Embedding(task.inputs, task.embedding)
        self.memory = Recurrence(setting, task.embedding + 1)
        self.drop = nn.Dropout(setting.dropout)
        self.head = nn.Linear(self.memory.width, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 2) -> (B, T, C)"""
        s = self.setting
        marks, gap = x[..., 0].long(), raw(x, s)[..., 1:]
        out, _ = self.memory(torch.cat([self.marks(marks), gap], dim=-1))
        return answer(self.head(self.drop(out)), s)


class Front(nn.Module):
    """A convolution that halves the time, the recurrence, and its last step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.convolution = nn.Conv1d(task.inputs, 16, kernel_size=5, stride=2)
        self.memory = Recurrence(setting, 16)
        self.drop = nn.Dropout(setting.dropout)
        self.head = nn.Linear(self.memory.width, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, I) -> (B, 1)"""
        s = self.setting
        features = F.relu(self.convolution(raw(x, s).transpose(1, 2))).transpose(1, 2)
        if s.axes == "time_first":
            out, _ = self.memory(features.transpose(0, 1))
            return answer(self.head(self.drop(out[-1])), s)
        out, _ = self.memory(features)
        return answer(self.head(self.drop(out[:, -1])), s)


class Handmade(nn.Module):
    """A cell written by hand, in a loop; an answer at every step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.events = nn.Embedding(task.inputs, task.embedding)
        unit = HandCell(task.embedding, setting)
        self.loose = [unit] if setting.optimized == "list" else []
        self.cell = None if self.loose else unit
        self.head = nn.Linear(setting.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T) -> (B, T, C)"""
        s = self.setting
        unit = self.loose[0] if self.cell is None else self.cell
        features = F.dropout(self.events(known(x, s)), s.dropout, self.training)
        axis = 0 if s.axes == "samples" else 1
        empty = torch.zeros(x.shape[1 - axis], s.hidden)
        h = c = empty
        outs = []
        for features_now in features.unbind(axis):
            if s.length_one == "stateless":
                h = c = empty
            h, c = unit(features_now, (h, c))
            outs.append(h)
            if s.detach_every:
                h, c = h.data, c.data
        return answer(self.head(cut(torch.stack(outs, dim=axis), s)), s)


class Residual(nn.Module):
    """Recurrent layers with skips around them, normalized between; read at the last step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.widen = nn.Linear(task.inputs, setting.hidden)
        blocks = [Recurrence(setting, setting.hidden, layers=1) for _ in range(setting.layers + 1)]
        self.loose = blocks if setting.optimized == "list" else []
        self.blocks = nn.ModuleList([] if self.loose else blocks)
        self.back = nn.ModuleList([_width(block.width, setting.hidden) for block in blocks])
        self.norms = nn.ModuleList([nn.LayerNorm(setting.hidden) for _ in blocks])
        self.drop = nn.Dropout(setting.dropout)
        self.head = nn.Linear(setting.hidden, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, I) -> (B, C)"""
        s = self.setting
        time_first = s.axes == "time_first"
        h = self.widen(raw(x.transpose(0, 1) if time_first else x, s))
        for block, back, norm in zip(self.loose or self.blocks, self.back, self.norms, strict=True):
            h = norm(h + self.drop(back(block(h)[0])))
        return answer(self.head(h[-1] if time_first else h[:, -1]), s)


def _width(has: int, wanted: int) -> nn.Module:
    """From one width to another."""
    return nn.Identity() if has == wanted else nn.Linear(has, wanted)
