"""The recurrent parts of the sealed part: what they start from, and how they are called, rightly or wrongly."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..networks import CELLS, LAYERS
from ..setting import Setting

GATES = {"LSTM": ("input", "forget", "cell", "output"), "GRU": ("reset", "update", "new"), "RNN": ()}
"""Of torch's modules, in the order of their weights."""


class HandCell(nn.Module):
    """A cell by its equations: an LSTM; a minimal gated unit in place of a GRU; Elman's with tanh or ReLU."""

    GATES = {"LSTM": ("input", "forget", "output", "cell"), "GRU": ("update", "new"), "RNN": ()}

    def __init__(self, inputs: int, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        rows = max(1, len(self.GATES[setting.cell])) * setting.hidden
        self.x2h = nn.Linear(inputs, rows)
        self.h2h = nn.Linear(setting.hidden, rows, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Shapes: x (B, I), h and c (B, H) -> the next h and c"""
        h, c = state
        given, kept = self.x2h(x), self.h2h(h)
        if self.setting.cell == "LSTM":
            i, f, o, g = (given + kept).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        if self.setting.cell == "GRU":
            (gate, new), (gate_kept, new_kept) = given.chunk(2, dim=1), kept.chunk(2, dim=1)
            update = torch.sigmoid(gate + gate_kept)
            return (1 - update) * h + update * torch.tanh(new + update * new_kept), c
        threshold = self.setting.relu_bias
        pre = given + kept
        return (torch.tanh(pre) if threshold is None else torch.relu(pre + threshold)), c


class Recurrence(nn.Module):
    """One of torch's recurrent modules over whole sequences."""

    def __init__(
        self, setting: Setting, inputs: int, *, layers: int | None = None, both: bool = False
    ) -> None:
        super().__init__()
        self.setting = setting
        layers = setting.layers if layers is None else layers
        extra: dict[str, Any] = {}
        if setting.relu_bias is not None and setting.cell == "RNN":
            extra["nonlinearity"] = "relu"
        if setting.cell == "LSTM":
            extra["proj_size"] = setting.projection
        self.rnn: Any = LAYERS[setting.cell](
            inputs,
            setting.hidden,
            layers,
            batch_first=setting.axes != "batch_first_missing" and setting.view != "time_first",
            dropout=setting.dropout if layers > 1 else 0.0,
            bidirectional=both or setting.bidirectional,
            **extra,
        )
        ways = 2 if self.rnn.bidirectional else 1
        self.width: int = ways * ((setting.projection if setting.cell == "LSTM" else 0) or setting.hidden)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Shapes: features (B, T, I) -> outputs (B, T, H), final states (layers and directions, B, H)"""
        s = self.setting
        if s.constant == "masked":
            features = features * torch.zeros_like(features[:, :, :1])
        if s.cut == "no_grad":
            with torch.no_grad():
                out, state = self._call(features, lengths)
        else:
            out, state = self._call(features, lengths)
        return cut(out, s), cut(state[0] if isinstance(state, tuple) else state, s)

    def _call(self, features: Tensor, lengths: Tensor | None) -> Any:
        s = self.setting
        if s.length_one == "stateless":
            steps = [self.rnn(features[:, t : t + 1]) for t in range(features.shape[1])]
            return torch.cat([out for out, _ in steps], dim=1), steps[-1][1]
        if s.view == "time_first":
            out, state = self.rnn(features.transpose(0, 1))
            return out.view(*features.shape[:2], -1), state
        if lengths is None or s.padding in ("pooled", "final_state"):
            return self.rnn(features)
        if s.padding == "full":
            lengths = torch.full_like(lengths, features.shape[1])
        packed = pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False)
        out, state = self.rnn(packed)
        return pad_packed_sequence(out, batch_first=True, total_length=features.shape[1])[0], state


def cut(out: Tensor, setting: Setting) -> Tensor:
    """What comes out of the recurrence; without its past, where the setting says so."""
    if setting.cut == "numpy":
        return torch.from_numpy(out.detach().numpy())
    if setting.cut == "leaf":
        return out.clone().detach().requires_grad_(True)
    return out.data if setting.cut == "data" else out


def cell(setting: Setting, inputs: int) -> Any:
    """One of torch's cells."""
    extra = {"nonlinearity": "relu"} if setting.relu_bias is not None and setting.cell == "RNN" else {}
    return CELLS[setting.cell](inputs, setting.hidden, **extra)


def start(model: nn.Module, setting: Setting) -> None:
    """The weights that a network starts from."""
    for module in model.modules():
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase, HandCell)):
            initialize(module, setting)
    if setting.init == "filled":
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.02)


@torch.no_grad()
def initialize(module: Any, setting: Setting) -> None:
    """The weights of one recurrent module."""
    for name, weight in module.named_parameters():
        if "weight_hh" in name or name == "h2h.weight":
            _recurrent(weight, setting)
        elif weight.dim() > 1 and "weight_hr" not in name:
            if setting.init == "xavier":
                nn.init.xavier_uniform_(weight)
            weight.mul_(setting.input_weights)
        if setting.init == "rows":
            weight.copy_(weight[:1].expand_as(weight).clone())
        if setting.init == "zeros":
            weight.zero_()
    _biases(module, setting)


def _recurrent(weight: Tensor, setting: Setting) -> None:
    columns = weight.shape[1]
    if setting.init == "normal":
        nn.init.normal_(weight, 0.0, setting.gain / columns**0.5)
    elif setting.init == "uniform":
        nn.init.uniform_(weight, -setting.gain, setting.gain)
    elif setting.init == "scaled":
        weight.mul_(setting.gain)
    elif setting.init in ("orthogonal", "identity", "xavier"):
        for block in torch.split(weight, setting.hidden):
            if setting.init == "orthogonal":
                nn.init.orthogonal_(block, setting.gain)
            elif setting.init == "identity":
                block.copy_(setting.gain * torch.eye(len(block), columns))
            else:
                nn.init.xavier_uniform_(block)


def _biases(module: Any, setting: Setting) -> None:
    """Of one gate, or of units with ReLU: those that are added to the recurrent part."""
    hand = isinstance(module, HandCell)
    gates = (HandCell.GATES if hand else GATES)[setting.cell]
    for name, bias in module.named_parameters():
        if setting.gate != "none" and (name.startswith("bias_ih") or name == "x2h.bias"):
            for index, gate in enumerate(gates):
                if setting.gate in (gate, "all"):
                    bias[index * setting.hidden : (index + 1) * setting.hidden] = setting.gate_bias
        if setting.relu_bias is not None and name.startswith("bias_hh"):
            bias.fill_(setting.relu_bias)
