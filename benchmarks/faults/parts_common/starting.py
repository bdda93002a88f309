"""What the networks of scripts start from."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..sealed.recurrence import GATES
from ..setting import Setting
from .optimizing import recurrent


@torch.no_grad()
def init_weights(model: nn.Module, setting: Setting) -> None:
    """Sets what the setting names, and freezes what it freezes."""
    s = setting
    for name, p in model.named_parameters():
        if s.init in _EVERYWHERE and p.dim() > 1:
            _EVERYWHERE[s.init](p, s)
        if s.init == "zeros_all":
            p.zero_()
        if recurrent(name) and "attention" not in name:
            if p.dim() > 1:
                _matrix(p, name, s)
            elif name.rpartition(".")[2].startswith(("bias_ih", "b_x")):
                _bias(p, s)
        if s.frozen == "embedding" and "embedding" in name:
            p.requires_grad_(False)
        if s.frozen == "recurrence" and recurrent(name):
            p.requires_grad_(False)


def _matrix(value: Tensor, name: str, setting: Setting) -> None:
    """Of a recurrence, (gates * H, columns)."""
    s, hidden = setting, "weight_hh" in name or "W_h" in name
    if s.init == "normal_recurrence":
        nn.init.normal_(value, 0.0, s.gain)
    elif not hidden:
        return
    elif s.init == "orthogonal":
        for block in torch.split(value, value.shape[1]):
            nn.init.orthogonal_(block, s.gain)
    elif s.init == "normal_hh":
        nn.init.normal_(value, 0.0, s.gain)
    elif s.init == "uniform_hh":
        nn.init.uniform_(value, 0.0, s.gain)


_EVERYWHERE: dict[str, Callable[[Tensor, Setting], Any]] = {
    "xavier": lambda p, _: nn.init.xavier_uniform_(p),
    "he": lambda p, _: nn.init.kaiming_uniform_(p, a=5**0.5),
    "small_uniform": lambda p, _: nn.init.uniform_(p, -0.1, 0.1),
    "same": lambda p, s: nn.init.constant_(p, s.gain),
    "zeros": lambda p, _: nn.init.zeros_(p),
}


def _bias(value: Tensor, setting: Setting) -> None:
    """Gates get what is meant for them in one of their two biases."""
    s = setting
    gates = GATES[s.cell]
    size = len(value) // max(1, len(gates))
    for index, gate in enumerate(gates):
        if s.gate in (gate, "all"):
            value[index * size : (index + 1) * size] = s.gate_bias
    if s.relu_bias is not None and s.cell == "RNN":
        value.fill_(s.relu_bias)
