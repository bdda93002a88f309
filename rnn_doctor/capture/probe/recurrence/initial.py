"""How the weights of a recurrence are distributed before the first update: scale, shape, and how units differ."""

from __future__ import annotations

import torch

_EMPTY = 0.05
"""Share of weights that are exactly 0, from which on the others are looked at alone: learning leaves no such weights, a
sparse start and the identity do."""


def distribution(weight: torch.Tensor, gates: int) -> dict[str, float]:
    """Excess kurtosis, and largest over smallest standard deviation of a gate; of sparse weights of those that are set.

    Nothing where they have one value. Shapes: weight (G*H, any).
    """
    weight = weight.float()
    filled = float((weight != 0).float().mean())
    sparse = filled < 1 - _EMPTY
    blocks = [block[block != 0] if sparse else block for block in weight.reshape(gates, -1)]
    if not all(len(block) for block in blocks):
        return {}
    centred = torch.cat(blocks) - torch.cat(blocks).mean()
    variance = float(centred.square().mean())
    # torch's std takes ten times as long as its parts
    stds = [float((block - block.mean()).square().mean().sqrt()) for block in blocks]
    if not variance or not min(stds):
        return {}
    return {
        "kurtosis": float(centred.square().square().mean()) / variance**2 - 3,
        "gate_spread": max(stds) / min(stds),
        **({"filled": filled} if sparse else {}),
    }


def gain(weight: torch.Tensor) -> float:
    """Root mean square times the root of what a unit takes. Shapes: weight (G*H, any)."""
    return float(weight.square().mean().sqrt()) * float(weight.shape[1]) ** 0.5


def asymmetry(weight: torch.Tensor, gates: int, hidden: int) -> float:
    """||W - mean over units|| / ||W||, where a unit's row holds all its gates' weights.

    Biases are left out: a common forget bias is no symmetry. Shapes: weight (G*H, any).
    """
    rows = weight.reshape(gates, hidden, -1).transpose(0, 1).reshape(hidden, -1)
    size = float(rows.norm())
    if hidden < 2:
        return 1.0  # one unit cannot be like another
    return float((rows - rows.mean(0)).norm()) / size if size > 0 else 0.0
