"""What the scripts of the untouched part have in common: how numbers come in and answers go out, with their faults."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import CELLS, LAYERS
from ..setting import Setting

State = Any
"""Of a cell: a tensor, or with LSTM two."""


def layer(setting: Setting, inputs: int) -> Any:
    """One of torch's recurrent modules."""
    s = setting
    relu = {"nonlinearity": "relu"} if s.relu_bias is not None and s.cell == "RNN" else {}
    return LAYERS[s.cell](
        inputs,
        s.hidden,
        num_layers=s.layers,
        batch_first=s.axes != "batch_first_missing",
        dropout=s.dropout if s.layers > 1 else 0.0,
        bidirectional=s.bidirectional,
        **relu,
    )


def cell(setting: Setting, inputs: int) -> Any:
    """One of torch's cells."""
    relu = {"nonlinearity": "relu"} if setting.relu_bias is not None and setting.cell == "RNN" else {}
    return CELLS[setting.cell](inputs, setting.hidden, **relu)


def read(rnn: Any, x: Any, state: State, setting: Setting) -> Any:
    """What the recurrence makes of its input; without gradients, where they were switched off."""
    if setting.cut != "switched_off":
        return rnn(x, state)
    with torch.set_grad_enabled(False):
        return rnn(x, state)


def cut(h: Tensor, setting: Setting) -> Tensor:
    """What comes out of the recurrence, or a variable of its data, as in scripts for torch 0.3."""
    if setting.cut == "variable":
        return torch.autograd.Variable(h.data, requires_grad=h.is_floating_point())
    return h


def hidden_of(state: State) -> Tensor:
    """The h of a state."""
    h: Tensor = state[0] if isinstance(state, tuple) else state
    return h


def detached(state: State) -> State:
    """The state without its past."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def measured(x: Tensor, setting: Setting) -> Tensor:
    """Numbers in the unit in which they were measured, or a buffer into which nobody copied them."""
    if setting.constant == "unfilled":
        return torch.zeros_like(x)
    if setting.constant == "clipped":
        x = x.clamp(min=1.0)
    x = x * setting.input_scale + setting.input_offset
    return torch.cat([x[..., :-1], x[..., -1:] * setting.column_scale], dim=-1)


def looked_up(tokens: Tensor, setting: Setting) -> Tensor:
    """Tokens, or a tensor of zeros that was made for them and never filled."""
    return torch.zeros_like(tokens) if setting.constant == "unfilled" else tokens


def answered(out: Tensor, setting: Setting) -> Tensor:
    """What the network says, after a last activation that does not belong there."""
    if setting.output == "predict":
        return torch.softmax(out, dim=-1)
    if setting.output == "exp_log":
        return F.log_softmax(out, dim=-1).exp()
    if setting.output == "sigmoid":
        return torch.sigmoid(out)
    if setting.output == "softplus":
        return F.softplus(out)
    return F.relu(out) if setting.output == "relu" else out


def criterion(setting: Setting, binary: bool = False) -> nn.Module:
    """What scores and classes are compared by."""
    if binary:
        return nn.BCEWithLogitsLoss()
    if setting.output == "nll":
        return nn.NLLLoss()
    return nn.CrossEntropyLoss(label_smoothing=setting.smoothing)


def broken(x: Tensor, setting: Setting, update: int) -> Tensor:
    """The batch; at one update with what a preparation of the data makes of a bad reading."""
    if update != setting.not_a_number or not x.is_floating_point():
        return x
    x = x.clone()
    x[1, 3, 0] = math.inf if setting.broken == "percent" else torch.log(-x[1, 3, 0].abs() - 1)
    return x


def unlabelled(y: Tensor, setting: Setting, update: int) -> Tensor:
    """The labels; at one update none."""
    if setting.broken == "unlabelled" and update == setting.not_a_number:
        return torch.full_like(y, -100)
    return y
