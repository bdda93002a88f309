"""What the networks of the untouched part start from."""

from typing import Any

import torch
from torch import Tensor, nn

from ..sealed.recurrence import GATES
from ..setting import Setting


class FromScratch(nn.Module):
    """A recurrence of plain matrices, its gates side by side in the order of torch's."""

    def __init__(self, inputs: int, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        rows = max(1, len(GATES[s.cell])) * s.hidden
        made = {
            "weight_ih": torch.randn(rows, inputs) / (inputs + s.hidden) ** 0.5,
            "weight_hh": torch.randn(rows, s.hidden) / (inputs + s.hidden) ** 0.5,
            "bias_ih": torch.zeros(rows),
            "bias_hh": torch.zeros(rows),
        }
        for name, value in made.items():
            # Tensors that require a gradient look like parameters, and no module knows them.
            loose = s.optimized == "tensors"
            setattr(self, name, value.requires_grad_() if loose else nn.Parameter(value))

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: x (B, I), h and c (B, H) -> the next h and c"""
        mine: Any = self
        given = x @ mine.weight_ih.T + mine.bias_ih
        kept = h @ mine.weight_hh.T + mine.bias_hh
        if self.setting.cell == "LSTM":
            i, f, g, o = (given + kept).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        if self.setting.cell == "GRU":
            (r, z, n), (r_kept, z_kept, n_kept) = given.chunk(3, 1), kept.chunk(3, 1)
            update = (z + z_kept).sigmoid()
            new = (n + (r + r_kept).sigmoid() * n_kept).tanh()
            return (1 - update) * new + update * h, c
        total = given + kept
        return (total.tanh() if self.setting.relu_bias is None else total.relu()), c


RECURRENT = (nn.RNNBase, nn.RNNCellBase, FromScratch)


@torch.no_grad()
def start(model: nn.Module, setting: Setting) -> None:
    """Sets all that the setting names: every parameter, or those of recurrent modules."""
    s = setting
    for parameter in model.parameters():
        if s.init == "averages":
            parameter.fill_(1.0 / parameter.shape[-1])
    for module in model.modules():
        if isinstance(module, RECURRENT):
            for name, weight in module.named_parameters():
                if weight.dim() > 1:
                    _weight(weight, "weight_hh" in name, module, s)
                elif s.init == "zeros":
                    weight.zero_()
            _biases(module, s)
        elif isinstance(module, nn.Embedding) and s.frozen == "embedding":
            module.requires_grad_(False)
        if isinstance(module, nn.Linear) and module.out_features == DENSE and s.dense_bias:
            module.bias.fill_(s.dense_bias)


DENSE = 31
"""Units of a dense layer between recurrence and output, where there is one; no other layer is as wide."""


def _weight(weight: Tensor, recurrent: bool, module: Any, setting: Setting) -> None:
    columns = weight.shape[1]
    if setting.init == "zeros":
        weight.zero_()
    elif setting.init == "input_width":
        # As for a linear layer of the input: the state is wider.
        inputs = next(w.shape[1] for name, w in module.named_parameters() if "weight_ih" in name)
        weight.uniform_(-setting.gain * inputs**-0.5, setting.gain * inputs**-0.5)
    elif setting.init == "xavier" or (setting.init == "xavier_gain" and recurrent):
        nn.init.xavier_normal_(weight, setting.gain)
    elif recurrent and setting.init == "orthogonal":
        for block in torch.split(weight, columns):
            block.copy_(setting.gain * nn.init.orthogonal_(torch.empty(len(block), columns)))
    elif recurrent and setting.init == "sparse":
        nn.init.sparse_(weight, sparsity=0.9, std=setting.gain)
    elif recurrent and setting.init == "truncated":
        nn.init.trunc_normal_(weight, std=setting.gain)


def _biases(module: Any, setting: Setting) -> None:
    """Both biases of a gate get what is meant for one of them; of units with ReLU one alone."""
    s = setting
    for name, bias in module.named_parameters():
        if s.gate != "none" and name.startswith(("bias_ih", "bias_hh")):
            for index, gate in enumerate(GATES[s.cell]):
                if s.gate in (gate, "all"):
                    bias[index * s.hidden : (index + 1) * s.hidden] = s.gate_bias / 2
        if s.relu_bias is not None and name.startswith("bias_hh"):
            bias.fill_(s.relu_bias)
