"""What the networks of the reported part start from."""

from typing import Any

import torch
from torch import Tensor, nn

from ..sealed.recurrence import GATES
from ..setting import Setting

DENSE = 27
"""Units of a dense layer between recurrence and output, where there is one; no other layer is as wide."""
RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@torch.no_grad()
def start(model: nn.Module, setting: Setting) -> None:
    """Sets all that the setting names: every parameter, or those of torch's recurrent modules."""
    s = setting
    for parameter in model.parameters():
        if s.init == "same":
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
    """A matrix of a recurrence."""
    s, columns = setting, value.shape[1]
    if s.init == "zeros":
        value.zero_()
    elif s.init == "xavier":
        nn.init.xavier_uniform_(value)
    elif s.init == "orthogonal" and recurrent:
        for block in torch.split(value, columns):
            block.copy_(nn.init.orthogonal_(torch.empty(len(block), columns)))
    elif s.init == "randn" or (s.init == "randn_hh" and recurrent):
        value.normal_(0.0, s.gain)
    elif s.init == "uniform":
        value.uniform_(-s.gain, s.gain)


def _bias(name: str, value: Tensor, setting: Setting) -> None:
    """Gates get what is meant for them in one of their two biases, as most scripts have it."""
    s: Any = setting
    if s.init == "zeros":
        value.zero_()
    if not name.startswith("bias_hh"):
        return
    for index, gate in enumerate(GATES[s.cell]):
        if s.gate in (gate, "all"):
            value[index * s.hidden : (index + 1) * s.hidden] = s.gate_bias
    if s.relu_bias is not None:
        value.fill_(s.relu_bias)
