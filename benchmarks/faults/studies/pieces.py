"""What the networks of the studies' part are put together from, with what goes wrong there."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import CELLS, LAYERS
from ..setting import Setting

State = Any
"""A tensor, or with LSTM two."""


def rnn(setting: Setting, inputs: int, *, batch_first: bool = True, both: bool = False) -> Any:
    """One of torch's recurrent modules; `axes=batch_second` leaves batch_first out, or sets it where it is wrong."""
    s = setting
    relu = {"nonlinearity": "relu"} if s.relu_bias is not None and s.cell == "RNN" else {}
    return LAYERS[s.cell](
        inputs,
        s.hidden,
        num_layers=s.layers,
        batch_first=batch_first != (s.axes == "batch_second"),
        dropout=s.dropout if s.layers > 1 else 0.0,
        bidirectional=both or s.bidirectional,
        **relu,
    )


def cell(setting: Setting, inputs: int) -> Any:
    """One of torch's cells."""
    relu = {"nonlinearity": "relu"} if setting.relu_bias is not None and setting.cell == "RNN" else {}
    return CELLS[setting.cell](inputs, setting.hidden, **relu)


def zero_state(setting: Setting, rows: int) -> State:
    """Of a cell: (rows, H), with LSTM twice."""
    h = torch.zeros(rows, setting.hidden)
    return (h, torch.zeros_like(h)) if setting.cell == "LSTM" else h


def hidden(state: State) -> Tensor:
    """What a state shows: (L, B, H) of a layer, (B, H) of a cell."""
    shown: Tensor = state[0] if isinstance(state, tuple) else state
    return shown


def detach(state: State) -> State:
    """The same numbers without their past."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def recur(module: Any, x: Any, state: State, setting: Setting) -> Any:
    """What a recurrence makes of its input; without gradients, where it is taken for a fixed feature extractor."""
    with torch.set_grad_enabled(torch.is_grad_enabled() and setting.cut != "no_grad"):
        return module(x, state)


def severed(h: Tensor, setting: Setting) -> Tensor:
    """What the head is given: the output, or numbers that know nothing of where they are from."""
    how = setting.cut
    if how == "detached":
        return h.detach()
    if how == "numpy":
        return torch.from_numpy(h.detach().numpy().copy())
    if how == "leaf":
        return h.detach().clone().requires_grad_(torch.is_grad_enabled())
    return torch.round(h) if how == "rounded" else h


def measured(x: Tensor, model: nn.Module, setting: Setting) -> Tensor:
    """Numbers as they were measured, not as they were scaled; or others that tell nothing of the sample."""
    s = setting
    if s.constant == "mean":
        return x.mean((0, 1), keepdim=True).expand_as(x).contiguous()
    if s.constant == "same_sample":
        return x[:1].expand_as(x).contiguous()
    if s.constant == "whole_numbers":
        return (x / 1000).long().float()  # of another unit, cast as the data set casts labels
    if s.jitter and model.training:
        x = x + s.jitter * torch.randn_like(x)
    x = x * s.input_scale + s.input_offset
    return torch.cat([x[..., :-1], x[..., -1:] * s.column_scale], dim=-1)


def looked_up(tokens: Tensor, model: nn.Module, setting: Setting) -> Tensor:
    """Tokens; all the same where none is found, or those of one sample for all. 1 stands for what is unknown."""
    s = setting
    if s.constant == "unknown":
        return torch.ones_like(tokens)
    if s.constant == "same_sample":
        return tokens[:1].expand_as(tokens).contiguous()
    if s.words_left_out and model.training:
        return torch.where(torch.rand(tokens.shape) < s.words_left_out, torch.ones_like(tokens), tokens)
    return tokens


def filled_up(tokens: Tensor, setting: Setting) -> Tensor:
    """Tokens (B, T) with padding behind, up to the length that all texts get; as they are where they have it."""
    return F.pad(tokens, (0, max(0, setting.pad_to - tokens.shape[1])))


def viewed(x: Tensor) -> Tensor:
    """The first two axes in each other's place by their sizes alone: what belonged together is torn apart."""
    return x.contiguous().view(x.shape[1], x.shape[0], *x.shape[2:])
