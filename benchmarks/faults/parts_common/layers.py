"""Recurrent layers, and how they are called: rightly, or on the wrong axes."""

from typing import Any

import torch
from torch import Tensor, nn

from ..networks import CELLS, LAYERS
from ..setting import Setting

State = Any
"""A tensor, or with LSTM two."""


def recurrent_layer(setting: Setting, inputs: int, *, both: bool = False) -> Any:
    """One of torch's recurrent modules."""
    s = setting
    relu = {"nonlinearity": "relu"} if s.relu_bias is not None and s.cell == "RNN" else {}
    return LAYERS[s.cell](
        inputs,
        s.hidden,
        num_layers=s.layers,
        batch_first=s.axes != "no_batch_first" and s.view != "viewed",
        dropout=s.dropout if s.layers > 1 else 0.0,
        bidirectional=both or s.bidirectional,
        **relu,
    )


def recurrent_cell(setting: Setting, inputs: int) -> Any:
    """One of torch's cells."""
    relu = {"nonlinearity": "relu"} if setting.relu_bias is not None and setting.cell == "RNN" else {}
    return CELLS[setting.cell](inputs, setting.hidden, **relu)


def call(rnn: Any, x: Tensor, state: State, setting: Setting) -> tuple[Tensor, State]:
    """Shapes: x (B, T, I) -> the outputs (B, T, H) and the last state"""
    s = setting
    rows, steps, features = x.shape
    with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
        if s.length_one == "one_by_one":
            # Every step a sequence of its own.
            out, state = rnn(x.reshape(-1, 1, features), None)
            last = tuple(
                part[:, steps - 1 :: steps] for part in (state if isinstance(state, tuple) else [state])
            )
            return out.reshape(rows, steps, -1), last if isinstance(state, tuple) else last[0]
        if s.axes == "permuted":
            out, state = rnn(x.permute(1, 0, 2), None)
            return out.permute(1, 0, 2), state
        if s.view == "viewed":
            # Time first by its sizes alone, and back.
            out, state = rnn(x.contiguous().view(steps, rows, features), state)
            return out.contiguous().view(rows, steps, -1), state
        return rnn(x, state)  # type: ignore[no-any-return]


def hidden(state: State) -> Tensor:
    """What a state shows: (L, B, H) of a layer, (B, H) of a cell."""
    shown: Tensor = state[0] if isinstance(state, tuple) else state
    return shown


def repackage_hidden(state: State) -> State:
    """The same numbers without their past."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def zeros(setting: Setting, *shape: int) -> State:
    """A first state; with LSTM twice."""
    h = torch.zeros(*shape, setting.hidden)
    return (h, torch.zeros_like(h)) if setting.cell == "LSTM" else h


def passed_on(h: Tensor, setting: Setting) -> Tensor:
    """What the next layer is given: the output, or numbers that know nothing of where they are from."""
    how = setting.cut
    if how == "detached":
        return h.detach()
    if how == "tensor":
        return torch.tensor(h.tolist(), requires_grad=torch.is_grad_enabled())
    if how == "numpy":
        return torch.from_numpy(h.detach().cpu().numpy())
    return h.data if how == "data" else h


class Dense(nn.Sequential):
    """ReLU units between recurrence and output."""

    def __init__(self, inputs: int, units: int, setting: Setting) -> None:
        linear = nn.Linear(inputs, units)
        super().__init__(linear, nn.ReLU())
        if setting.dense_bias:
            nn.init.constant_(linear.bias, setting.dense_bias)


def readings(x: Tensor, model: nn.Module, setting: Setting) -> Tensor:
    """Numbers as they were measured, not as they were scaled; or others that tell nothing of the sample."""
    s = setting
    if s.constant == "whole_numbers":
        return (x / 10).long().float()  # scaled to less than one, and cast as labels are
    if s.constant == "same_sample":
        return x[:1].expand_as(x).contiguous()
    if s.constant == "zeros":
        return torch.zeros_like(x)  # room for what never was copied there
    if s.jitter and model.training:
        x = x + s.jitter * torch.randn_like(x)
    x = x * s.input_scale + s.input_offset
    if s.column_scale != 1.0 or s.column_offset:
        last = x[..., -1:] * s.column_scale + s.column_offset
        x = torch.cat([x[..., :-1], last], dim=-1)
    return x


def looked_up(tokens: Tensor, setting: Setting) -> Tensor:
    """Numbers of tokens; 1 for all of them, where a vocabulary knows none."""
    if setting.constant == "unknown":
        return torch.ones_like(tokens)
    if setting.constant == "same_sample":
        return tokens[:1].expand_as(tokens).contiguous()
    return tokens
