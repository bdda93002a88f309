"""Interventions on initial weights: each module of torch's is written to once, when it is first called.

That is after whatever the script made of its weights, and before the first update. Random numbers come from a
generator that the script does not share, so that its batches and masks stay what they are.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Iterator

import torch
from torch import nn

from .kinds import Intervention

_RECURRENT = (nn.RNNBase, nn.RNNCellBase)
_GATES = {nn.LSTM: 4, nn.LSTMCell: 4, nn.GRU: 3, nn.GRUCell: 3}


def _gates(module: Any) -> int:
    return next((gates for kind, gates in _GATES.items() if isinstance(module, kind)), 1)


def _own(module: Any, start: str) -> Iterator[torch.Tensor]:
    return (p for name, p in module.named_parameters(recurse=False) if name.startswith(start))


class _Drawn(Intervention, ABC):
    """What is written to the weights of recurrent modules."""

    def before_first_call(self, module: Any) -> None:
        """Writes, apart from the script's random numbers."""
        if not self.concerns(module):
            return
        devices = {p.device for p in module.parameters(recurse=False) if p.device.type == "cuda"}
        with torch.no_grad(), torch.random.fork_rng(devices=list(devices)):
            self.applied += self.write(module)

    def concerns(self, module: Any) -> bool:
        """Whether it is a module to write to."""
        return isinstance(module, _RECURRENT)

    @abstractmethod
    def write(self, module: Any) -> int:
        """How many tensors were written."""


class _ByGate(_Drawn):
    """One matrix after the other is drawn anew, gate by gate."""

    start = "weight"

    def write(self, module: Any) -> int:
        """Draws each block of `hidden_size` rows by itself."""
        weights = list(_own(module, self.start))
        for weight in weights:
            for gate in weight.split(module.hidden_size):
                self.draw(gate)
        return len(weights)

    @abstractmethod
    def draw(self, gate: torch.Tensor) -> None:
        """Writes one block."""


class Orthogonal(_ByGate):
    """Orthogonal recurrent weights."""

    start = "weight_hh"

    def draw(self, gate: torch.Tensor) -> None:
        """Orthogonal rows or columns."""
        nn.init.orthogonal_(gate)


class Xavier(_ByGate):
    """All weights after Glorot and Bengio."""

    def draw(self, gate: torch.Tensor) -> None:
        """Uniform, by the sizes of the block."""
        nn.init.xavier_uniform_(gate)


class Identity(_Drawn):
    """Recurrences of ReLU begin at the identity, with input weights after He and biases of 0 (IRNN)."""

    def concerns(self, module: Any) -> bool:
        """Whether it is a recurrence of ReLU."""
        return (
            isinstance(module, _RECURRENT)
            and "relu" in str(getattr(module, "mode", getattr(module, "nonlinearity", ""))).lower()
        )

    def write(self, module: Any) -> int:
        """Writes them."""
        for weight in _own(module, "weight_ih"):
            nn.init.kaiming_uniform_(weight, nonlinearity="relu")
        for weight in _own(module, "weight_hh"):
            nn.init.eye_(weight)
        for bias in _own(module, "bias"):
            nn.init.zeros_(bias)
        return sum(1 for _ in _own(module, "weight_hh"))


class Memory(_Drawn):
    """Forget gates of LSTMs and update gates of GRUs start open: at one bias, or spread over lags up to `lag`."""

    def __init__(self, bias: float = 1.0, lag: int | None = None) -> None:
        super().__init__()
        self._bias = bias
        self._lag = lag

    def concerns(self, module: Any) -> bool:
        """Whether it has gates."""
        return isinstance(module, _RECURRENT) and _gates(module) > 1

    def write(self, module: Any) -> int:
        """Writes the second block of the biases, which torch adds up, and with a lag shuts the input gates likewise."""
        units = module.hidden_size
        keeps = slice(units, 2 * units)
        for bias in _own(module, "bias_hh"):
            bias[keeps] = 0.0
            if self._lag is not None and _gates(module) == 4:
                bias[:units] = 0.0
        written = 0
        for bias in _own(module, "bias_ih"):
            written += 1
            if self._lag is None:
                bias[keeps] = self._bias
                continue
            spread = torch.empty_like(bias[keeps]).uniform_(1.0, max(math.e, self._lag - 1.0)).log_()
            bias[keeps] = spread
            if _gates(module) == 4:
                bias[:units] = -spread
        return written


class Fresh(_Drawn):
    """Every module draws its weights anew, as torch does by default."""

    def concerns(self, module: Any) -> bool:
        """Whether it knows how to."""
        return callable(getattr(module, "reset_parameters", None))

    def write(self, module: Any) -> int:
        """Lets it."""
        module.reset_parameters()
        return 1
