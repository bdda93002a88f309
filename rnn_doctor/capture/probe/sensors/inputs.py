"""What the recurrent modules are given, and how the loss reads what they return."""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..recurrence.kernel import time_and_batch
from ..writer import Writer
from .readings import Reading, reverse_last_share

_DRIVE = 4.0
"""sigmoid(4) = 0.982, tanh(4) = 0.9993: beyond it a gate's derivative is below 0.02."""
_MOST_ROWS = 256
"""Rows (of all steps and sequences) whose statistics are taken, evenly spaced."""
_DRIVEN_OF = 16
"""Every sixteenth of them is multiplied by the input weights: with H units that makes 16 G H sums of G gates."""


class Inputs:
    """Statistics of the modules' inputs and read-outs at sampled steps."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._batches: dict[int, dict[str, Any]] = {}
        self._extent: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._mass: dict[int, dict[str, Any]] = {}

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
        if isinstance(module, nn.RNNBase):
            self._watch_readout(number, module, output, fields)

    def _watch_readout(self, number: int, module: Any, output: Any, fields: dict[str, Any]) -> None:
        sequence, last = output
        data = sequence.data if isinstance(sequence, PackedSequence) else sequence
        if not (isinstance(data, torch.Tensor) and data.requires_grad):
            return
        mass = self._mass[number] = {
            "module": number, "time": fields["time"], "batch": fields["batch"],
            "last": 0.0, "total": 0.0, "rows": None, "reading": None,
        }  # fmt: skip
        if module.bidirectional:
            mass["reading"] = Reading(module, output)
            mass["reading"].watch(output)
        data.register_hook(_harmless(_on_output(mass, module, sequence), mass))
        state = last[0] if isinstance(last, tuple) else last
        if state.requires_grad:
            state.register_hook(_harmless(_on_state(mass), mass))

    def write(self, step: int) -> None:
        """The records of the step that ends."""
        for number, fields in self._batches.items():
            low, high = self._extent[number]
            fields["constant_share"] = float((high == low).float().mean()) if low.numel() else 0.0
            self._writer.write("batch", step=step, **fields)
        for mass in self._mass.values():
            if mass["total"] > 0:
                rows = mass["rows"]
                top = float(rows.max() / rows.sum()) if rows is not None and float(rows.sum()) > 0 else 0.0
                self._writer.write(
                    "readout", step=step, module=mass["module"], time=mass["time"], batch=mass["batch"],
                    last_share=mass["last"] / mass["total"], top_row_share=top,
                    reverse_last_share=reverse_last_share(mass["reading"]) if mass["reading"] else None,
                )  # fmt: skip
        failed = [mass["error"] for mass in self._mass.values() if "error" in mass]
        self.forget()
        if failed:
            raise failed[0]

    def forget(self) -> None:
        """A new step begins."""
        self._batches.clear()
        self._extent.clear()
        self._mass.clear()


def _extent(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Least and greatest value of each feature. Shapes: (..., I) -> (I), (I)."""
    flat = x.reshape(-1, x.shape[-1])
    return flat.amin(0), flat.amax(0)


def _statistics(module: Any, x: torch.Tensor) -> dict[str, Any]:
    values = x.reshape(-1, x.shape[-1])
    values = values[:: max(1, -(-values.shape[0] // _MOST_ROWS))].float()
    finite = bool(torch.isfinite(values).all())
    suffix = "_l0" if isinstance(module, nn.RNNBase) else ""
    weight, bias = getattr(module, f"weight_ih{suffix}", None), getattr(module, f"bias_ih{suffix}", None)
    drive = None
    if weight is not None and finite:
        driven = values[::_DRIVEN_OF] @ weight.detach().float().t()
        if bias is not None:
            driven = driven + bias.detach().float()
        drive = float((driven.abs() > _DRIVE).float().mean())
    return {
        "mean": float(values.mean()),
        "std": float(values.std(unbiased=False)),
        "absmax": float(values.abs().max()),
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


def _harmless(take: Callable[[torch.Tensor], None], mass: dict[str, Any]) -> Callable[[Any], None]:
    """A hook that runs within the script's backward pass, which must not see it fail."""

    def hook(gradient: torch.Tensor | None) -> None:
        if gradient is None:  # of an LSTM's output where the final state alone is read (torch 2.13, CPU)
            return
        try:
            take(gradient)
        except Exception as error:
            mass["error"] = error

    return hook


def _on_output(mass: dict[str, Any], module: Any, sequence: Any) -> Callable[[torch.Tensor], None]:
    """Adds up ||dL/d output||^2 by row and at the last step. Shapes: (T, B, H), (B, T, H), (T, H) or packed."""
    batch_sizes = sequence.batch_sizes if isinstance(sequence, PackedSequence) else None
    batch_first = module.batch_first

    def hook(gradient: torch.Tensor) -> None:
        square = gradient.detach().float().square().sum(-1)
        if batch_sizes is not None:
            steps = square.split(batch_sizes.tolist())
            rows = square.new_zeros(int(batch_sizes[0]))
            last = 0.0
            for t, step in enumerate(steps):
                rows[: len(step)] += step
                following = len(steps[t + 1]) if t + 1 < len(steps) else 0
                last += float(step[following:].sum())
            if sequence.unsorted_indices is not None:  # the final state has the order of the script
                rows = rows[sequence.unsorted_indices]
        elif square.dim() == 1:
            rows, last = square.sum().reshape(1), float(square[-1])
        else:
            by_time = square.t() if batch_first else square
            rows, last = by_time.sum(0), float(by_time[-1].sum())
        mass["rows"] = rows if mass["rows"] is None else mass["rows"] + rows
        mass["total"] += float(square.sum())
        mass["last"] += last

    return hook


def _on_state(mass: dict[str, Any]) -> Callable[[torch.Tensor], None]:
    """The final state is the read-out of the last step. Shapes: (layers * directions, B, H) or without B."""

    def hook(gradient: torch.Tensor) -> None:
        square = gradient.detach().float().square().sum(-1)
        if square.dim() > 1:
            rows = square.sum(0)
            mass["rows"] = rows if mass["rows"] is None else mass["rows"] + rows
        mass["total"] += float(square.sum())
        mass["last"] += float(square.sum())

    return hook
