"""What the recurrent modules are given, and how the loss reads what they return."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..recurrence.kernel import time_and_batch, weight_of
from ..writer import Writer
from .detachments import Detachments
from .read_sites import ReadSites
from .readings import Reading, last_share, read_from, reverse_last_share, top_row_share, unread_part
from .repeated import Repeated

_DRIVE = 4.0
"""sigmoid(4) = 0.982, tanh(4) = 0.9993: beyond it a gate's derivative is below 0.02."""
_AT_ONE_STEP = 0.99
"""Share of the reverse half's gradient where it has seen a single input, above which the line is looked for."""
_MOST_ROWS = 256
"""Rows (of all steps and sequences) whose statistics are taken, evenly spaced."""
_DRIVEN_OF = 16
"""Every sixteenth of them is multiplied by the input weights: with H units that makes 16 G H sums of G gates."""


class Inputs:
    """Statistics of the modules' inputs and read-outs at sampled steps."""

    def __init__(self, writer: Writer, sites: ReadSites, detachments: Detachments) -> None:
        self._writer = writer
        self._sites = sites
        self._detachments = detachments
        self._batches: dict[int, dict[str, Any]] = {}
        self._extent: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._readings: dict[int, Reading] = {}
        self._layers: dict[int, int] = {}
        self._repeated: dict[int, Repeated] = {}

    def on_call(
        self,
        number: int,
        module: Any,
        given: Any,
        state: Any,
        output: Any,
        loader: tuple[int, tuple[int, ...]] | None,
    ) -> None:
        """A recurrent module ran forward with gradients at a sampled step."""
        x = (given.data if isinstance(given, PackedSequence) else given).detach()
        low, high = _extent(x)
        if number in self._repeated:
            self._repeated[number].add(given)
        if number in self._batches:
            self._batches[number]["calls"] += 1
            old_low, old_high = self._extent[number]
            self._extent[number] = (torch.minimum(old_low, low), torch.maximum(old_high, high))
            return
        time, batch = time_and_batch(module, given)
        fields = {
            "module": number, "time": time, "batch": batch, "features": x.shape[-1], **_statistics(module, x),
            "calls": 1, "packed": isinstance(given, PackedSequence),
        }  # fmt: skip
        fields["state"] = _state(state)
        if loader is not None:
            fields["loader"], fields["loader_shape"] = loader[0], list(loader[1])
        self._batches[number] = fields
        self._extent[number] = (low, high)
        self._repeated[number] = Repeated(module, given)
        if isinstance(module, nn.RNNBase):
            self._readings[number] = Reading(module, output)
            self._readings[number].watch(output)
            self._layers[number] = module.num_layers

    def write(self, step: int) -> None:
        """The records of the step that ends."""
        for number, fields in self._batches.items():
            low, high = self._extent[number]
            reading = self._readings.get(number)
            if reading is not None and reading.output is None and reading.state is None:
                fields["cut_at"] = self._detachments.output_line(number)
            fields["constant_share"] = float((high == low).float().mean()) if low.numel() else 0.0
            fields["feature_ratio"] = _ratio(torch.maximum(-low, high))
            fields["alike"] = self._repeated[number].alike
            self._writer.write("batch", step=step, **fields)
        for number, reading in self._readings.items():
            last, fields = last_share(reading), self._batches[number]
            if last is not None:
                layers, direction = unread_part(reading, self._layers[number])
                reverse = reverse_last_share(reading)
                if layers or direction or (reverse or 0.0) > _AT_ONE_STEP:
                    self._sites.seek(number)
                self._writer.write(
                    "readout", step=step, module=number, time=fields["time"], batch=fields["batch"],
                    last_share=last, top_row_share=top_row_share(reading),
                    reverse_last_share=reverse, unread_layers=layers or None,
                    unread_direction=direction, location=self._sites.where(number, read_from(reading)),
                )  # fmt: skip
        failed = [reading.error for reading in self._readings.values() if reading.error is not None]
        self.forget()
        if failed:
            raise failed[0]

    def forget(self) -> None:
        """A new step begins."""
        self._batches.clear()
        self._extent.clear()
        self._repeated.clear()
        self._readings.clear()


def _extent(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Least and greatest value of each feature. Shapes: (..., I) -> (I), (I)."""
    flat = x.reshape(-1, x.shape[-1])
    return flat.amin(0), flat.amax(0)


def _ratio(magnitudes: torch.Tensor) -> float | None:
    """The largest over the median, of those above 0; None where there are fewer than two. Shapes: (I)."""
    there = magnitudes[magnitudes > 0]
    return float(there.max() / there.median()) if there.numel() > 1 else None


def _statistics(module: Any, x: torch.Tensor) -> dict[str, Any]:
    values = x.reshape(-1, x.shape[-1])
    values = values[:: max(1, -(-values.shape[0] // _MOST_ROWS))].float()
    low, high = (float(bound) for bound in values.aminmax()) if values.numel() else (0.0, 0.0)
    finite = math.isfinite(low) and math.isfinite(high)
    mean = values.mean()
    suffix = "_l0" if isinstance(module, nn.RNNBase) else ""
    weight, bias = (weight_of(module, f"{kind}_ih{suffix}") for kind in ("weight", "bias"))
    drive = None
    if weight is not None and finite:
        driven = values[::_DRIVEN_OF] @ weight.float().t()
        if bias is not None:
            driven = driven + bias.float()
        drive = float((driven.abs() > _DRIVE).float().mean())
    return {
        "mean": float(mean),
        "std": float((values - mean).square().mean().sqrt()),  # torch's std takes ten times as long
        "absmax": max(-low, high),
        "finite": finite,
        "drive": drive,
    }


def _state(state: Any) -> str:
    if state is None:
        return "none"
    tensors = state if isinstance(state, (tuple, list)) else (state,)
    if any(t.grad_fn is not None for t in tensors):
        return "carried"
    return "given" if any(bool(t.detach().any()) for t in tensors) else "zero"
