"""What the networks of the tutorials' part start from."""

from typing import Any

import torch
from torch import Tensor, nn

from ..sealed.recurrence import GATES
from ..setting import Setting

DENSE = 26
"""Units of a dense layer between recurrence and output, where there is one; no other layer is as wide."""
RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@torch.no_grad()
def start(model: nn.Module, setting: Setting) -> None:
    """Sets all that the setting names: every parameter, or those of recurrences."""
    s = setting
    for name, parameter in model.named_parameters():
        matrix = parameter.dim() > 1 and "embedding" not in name
        if s.init == "everything" or (s.init == "matrices" and matrix):
            parameter.fill_(s.gain)
    for module in model.modules():
        if isinstance(module, RECURRENT):
            for name, value in module.named_parameters():
                if value.dim() > 1:
                    weight(value, "weight_hh" in name, s)
                else:
                    _bias(name, value, s)
        elif isinstance(module, nn.Embedding) and s.frozen == "embedding":
            module.requires_grad_(False)
        elif isinstance(module, nn.Linear) and module.out_features == DENSE and s.dense_bias:
            module.bias.fill_(s.dense_bias)


@torch.no_grad()
def weight(value: Tensor, recurrent: bool, setting: Setting) -> None:
    """A matrix of a recurrence, (gates * H, columns)."""
    s, columns = setting, value.shape[1]
    if s.init == "zeros":
        value.zero_()
    elif s.init == "xavier":
        nn.init.xavier_uniform_(value)
    elif s.init == "kaiming":
        nn.init.kaiming_uniform_(value, nonlinearity="linear")
    elif s.init in ("normal", "normal_hh") and (recurrent or s.init == "normal"):
        nn.init.normal_(value, 0.0, s.gain)
    elif s.init == "xavier_hh" and recurrent:
        nn.init.xavier_normal_(value, s.gain)
    elif s.init in ("orthogonal", "identity") and recurrent:
        for block in torch.split(value, columns):
            if s.init == "orthogonal":
                block.copy_(nn.init.orthogonal_(torch.empty(len(block), columns), s.gain))
            else:
                block.copy_(torch.eye(len(block), columns) * s.gain)


def _bias(name: str, value: Tensor, setting: Setting) -> None:
    """Gates get what is meant for them in one of their two biases."""
    s: Any = setting
    if s.init == "zeros":
        value.zero_()
    if not name.startswith("bias_ih"):
        return
    size = len(value) // max(1, len(GATES[s.cell]))
    for index, gate in enumerate(GATES[s.cell]):
        if s.gate in (gate, "all"):
            value[index * size : (index + 1) * size] = s.gate_bias
    if s.relu_bias is not None:
        value.fill_(s.relu_bias)
