"""Interventions on what recurrent modules are given and give."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from .kinds import Intervention


def _changed(value: Any, data: torch.Tensor) -> Any:
    """The same kind of sequence with other numbers."""
    return value._replace(data=data) if isinstance(value, PackedSequence) else data


class Standardize(Intervention):
    """Numbers that recurrent modules are given have mean 0 and deviation 1, by the features of their first batch."""

    def __init__(self) -> None:
        super().__init__()
        self._scales: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def given(self, module: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The input scaled, where no weight has made it: what layers before have made is not the script's data."""
        value = arguments[0] if arguments else None
        data = value.data if isinstance(value, PackedSequence) else value
        if not isinstance(data, torch.Tensor) or not data.is_floating_point() or data.requires_grad:
            return None
        if id(module) not in self._scales:
            rows = data.detach().flatten(0, -2)
            # Without gradients what a layer has made looks like data.
            if rows.shape[0] < 2 or not torch.is_grad_enabled():
                return None
            self._scales[id(module)] = rows.mean(0), rows.std(0).clamp_min(1e-8)
        mean, deviation = self._scales[id(module)]
        self.applied += 1
        return (_changed(value, (data - mean) / deviation), *arguments[1:])


class Normalize(Intervention):
    """What a recurrent module gives at each step is normalized over its units, without weights of its own."""

    def returned(self, module: Any, output: Any) -> Any:
        """The output of every step normalized; final states stay what they are."""
        if not isinstance(output, tuple) or not isinstance(output[0], (torch.Tensor, PackedSequence)):
            return None  # a cell gives its next state: normalized, it would be another recurrence
        data = output[0].data if isinstance(output[0], PackedSequence) else output[0]
        self.applied += 1
        return (_changed(output[0], nn.functional.layer_norm(data, data.shape[-1:])), *output[1:])
