"""What the networks of the unseen part start from."""

from typing import Any

import torch
from torch import Tensor, nn

from ..sealed.recurrence import GATES
from ..setting import Setting
from .recurrence import ConcatCell

RECURRENT = (nn.RNNBase, nn.RNNCellBase, ConcatCell)


@torch.no_grad()
def start(model: nn.Module, setting: Setting) -> None:
    """Sets all that the setting names: whole network, recurrent modules, embeddings."""
    s = setting
    for parameter in model.parameters():
        if s.init == "all_zeros":
            parameter.zero_()
        elif s.init == "all_constant":
            parameter.fill_(0.1)
        elif s.init == "all_normal":
            parameter.normal_(0.0, s.gain)
        elif s.init == "all_uniform":
            parameter.uniform_(-s.gain, s.gain)
    for module in model.modules():
        if isinstance(module, RECURRENT):
            _recurrent(module, s)
        if isinstance(module, nn.Embedding):
            module.weight.mul_(s.embedding_scale)


def _recurrent(module: Any, setting: Setting) -> None:
    for name, weight in module.named_parameters():
        if weight.dim() > 1:
            if isinstance(module, ConcatCell):
                _inputs(weight[:, : module.inputs], setting)
                _states(weight[:, module.inputs :], setting)
            elif "weight_hh" in name:
                _states(weight, setting)
            else:
                _inputs(weight, setting)
        elif setting.relu_bias is not None and name.startswith(("gates.bias", "bias_ih")):
            weight.fill_(setting.relu_bias)
    _gates(module, setting)


def _inputs(weight: Tensor, setting: Setting) -> None:
    if setting.init == "xavier":
        nn.init.xavier_normal_(weight)
    elif setting.init == "kaiming":
        weight.normal_(0.0, weight.shape[1] ** -0.5)
    elif setting.init == "zeros":
        weight.zero_()
    elif setting.init == "ones":
        weight.fill_(0.05)
    weight.mul_(setting.input_weights)


def _states(weight: Tensor, setting: Setting) -> None:
    columns = weight.shape[1]
    for block in torch.split(weight, columns):
        if setting.init == "orthogonal":
            block.copy_(setting.gain * nn.init.orthogonal_(torch.empty(columns, columns)))
        elif setting.init == "identity":
            block.copy_(setting.gain * torch.eye(columns))
    if setting.init in ("normal", "kaiming"):
        weight.normal_(0.0, setting.gain * columns**-0.5)
    elif setting.init == "randn":
        weight.normal_(0.0, setting.gain)
    elif setting.init == "uniform":
        weight.uniform_(-setting.gain, setting.gain)
    elif setting.init == "xavier":
        nn.init.xavier_normal_(weight)
    elif setting.init == "zeros":
        weight.zero_()
    elif setting.init == "ones":
        weight.fill_(0.05)
    elif setting.init == "scaled":
        weight.mul_(setting.gain)


def _gates(module: Any, setting: Setting) -> None:
    """Biases of one gate, or of all."""
    if setting.gate == "none":
        return
    hand = isinstance(module, ConcatCell)
    gates = (ConcatCell.GATES if hand else GATES)[setting.cell]
    for name, bias in module.named_parameters():
        if name.startswith(("gates.bias", "bias_ih")):
            for index, gate in enumerate(gates):
                if setting.gate in (gate, "all"):
                    bias[index * setting.hidden : (index + 1) * setting.hidden] = setting.gate_bias
