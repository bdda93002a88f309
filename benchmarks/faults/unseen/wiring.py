"""What the networks of the unseen part have in common: how inputs come in and answers go out, with their faults."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting


class Head(nn.Module):
    """The output layer, and what stands wrongly before or behind it."""

    __call__: Callable[..., Tensor]

    def __init__(self, inputs: int, outputs: int, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.sizes = inputs, outputs
        activations: dict[str, nn.Module] = {
            "softmax": nn.Softmax(dim=-1), "sigmoid": nn.Sigmoid(), "relu": nn.ReLU(), "tanh": nn.Tanh(),
        }  # fmt: skip
        linear = nn.Linear(inputs, outputs)
        last = activations.get(setting.output)
        self.layers = nn.Sequential(linear) if last is None else nn.Sequential(linear, last)
        if setting.optimized == "in_forward":
            self.layers = nn.Sequential()

    def forward(self, features: Tensor) -> Tensor:
        """Shapes: (..., I) -> (..., O)"""
        s = self.setting
        if s.cut == "clone":
            features = features.clone().detach()
        if s.optimized == "in_forward":
            scores: Tensor = nn.Linear(*self.sizes)(features)
            return scores
        out: Tensor = self.layers(features)
        return torch.round(out) if s.cut == "rounded" else out


def looked_up(tokens: Tensor, setting: Setting) -> Tensor:
    """The tokens, or what a vocabulary makes of them that finds none of them."""
    return torch.zeros_like(tokens) if setting.constant == "lookup" else tokens


def padded(tokens: Tensor, setting: Setting) -> Tensor:
    """The tokens, as long as all are made; shapes: (B, T) -> (B, pad_to)"""
    return F.pad(tokens, (0, max(0, setting.pad_to - tokens.shape[1])))


def floored(x: Tensor, setting: Setting) -> Tensor:
    """Measurements, or what is left of them when they are divided as whole numbers."""
    return torch.div(x, 255, rounding_mode="trunc") if setting.constant == "floored" else x


def measured(x: Tensor, setting: Setting) -> Tensor:
    """Numbers in the unit in which they were measured; the last column perhaps in another one."""
    x = (x.double() if setting.double else x) * setting.input_scale + setting.input_offset
    if setting.column_scale == 1.0 and setting.column_offset == 0.0:
        return x
    return torch.cat([x[..., :-1], x[..., -1:] * setting.column_scale + setting.column_offset], dim=-1)
