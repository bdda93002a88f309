"""What the scripts of the reported part have in common: how numbers come in and answers go out, with their faults."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import CELLS, LAYERS
from ..setting import Setting

State = Any
"""A tensor, or with LSTM two."""


def layer(setting: Setting, inputs: int, *, batch_first: bool = True) -> Any:
    """One of torch's recurrent modules; other axes come first where a view has put them there."""
    s = setting
    batch_first = batch_first and s.axes != "batch_first_missing"
    relu = {"nonlinearity": "relu"} if s.relu_bias is not None and s.cell == "RNN" else {}
    return LAYERS[s.cell](
        inputs,
        s.hidden,
        num_layers=s.layers,
        batch_first=batch_first != (s.view == "input"),
        dropout=s.dropout if s.layers > 1 else 0.0,
        bidirectional=s.bidirectional,
        **relu,
    )


def cell(setting: Setting, inputs: int) -> Any:
    """One of torch's cells."""
    relu = {"nonlinearity": "relu"} if setting.relu_bias is not None and setting.cell == "RNN" else {}
    return CELLS[setting.cell](inputs, setting.hidden, **relu)


def through(rnn: Any, x: Any, state: State, setting: Setting) -> Any:
    """What the recurrence makes of its input; without gradients, where they were not wanted for another network."""
    if setting.cut != "no_grad":
        return rnn(x, state)
    with torch.no_grad():
        return rnn(x, state)


def cut(h: Tensor, setting: Setting) -> Tensor:
    """What the head is given: the output, or a copy that knows nothing of where it is from."""
    if setting.cut == "detached":
        return h.detach()
    if setting.cut == "data":
        return h.data
    return torch.from_numpy(h.detach().numpy().copy()) if setting.cut == "numpy" else h


def viewed(x: Tensor) -> Tensor:
    """The first two axes in each other's place by their sizes alone: what belonged together is torn apart."""
    return x.contiguous().view(x.shape[1], x.shape[0], -1)


def hidden_of(state: State) -> Tensor:
    """The h of a state."""
    h: Tensor = state[0] if isinstance(state, tuple) else state
    return h


def detached(state: State) -> State:
    """The state without its past."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def zeros(setting: Setting, rows: int) -> State:
    """A first state of a cell, (B, H)."""
    h = torch.zeros(rows, setting.hidden)
    return (h, h.clone()) if setting.cell == "LSTM" else h


def measured(x: Tensor, setting: Setting) -> Tensor:
    """Numbers as they were measured, not as they were scaled; or an array of zeros that was never filled."""
    if setting.constant == "zeros":
        return torch.zeros_like(x)
    x = x * setting.input_scale + setting.input_offset
    return torch.cat([x[..., :-1], x[..., -1:] * setting.column_scale], dim=-1)


def looked_up(tokens: Tensor, setting: Setting) -> Tensor:
    """Tokens, of which none is found in the vocabulary where it was made from other words."""
    return torch.ones_like(tokens) if setting.constant == "unknown" else tokens


def answered(out: Tensor, setting: Setting) -> Tensor:
    """What the network says, after a last activation that does not belong there."""
    if setting.output in ("softmax", "nll_of_chances"):
        return F.softmax(out, dim=-1)
    if setting.output == "sigmoid":
        return torch.sigmoid(out)
    return F.relu(out) if setting.output == "relu" else out


def last_layer(setting: Setting, inputs: int, outputs: int) -> nn.Module:
    """A linear one, with a softmax where the network is to say chances."""
    linear = nn.Linear(inputs, outputs)
    return nn.Sequential(linear, nn.Softmax(dim=-1)) if setting.output == "softmax_module" else linear


def criterion(setting: Setting, kind: str = "classes") -> nn.Module:
    """kind: classes | chance: of one of two | numbers"""
    s = setting
    if kind == "numbers":
        return nn.SmoothL1Loss() if s.regression == "huber" else nn.MSELoss(reduction=s.reduction)
    if kind == "chance":
        return nn.BCEWithLogitsLoss(reduction=s.reduction)
    if s.output in ("nll", "nll_of_chances"):
        return nn.NLLLoss(reduction=s.reduction)
    return nn.CrossEntropyLoss(reduction=s.reduction, label_smoothing=s.smoothing)


def shaped(out: Tensor, y: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
    """Prediction and target as the loss is given them, (B, 1) both if nothing goes wrong."""
    if setting.shapes == "target_flat":
        return out, y.squeeze(-1)
    return (out.squeeze(-1), y) if setting.shapes == "output_flat" else (out, y)


def spoiled(x: Tensor, y: Tensor, setting: Setting, update: int) -> tuple[Tensor, Tensor]:
    """The batch; at one update with a value that is missing, or divided by zero."""
    if update != setting.not_a_number:
        return x, y
    if setting.broken in ("target", "masked_target"):
        y = y.clone()
        y[0] = math.nan
    elif setting.broken == "window":
        # p / p0 - 1, in a window that begins with zero
        x = x.clone()
        x[0] = x[0] / torch.zeros(()) - 1
    else:
        x = x.clone()
        x[0, 2, 0] = math.nan
    return x, y
