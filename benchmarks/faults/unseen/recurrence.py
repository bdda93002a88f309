"""The recurrent parts of the unseen part: torch's modules, called rightly or wrongly, and a cell of linear layers."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..networks import CELLS, LAYERS
from ..setting import Setting

State = tuple[Tensor, Tensor]


def layer(
    setting: Setting, inputs: int, *, steps: int = 1, layers: int | None = None, both: bool = False
) -> Any:
    """One of torch's recurrent modules.

    steps: of a sequence; a fault takes all of them for features of one.
    """
    s = setting
    layers = s.layers if layers is None else layers
    flattened = s.length_one == "features" or s.axes == "two_dimensional"
    relu = {"nonlinearity": "relu"} if s.relu_bias is not None and s.cell == "RNN" else {}
    return LAYERS[s.cell](
        inputs * steps if flattened else inputs,
        s.hidden,
        num_layers=layers,
        batch_first=s.axes != "batch_first_missing" and s.view not in ("input", "output"),
        dropout=s.dropout if layers > 1 else 0.0,
        bidirectional=both or s.bidirectional,
        **relu,
    )


def cell(setting: Setting, inputs: int) -> Any:
    """One of torch's cells."""
    relu = {"nonlinearity": "relu"} if setting.relu_bias is not None and setting.cell == "RNN" else {}
    return CELLS[setting.cell](inputs, setting.hidden, **relu)


def width(rnn: nn.RNNBase) -> int:
    """Of its outputs."""
    return rnn.hidden_size * (2 if rnn.bidirectional else 1)


def run(rnn: Any, x: Tensor, setting: Setting, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Shapes: x (B, T, I) -> outputs (B, T, H), final state of the last layer, directions side by side (B, H)"""
    if setting.cut == "no_grad":
        with torch.no_grad():
            out, state = _called(rnn, x, setting, lengths)
    else:
        out, state = _called(rnn, x, setting, lengths)
    last = state[0] if isinstance(state, tuple) else state
    if setting.view == "hidden" and rnn.bidirectional:
        final = last[-2:].contiguous().view(len(x), -1)
    elif setting.axes == "batch_first_missing" or setting.view == "output":
        final = out[:, -1]  # as it is read where batches seem to come first
    elif rnn.bidirectional:
        final = torch.cat([last[-2], last[-1]], dim=1)
    else:
        final = last[-1]
    if setting.cut == "tensor":
        return torch.tensor(out.tolist()), torch.tensor(final.tolist())
    return out, final


def _called(rnn: Any, x: Tensor, setting: Setting, lengths: Tensor | None) -> Any:
    s = setting
    if s.length_one == "window":
        x = x[:, -1:]
    if s.length_one == "features":
        x = x.flatten(1).unsqueeze(1)
    if s.axes == "two_dimensional":
        out, state = rnn(x.flatten(1))
        # The state has one column for all samples; what people read then are the outputs.
        return out[:, None], out[None]
    if s.view == "input":
        out, state = rnn(x.reshape(x.shape[1], x.shape[0], -1))
        return out.transpose(0, 1), state
    if s.view == "output":
        out, state = rnn(x.transpose(0, 1).contiguous())
        return out.reshape(x.shape[0], x.shape[1], -1), state
    if lengths is None or s.padding == "unpacked":
        return rnn(x)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, state = rnn(packed)
    return pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0], state


class ConcatCell(nn.Module):
    """A cell whose gates are linear layers of input and state side by side."""

    GATES = {"LSTM": ("input", "forget", "cell", "output"), "GRU": ("reset", "update"), "RNN": ("new",)}

    def __init__(self, inputs: int, setting: Setting) -> None:
        super().__init__()
        self.setting, self.inputs = setting, inputs
        self.gates = nn.Linear(inputs + setting.hidden, len(self.GATES[setting.cell]) * setting.hidden)
        self.new = nn.Linear(inputs + setting.hidden, setting.hidden) if setting.cell == "GRU" else None

    def forward(self, x: Tensor, state: State) -> State:
        """Shapes: x (B, I), h and c (B, H) -> the next h and c"""
        h, c = state
        gates = self.gates(torch.cat((x, h), 1))
        if self.new is not None:
            reset, update = torch.sigmoid(gates).chunk(2, 1)
            new = torch.tanh(self.new(torch.cat((x, reset * h), 1)))
            return update * h + (1 - update) * new, c
        if self.setting.cell == "LSTM":
            i, f, g, o = gates.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        if self.setting.relu_bias is not None:
            return torch.relu(gates), c
        if self.setting.activation == "sigmoid":
            return torch.sigmoid(gates), c
        return (gates if self.setting.activation == "linear" else torch.tanh(gates)), c


def detached(state: Any) -> Any:
    """The state of a cell or of a layer without its graph."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
