"""What the networks of the studies' part start from."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..sealed.recurrence import GATES
from ..setting import Setting

RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@torch.no_grad()
def init_weights(model: nn.Module, setting: Setting) -> None:
    """Sets what the setting names. A cell by hand sees to its own with init_matrix."""
    s = setting
    for name, parameter in model.named_parameters():
        matrix = parameter.dim() > 1 and "embed" not in name
        if s.init == "all_same" or (s.init == "same_matrices" and matrix):
            parameter.fill_(s.gain)
    for module in model.modules():
        if isinstance(module, RECURRENT):
            for name, value in module.named_parameters():
                if value.dim() > 1:
                    init_matrix(value, s, recurrent="weight_hh" in name)
                else:
                    _init_bias(name, value, s)
        elif isinstance(module, nn.Embedding) and s.frozen == "embedding":
            module.requires_grad_(False)


@torch.no_grad()
def init_matrix(value: Tensor, setting: Setting, *, recurrent: bool) -> None:
    """A matrix of a recurrence, (gates * H, columns)."""
    s, how, columns = setting, setting.init, value.shape[1]
    if how == "orthogonal" and recurrent:
        for block in torch.split(value, columns):
            block.copy_(nn.init.orthogonal_(torch.empty(len(block), columns), s.gain))
    elif how in _HERE and recurrent:
        _HERE[how](value, s.gain)
    elif how in _EVERYWHERE:
        _EVERYWHERE[how](value)


_EVERYWHERE: dict[str, Callable[[Tensor], Any]] = {
    "xavier": nn.init.xavier_uniform_,
    "he": lambda value: nn.init.kaiming_normal_(value, nonlinearity="linear"),
}
_HERE: dict[str, Callable[[Tensor, float], Any]] = {
    "uniform_hh": lambda value, gain: nn.init.uniform_(value, -gain, gain),
    "normal_hh": lambda value, gain: nn.init.normal_(value, 0.0, gain),
    "scaled_hh": lambda value, gain: value.mul_(gain),
}
"""Of recurrent matrices alone."""


def _init_bias(name: str, value: Tensor, setting: Setting) -> None:
    """Gates get what is meant for them in one of their two biases."""
    s = setting
    if not name.startswith("bias_ih"):
        return
    size = len(value) // max(1, len(GATES[s.cell]))
    for index, gate in enumerate(GATES[s.cell]):
        if s.gate in (gate, "all"):
            value[index * size : (index + 1) * size] = s.gate_bias
    if s.relu_bias is not None:
        value.fill_(s.relu_bias)
