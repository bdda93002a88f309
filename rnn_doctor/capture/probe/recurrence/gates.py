"""What gates and states of a replay do: saturation, stuck and dead units, growth, and the gradient by time."""

from __future__ import annotations

from typing import Any, Sequence

import torch

from .backpropagation import Gradients
from .replay import Direction, Replayed

_SIGMOIDS = frozenset("iforz")
_CLOSED, _OPEN = 0.1, 0.9
"""Left and right saturation of a sigmoid gate (Karpathy, Johnson, Fei-Fei 2015, section 4.2)."""
_FLAT = 0.97
"""|tanh| beyond it has a derivative below 0.06."""
_STUCK = 0.9
"""Share of steps and rows that makes a unit's gate stuck."""
_DEAD = 1e-3
"""Standard deviation of a unit's state below which it says nothing."""
_FEWEST_STATES = 16
"""States (of all steps and rows) below which a unit that did not change may yet do so."""
_MOST_TIMES = 48
_MOST_GATE_TIMES = 24
"""Time steps at which the gates are told: they are drawn, not judged, and a log has to stay small."""
_MOST_UNITS = 128
"""Values of a gate at one time step, of all rows and units, of which its range is taken: the share below a tenth is
then known to within 0.03, which is what a drawing shows."""
_MOST_STATES = 256
"""States (of all steps and rows) of which a rank is taken."""
_WIDEST = 1024
"""Units above which the rank is not worth its cost."""


def layers(replayed: Replayed, gradients: list[Gradients] | None) -> list[dict[str, Any]]:
    """The fields of a `layer` record of every direction; padded steps do not count."""
    found = []
    times = spread_times(replayed.output.shape[0])
    few = spread_times(replayed.output.shape[0], _MOST_GATE_TIMES)
    for k, direction in enumerate(replayed.directions):
        courses = _courses(replayed, direction, few)
        fields: dict[str, Any] = {
            "layer": direction.layer,
            "reverse": direction.reverse or None,
            "times": times,
            "hidden_norm": _by_time(replayed, direction, direction.h, times),
            "gates": [fields | courses.get(fields["name"], {}) for fields in _gates(replayed, direction)],
            "gate_times": few if courses else None,
            **units(_valid(replayed, direction.h), replayed.kernel.mode == "RNN_RELU"),
        }  # fmt: skip
        if direction.c is not None:
            fields["cell_norm"] = _by_time(replayed, direction, direction.c, times)
        if gradients is not None:
            fields["hidden_gradient"] = _decades(replayed, direction, gradients[k].h, times)
            cell = gradients[k].c
            if cell is not None:
                fields["cell_gradient"] = _decades(replayed, direction, cell, times)
        found.append(fields)
    return found


def spread_times(count: int, most: int = _MOST_TIMES) -> list[int]:
    """Indices of so many time steps at most, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(k * (count - 1) / (most - 1)) for k in range(most)]


def _valid(replayed: Replayed, values: torch.Tensor) -> torch.Tensor:
    """The values of all valid steps and rows. Shapes: (T, R, N) -> (n, N)."""
    flat = values.reshape(-1, values.shape[2])
    return flat if replayed.valid is None else flat[replayed.valid.reshape(-1)]


def _by_time(replayed: Replayed, direction: Direction, values: torch.Tensor, times: list[int]) -> list[float]:
    """Root mean square over rows and units at these times."""
    square = replayed.in_time(direction, values).double().square().mean(2)[times]
    if replayed.valid is None:
        mean = square.mean(1)
    else:
        valid = replayed.valid.squeeze(2)[times].double()
        mean = (square * valid).sum(1) / valid.sum(1).clamp_min(1)
    result: list[float] = mean.sqrt().tolist()
    return result


def _decades(replayed: Replayed, direction: Direction, values: torch.Tensor, times: list[int]) -> list[float]:
    """log10 of the 2-norm over rows and units at these times."""
    norms = replayed.in_time(direction, values).double().flatten(1).norm(dim=1)[times]
    result: list[float] = norms.log10().tolist()
    return result


def _courses(replayed: Replayed, direction: Direction, times: list[int]) -> dict[str, dict[str, list[float]]]:
    """Of each sigmoid gate, its mean over rows and units at these times, and the range of the middle four fifths."""
    names = [name for name in direction.gates if name in _SIGMOIDS]
    if not names:
        return {}
    some = torch.stack([replayed.in_time(direction, direction.gates[name])[times] for name in names])
    if replayed.valid is not None:
        some = some.masked_fill(~replayed.valid[times], float("nan"))
    flat = some.flatten(2)
    ordered = flat[..., :: -(-flat.shape[2] // _MOST_UNITS)].sort(2).values  # NaN comes last
    last = ordered.isnan().logical_not().sum(2, keepdim=True).sub(1).clamp_min(0)
    low, high = (ordered.gather(2, (share * last).round().long()).squeeze(2) for share in (0.1, 0.9))
    mean = flat.mean(2) if replayed.valid is None else flat.nanmean(2)
    told = torch.stack([mean, low, high], 1).tolist()
    return {
        name: {
            key: [round(value, digits) for value in curve]
            for key, digits, curve in zip(("mean", "p10", "p90"), (3, 2, 2), curves)
        }
        for name, curves in zip(names, told)
    }


def _kind(replayed: Replayed, name: str) -> str:
    if name in _SIGMOIDS:
        return "sigmoid"
    return "relu" if replayed.kernel.mode == "RNN_RELU" else "tanh"


def _gates(replayed: Replayed, direction: Direction) -> list[dict[str, Any]]:
    """The fields of all gates of a direction, in their order."""
    by_kind: dict[str, list[str]] = {}
    for name in direction.gates:
        by_kind.setdefault(_kind(replayed, name), []).append(name)
    found: dict[str, dict[str, Any]] = {}
    for kind, names in by_kind.items():
        values = torch.stack([_valid(replayed, direction.gates[name]) for name in names])
        found.update(zip(names, gates(names, values, kind)))
    return [found[name] for name in direction.gates]


def gates(names: Sequence[str], values: torch.Tensor, kind: str) -> list[dict[str, Any]]:
    """The fields of gates of one kind: sigmoid, tanh or relu. Shapes: values (gates, n, H)."""
    if kind == "relu":  # it has no bounds, so nothing saturates but the zero side
        low, high = values <= 0, torch.zeros_like(values, dtype=torch.bool)
        slope = (values > 0).to(values.dtype)
    elif kind == "tanh":
        low, high, slope = values < -_FLAT, values > _FLAT, 1 - values * values
    else:
        low, high, slope = values < _CLOSED, values > _OPEN, values * (1 - values)
    sides = torch.stack([low, high]).float().mean(2)  # of the steps and rows, by side, gate and unit
    shares = sides.mean(2)
    stuck = (sides > _STUCK).float().mean(2)
    told = torch.cat([shares, stuck, slope.float().mean((1, 2)).unsqueeze(0)]).t().tolist()
    return [
        dict(zip(("name", "low", "high", "stuck_low", "stuck_high", "slope"), (name, *each)))
        for name, each in zip(names, told)
    ]


def units(states: torch.Tensor, relu: bool) -> dict[str, Any]:
    """Dead and active shares, and the effective rank. Shapes: states (n, P)."""
    fields: dict[str, Any] = {}
    if len(states) >= _FEWEST_STATES:
        fields["dead_share"] = float((states.std(0) < _DEAD).float().mean())
        fields["effective_rank"] = _effective_rank(states)
    if relu:
        fields["active_share"] = float((states > 0).float().mean())
    return fields


def _effective_rank(states: torch.Tensor) -> float | None:
    """exp(entropy of the singular values) over the smaller size (Roy, Vetterli 2007). Shapes: states (n, P)."""
    if states.shape[1] > _WIDEST:
        return None
    some = states[:: max(1, -(-len(states) // _MOST_STATES))].float()
    centred = some - some.mean(0)
    smaller = centred @ centred.t() if len(centred) <= centred.shape[1] else centred.t() @ centred
    if not bool(smaller.isfinite().all()):
        return None
    try:
        values = torch.linalg.eigvalsh(smaller).clamp_min(0).sqrt()
    except RuntimeError:  # LinAlgError: of states that are nearly all alike LAPACK may find none
        return None
    total = float(values.sum())
    if not 0 < total < float("inf"):
        return None
    shares = values[values > 0] / total
    return float((-(shares * shares.log()).sum()).exp()) / min(some.shape)
