"""Networks of the blind part, healthy or with a fault in what they compute."""

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..networks import CELLS, LAYERS, initialize
from ..setting import Setting
from ..task import Task


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    kinds: dict[str, Any] = {
        "pipeline": pipeline,
        "packed": PackedReader,
        "loop": NoteLoop,
        "translator": Translator,
    }
    model: Any = kinds[task.network](task, setting)
    for module in model.modules():
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
            initialize(module, setting)
            if setting.init == "xavier":
                _xavier(module)
        if isinstance(module, nn.Embedding) and setting.frozen == "embedding":
            module.requires_grad_(False)
    return model


def layer(task: Task, setting: Setting, inputs: int) -> Any:
    """torch's recurrent module as the setting says."""
    extra = {"nonlinearity": "relu"} if setting.relu_bias is not None and setting.cell == "RNN" else {}
    return LAYERS[setting.cell](
        inputs,
        setting.hidden,
        setting.layers,
        batch_first=setting.axes != "batch_first_missing",
        dropout=setting.dropout if setting.layers > 1 else 0.0,
        bidirectional=setting.bidirectional,
        **extra,
    )


def _xavier(module: nn.Module) -> None:
    """As many scripts do: every matrix by Xavier, every bias zero."""
    for weight in module.parameters():
        nn.init.xavier_uniform_(weight) if weight.dim() > 1 else nn.init.zeros_(weight)


def pipeline(task: Task, setting: Setting) -> nn.Sequential:
    """An nn.Sequential from tokens to scores."""
    ways = 2 if setting.bidirectional else 1
    parts: list[tuple[str, nn.Module]] = [
        ("tokens", nn.Embedding(task.inputs, task.embedding)),
        ("encoder", Encoder(task, setting)),
        ("dropout", nn.Dropout(setting.dropout)),
        ("scores", nn.Linear(ways * setting.hidden, task.outputs)),
        ("answer", Answer(setting.output)),
    ]
    return Pipeline(OrderedDict(parts))


class Pipeline(nn.Sequential):
    """Its parts one after another; lengths are not needed."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Scores, or numbers."""
        scores: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return scores


class Answer(nn.Module):
    """The last activation, functional."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, scores: Tensor) -> Tensor:
        """The same shape."""
        if self.kind == "softmax":
            return F.softmax(scores, dim=-1)
        if self.kind == "sigmoid":
            return F.sigmoid(scores)
        return F.relu(scores) if self.kind == "relu" else scores


class Encoder(nn.Module):
    """The recurrent module in a pipeline: its outputs at every step, at the last, or their mean."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.task, self.setting = task, setting
        steps = STEPS[task.name] if setting.length_one == "features" else 1
        self.rnn = layer(task, setting, task.embedding * steps)

    def forward(self, features: Tensor) -> Tensor:
        """Shapes: features (B, T, I) -> (B, T, H) or (B, H)"""
        s = self.setting
        if s.constant != "no":
            features = torch.full_like(features, 0.0 if s.constant == "zeros" else 0.5)
        out: Tensor
        out, state = self._steps(features)
        if s.cut == "rebuilt":
            out = torch.tensor(out.tolist())
        elif s.cut == "detach":
            out = out.data
        if self.task.read == "mean":
            return out.mean(1)
        if self.task.read == "every":
            return out
        if s.bidirectional and s.cut == "nowhere":
            final = state[0] if isinstance(state, tuple) else state
            return torch.cat((final[-2], final[-1]), dim=-1)
        return out.select(1, -1)

    def _steps(self, features: Tensor) -> Any:
        s = self.setting
        if s.length_one == "features":
            out, state = self.rnn(features.reshape(len(features), 1, -1))
            return (out.expand(-1, STEPS[self.task.name], -1) if self.task.read == "every" else out), state
        if s.length_one == "split":
            out, state = self.rnn(features.reshape(-1, 1, features.shape[-1]))
            return out.reshape(*features.shape[:2], -1), state
        if s.axes == "transposed":
            out, state = self.rnn(features.permute(1, 0, 2))
            return out.permute(1, 0, 2), state
        if s.cut == "no_grad":
            with torch.no_grad():
                return self.rnn(features)
        return self.rnn(features)


STEPS = {"motifs": 18, "brackets": 16, "sums": 7, "agreement": 9}
"""Lengths of the tasks whose time may end up on the feature axis."""


class PackedReader(nn.Module):
    """Reads sequences of unequal length; tokens are embedded after they were packed."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0) if task.tokens else None
        self.encoder = layer(task, setting, task.embedding if task.tokens else task.inputs)
        ways = 2 if setting.bidirectional else 1
        self.classifier = nn.Sequential(
            nn.Dropout(setting.dropout), nn.Linear(ways * setting.hidden, task.outputs)
        )
        self.answer = Answer(setting.output)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Shapes: x (B, T) or (B, T, I) -> (B, C)"""
        s = self.setting
        if self.embedding is None:
            x = x * s.input_scale + s.input_offset
            if s.constant != "no":
                x = torch.full_like(x, 0.0 if s.constant == "zeros" else 0.5)
        if s.padding == "last_output":
            out, _ = self.encoder(x if self.embedding is None else self.embedding(x))
            return self.answer(self.classifier(out[:, -1, :]))  # type: ignore[no-any-return]
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        if self.embedding is not None:
            packed = packed._replace(data=self.embedding(packed.data))
        out, state = self.encoder(packed)
        final = state[0] if isinstance(state, tuple) else state
        last = self._last(out, final, lengths)
        return self.answer(self.classifier(last.detach() if s.cut == "detach" else last))  # type: ignore[no-any-return]

    def _last(self, out: Any, final: Tensor, lengths: Tensor) -> Tensor:
        """The end of each sequence (B, H), or of both of its ways (B, 2H)."""
        if self.setting.view == "final_state":
            return final.reshape(len(lengths), -1)
        if self.setting.bidirectional:
            return torch.cat((final[-2], final[-1]), dim=1)
        padded, _ = pad_packed_sequence(out, batch_first=True)
        return padded[torch.arange(len(lengths)), lengths - 1]


class NoteLoop(nn.Module):
    """A stack of cells in a loop over the notes; the state may go on into the next batch."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.notes = nn.Embedding(task.inputs, task.embedding)
        sizes = [task.embedding] + [setting.hidden] * setting.layers
        self.cells = nn.ModuleList([CELLS[setting.cell](i, setting.hidden) for i in sizes[:-1]])
        self.to_note = nn.Linear(setting.hidden, task.outputs)
        self.answer = Answer(setting.output)

    def forward(self, x: Tensor, lengths: Tensor | None = None, state: Any = None) -> Any:
        """Scores of the next note (B, T, C); and the state, where it is carried."""
        s = self.setting
        state = state or [None] * len(self.cells)
        scores = []
        for t, note in enumerate(x.unbind(1)):
            h = self.notes(note)
            for i, cell in enumerate(self.cells):
                state[i] = cell(h, state[i])
                h = state[i][0] if s.cell == "LSTM" else state[i]
            h = F.dropout(h, s.dropout, self.training)
            scores.append(self.to_note(h.detach() if s.cut == "detach" else h))
            if s.detach_every and (t + 1) % s.detach_every == 0:
                state = detached(state)
        answer = self.answer(torch.stack(scores, dim=1))
        return (answer, state) if s.state != "zero" else answer


def detached(state: Any) -> Any:
    """A stack of states without their graph."""
    return [tuple(p.detach() for p in each) if isinstance(each, tuple) else each.detach() for each in state]


class Translator(nn.Module):
    """A bidirectional encoder, a bridge, and a decoder that attends by a bilinear form."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.source = nn.Embedding(task.inputs, task.embedding)
        self.target = nn.Embedding(task.outputs + 1, task.embedding)
        self.encoder = LAYERS[setting.cell](
            task.embedding, setting.hidden, batch_first=True, bidirectional=True
        )
        self.bridge = nn.Linear(2 * setting.hidden, setting.hidden)
        self.decoder = LAYERS[setting.cell](task.embedding, setting.hidden, batch_first=True)
        self.attend = nn.Linear(setting.hidden, 2 * setting.hidden, bias=False)
        self.mix = nn.Linear(3 * setting.hidden, setting.hidden)
        self.words = nn.Linear(setting.hidden, task.outputs)
        self.answer = Answer(setting.output)
        self.begin = task.outputs

    def forward(self, x: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Scores of the translation's words (B, T, C), given those before."""
        assert target is not None
        memory, state = self.encoder(self.source(x))
        if self.setting.cut == "detach":
            memory = memory.detach()
        final = state[0] if isinstance(state, tuple) else state
        start = torch.tanh(self.bridge(torch.cat((final[0], final[1]), dim=1)))[None]
        given = F.pad(target[:, :-1], (1, 0), value=self.begin)
        out, _ = self.decoder(
            self.target(given), (start, torch.zeros_like(start)) if isinstance(state, tuple) else start
        )
        weights = F.softmax(torch.bmm(self.attend(out), memory.mT), dim=-1)
        mixed = torch.tanh(self.mix(torch.cat((out, torch.bmm(weights, memory)), dim=-1)))
        return self.answer(self.words(F.dropout(mixed, self.setting.dropout, self.training)))  # type: ignore[no-any-return]
