"""What the networks of the workshop's part start from, beyond what all parts have in common."""

import torch
from torch import Tensor, nn

from ..parts_common.optimizing import recurrent
from ..parts_common.starting import init_weights
from ..setting import Setting


@torch.no_grad()
def start(model: nn.Module, setting: Setting) -> None:
    """Sets what the setting names."""
    init_weights(model, setting)
    for name, p in model.named_parameters():
        if setting.init == "rows_expanded" and "embedding" not in name and "norm" not in name:
            # One vector for all units: rows of a recurrence, columns of what reads it.
            one = torch.zeros(1) if p.dim() < 2 else p[:1] if recurrent(name) else p[:, :1]
            p.copy_(one.clone().expand_as(p))
        elif recurrent(name) and ("weight_hh" in name or "W_h" in name):
            _recurrence(p, setting)


def _recurrence(value: Tensor, setting: Setting) -> None:
    """Of a state, (gates * H, H)."""
    if setting.init == "identity":
        value.copy_(setting.gain * torch.eye(value.shape[1]).repeat(len(value) // value.shape[1], 1))
    elif setting.init == "rescaled":
        value.mul_(setting.gain)
