"""How far back a gradient reaches: one injection on one output step, here through the module's own kernel.

With a loss at every step the accumulated gradient is flat in time however much it vanishes; only the gradient of
a single output step shows the decay (Pascanu et al. 2013, section 2). The cotangent is random, so that it speaks
for any loss; its generator is our own.
"""

from __future__ import annotations

from typing import Any

import torch

from .kernel import Kernel, Rows, State, layer_of, run

COTANGENTS = 2
"""Random directions that a gradient is injected in, for each row."""
_MOST_STEPS = 2048
"""Rows times time steps of one probe: bounds its cost."""
_MOST_POINTS = 48
FEWEST_STEPS = 3
"""A profile of less says nothing."""
_DIGITS = 4
_LONG = 0.75
"""Share of the longest row that another must have."""
_NOTHING = float("-inf")


def lag_gains(kernel: Kernel, rows: Rows, by_layer: bool = True) -> list[dict[str, Any]]:
    """The fields of `lag_gain` records: of the whole module in each direction, and if asked of each layer.

    The lag counts back from the last valid step of each row; for the reverse direction, forward from its first.
    Rows much shorter than the longest are left out, so that the profile reaches about as far back as the data do.
    Empty where that is less than three steps.
    """
    rows = rows.only(long_rows(rows.lengths))
    if min(rows.lengths) < FEWEST_STEPS:
        return []
    rows = rows.only(range(len(rows.lengths))[: max(1, _MOST_STEPS // rows.x.shape[0])])
    count = len(rows.lengths)
    lengths = rows.lengths * COTANGENTS
    x = _single(rows.x).repeat(1, COTANGENTS, 1)
    state = rows.state.each(lambda s: _single(s).repeat(1, COTANGENTS, 1))
    kernel = kernel._replace(weights=[[one.each(_single) for one in layer] for layer in kernel.weights])
    with torch.enable_grad():
        found = [
            {**profile, "samples": samples, "rows": count, "calls": rows.calls if rows.calls > 1 else None}
            for profile, samples in _profiles(kernel, x, state, lengths)
        ]
        if by_layer and kernel.layers > 1:
            found += [{**profile, "rows": count} for profile in _by_layer(kernel, x, state, lengths)]
    return found


def long_rows(lengths: list[int]) -> list[int]:
    """Those about as long as the longest: shorter ones would end the profile."""
    return [k for k, length in enumerate(lengths) if length >= _LONG * max(lengths)]


def _single(values: torch.Tensor) -> torch.Tensor:
    """At least single precision: in half the small gradients are zero."""
    return values if values.dtype == torch.float64 else values.float()


def _by_layer(kernel: Kernel, x: torch.Tensor, state: State, lengths: list[int]) -> list[dict[str, Any]]:
    """Each layer alone, given what the layers below make of the inputs."""
    found = []
    for layer in range(kernel.layers):
        own = layer_of(kernel, layer)
        both = slice(layer * kernel.directions, (layer + 1) * kernel.directions)
        part = state.each(lambda s: s[both])  # noqa: B023 (called at once)
        for profile, _ in _profiles(own, x, part, lengths):
            found.append({"layer": layer, **profile})
        with torch.no_grad():
            x = run(own, x, part, lengths)[0]
    return found


def _profiles(
    kernel: Kernel, x: torch.Tensor, state: State, lengths: list[int]
) -> list[tuple[dict[str, Any], list[list[float]]]]:
    """The profile of each direction, and those of single rows. Shapes: x (T, B, I)."""
    x = x.detach().requires_grad_(True)
    output, _ = run(kernel, x, state, lengths)
    size = kernel.output_size
    last = torch.tensor(lengths, device=x.device) - 1
    rows = torch.arange(len(lengths), device=x.device)
    lags = spread(min(lengths))
    back = torch.tensor(lags, device=x.device).unsqueeze(1)
    generator = torch.Generator().manual_seed(0)
    found = []
    for reverse in [False, True][: kernel.directions]:
        end = output[0, :, size:] if reverse else output[last, rows, :size]
        cotangent = cotangents(generator, end)
        # A scalar, since a given cotangent makes torch import its symbolic shapes: half a second.
        (gradient,) = torch.autograd.grad((end * cotangent).sum(), x, retain_graph=True)
        norms = gradient.double().norm(dim=-1).log10()
        gain = norms.gather(0, (back if reverse else last - back).expand(-1, len(lengths)))
        profile = profile_of(gain, reverse, lags)
        if profile is not None:
            found.append(profile)
    return found


def profile_of(
    gain: torch.Tensor, reverse: bool, lags: list[int]
) -> tuple[dict[str, Any], list[list[float]]] | None:
    """The fields of a profile, and those of its samples. Shapes: gain (lags, samples), log10 of norms.

    A row whose last output does not hang on its last input (a ReLU layer that is dead at that step) has nothing that
    its gain could relate to, and is left out, unless no output of any row hangs on any input. None where no row is
    left.
    """
    finite = gain.isfinite()
    if bool(finite.any()):
        gain = gain[:, finite[0]]
        if gain.shape[1] == 0:
            return None
    gain = (gain - gain[0]).t().nan_to_num(nan=_NOTHING, neginf=_NOTHING)
    profile = {"reverse": reverse or None, "lags": lags, "decades": gain.median(0).values.tolist()}
    return profile, [[float(f"{value:.{_DIGITS}g}") for value in row] for row in gain.tolist()]


def cotangents(generator: torch.Generator, like: torch.Tensor) -> torch.Tensor:
    """Random directions of the same shape and type."""
    return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like)


def spread(count: int) -> list[int]:
    """All lags where there are few; else the first ones and then evenly by ratio, with the last."""
    if count <= _MOST_POINTS:
        return list(range(count))
    ratio = (count - 1) ** (1.0 / (_MOST_POINTS - 1))
    return sorted({*range(8), *(round(ratio**k) for k in range(_MOST_POINTS)), count - 1})
