"""What the scripts of the tutorials' part have in common: how numbers come in and answers go out, with their faults."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks import LAYERS
from ..parts_common.losses import last_layer
from ..reported.wiring import State, cell, detached, hidden_of, zeros
from ..setting import Setting

__all__ = [
    "State", "answered", "cell", "classified", "cut", "detached", "dropped", "given", "hidden_of", "last_layer",
    "layer", "looked_up", "regressed", "shaped", "spoiled", "through", "zeros",
]  # fmt: skip


def layer(setting: Setting, inputs: int, *, batch_first: bool = True) -> Any:
    """One of torch's recurrent modules."""
    s = setting
    relu = {"nonlinearity": "relu"} if s.relu_bias is not None and s.cell == "RNN" else {}
    return LAYERS[s.cell](
        inputs,
        s.hidden,
        num_layers=s.layers,
        batch_first=batch_first != (s.axes == "forgotten"),
        dropout=s.dropout if s.layers > 1 else 0.0,
        bidirectional=s.bidirectional,
        **relu,
    )


def through(rnn: Any, x: Any, state: State, setting: Setting) -> Any:
    """What the recurrence makes of its input; without gradients, where a decorator was left over it."""
    if setting.cut != "decorated":
        return rnn(x, state)
    with torch.no_grad():
        return rnn(x, state)


def cut(h: Tensor, setting: Setting) -> Tensor:
    """What the head is given: the output, or numbers that know nothing of where they are from."""
    s = setting
    if s.cut == "detached":
        return h.detach()
    if s.cut == "new_tensor":
        return torch.tensor(h.tolist())
    if s.cut == "variable":
        return h.detach().clone().requires_grad_(torch.is_grad_enabled())
    return (h > 0).float() if s.cut == "thresholded" else h


def given(x: Tensor, setting: Setting) -> Tensor:
    """Numbers as they were measured, not as they were scaled; or an array that holds nothing of them."""
    s = setting
    if s.constant == "never_filled":
        return torch.zeros_like(x)
    if s.constant == "first_row":
        return x[:, :1].mean(0, keepdim=True).expand_as(x).contiguous()
    x = x * s.input_scale + s.input_offset
    return torch.cat([x[..., :-1], x[..., -1:] * s.column_scale], dim=-1)


def looked_up(tokens: Tensor, setting: Setting) -> Tensor:
    """Tokens; none of which is found, where the vocabulary has other ones."""
    return torch.ones_like(tokens) if setting.constant == "other_vocabulary" else tokens


def dropped(x: Tensor, model: nn.Module, setting: Setting) -> Tensor:
    """After dropout."""
    return F.dropout(x, setting.dropout, model.training)


def answered(out: Tensor, setting: Setting) -> Tensor:
    """What the network says, after a last activation that does not belong there; or one that does no harm."""
    how = setting.output
    if how in ("softmax", "chances_into_nll"):
        return torch.softmax(out, dim=-1)
    if how == "softmax_over_batch":
        return torch.softmax(out, dim=0)
    if how == "log_softmax":
        return F.log_softmax(out, dim=-1)
    if how in ("sigmoid", "tanh", "relu"):
        activated: Tensor = getattr(torch, how)(out)
        return activated
    return out


def classified(out: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Cross-entropy of scores (..., C) and classes (...); what is padded is -100."""
    s = setting
    flat, right = out.reshape(-1, out.shape[-1]), y.reshape(-1)
    if s.output in ("nll", "chances_into_nll"):
        return F.nll_loss(flat, right, reduction=s.reduction)
    return F.cross_entropy(flat, right, reduction=s.reduction, label_smoothing=s.smoothing)


def regressed(out: Tensor, y: Tensor, setting: Setting) -> Tensor:
    """Squared, absolute or Huber's error."""
    kind = {"absolute": nn.L1Loss, "huber": nn.SmoothL1Loss}.get(setting.regression, nn.MSELoss)
    loss: Tensor = kind(reduction=setting.reduction)(out, y)
    return loss


def shaped(out: Tensor, y: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
    """Prediction and target as the loss is given them, (B, 1) both if nothing goes wrong."""
    if setting.shapes == "target_flattened":
        return out, y.view(-1)
    return (out[:, 0], y) if setting.shapes == "output_indexed" else (out, y)


def spoiled(x: Tensor, y: Tensor, setting: Setting, update: int) -> tuple[Tensor, Tensor]:
    """The batch; at one update with a value that is missing, infinite, or divided by zero."""
    if update != setting.not_a_number:
        return x, y
    x, y = x.clone(), y.clone()
    if setting.broken == "label":
        y[0] = math.nan
    elif setting.broken == "log":
        x[0] = torch.log(torch.zeros(()))
    elif setting.broken == "flat":
        x[0] = (x[0] * 0) / (x[0] * 0).std()
    else:
        x[1, 3] = math.nan
    return x, y
