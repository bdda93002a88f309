"""How the weights of a recurrence are distributed before the first update: scale, shape, and how units differ."""

from __future__ import annotations

import torch


def distribution(weight: torch.Tensor, gates: int) -> dict[str, float]:
    """Excess kurtosis, and largest over smallest standard deviation of a gate. Shapes: weight (G*H, any)."""
    weight = weight.float()
    centred = weight - weight.mean()
    variance = float(centred.square().mean())
    blocks = centred.reshape(gates, -1)  # torch's std takes ten times as long as its parts
    stds = (blocks - blocks.mean(1, keepdim=True)).square().mean(1).sqrt().tolist()
    if not variance or not min(stds):
        return {}
    return {
        "kurtosis": float(centred.square().square().mean()) / variance**2 - 3,
        "gate_spread": max(stds) / min(stds),
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
