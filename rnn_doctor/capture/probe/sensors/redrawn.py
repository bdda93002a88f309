"""Whether updates are made of the same sequences again and again, where the script draws its batches by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..recurrence.kernel import time_and_batch
from .tokens import packed_tokens, tokens_of

_MOST_NUMBERS = 65_536

Mark = tuple[Any, ...]
"""Of a tensor: its shape, and its numbers summed up, plain and by place."""


class Redrawn:
    """Tells the sequences of sampled updates apart by the first call of a module and the only loss.

    Inputs alone may be alike where they say nothing, such as a row of zeros; with the same targets they are the same
    sequences. The sampled updates lie 2, 5, 13, ... apart, so that batches that take turns do not pass for one.
    """

    def __init__(self) -> None:
        self._inputs: tuple[Mark, torch.Tensor | None] | None = None
        self._targets: Mark | None = None
        self._calls = self._losses = 0
        self._first: tuple[Mark, Mark] | None = None
        self._facts: dict[str, Any] = {}
        self._updates = 0
        self.open = True
        """All that was looked at so far was the same."""

    def on_call(self, module: Any, given: Any) -> None:
        """A recurrent module ran forward with gradients at a sampled step."""
        self._calls += 1
        if self._calls > 1 or not isinstance(module, nn.RNNBase):
            return
        packed = isinstance(given, PackedSequence)
        tokens = packed_tokens(given) if packed else tokens_of(given) if given.dim() == 3 else None
        data = (given.data if packed else given) if tokens is None else tokens
        if data.grad_fn is None:
            unpadded = tokens if not packed and tokens is not None else None
            if unpadded is not None and module.batch_first:
                unpadded = unpadded.t()
            self._inputs = _mark(data.detach()), unpadded
            self._facts["sequences"] = time_and_batch(module, given)[1]

    def on_loss(self, target: Any) -> None:
        """A loss function that leads to a gradient returned, at a sampled step."""
        self._losses += 1
        if self._losses == 1 and isinstance(target, torch.Tensor) and target.numel() > 1:
            values = target.detach()
            if bool((values != values.flatten()[0]).any()):
                self._targets = _mark(values)

    def updated(self) -> None:
        """A sampled update is complete."""
        inputs, targets, losses = self._inputs, self._targets, self._losses
        self._inputs = self._targets = None
        self._calls = self._losses = 0
        if inputs is None or targets is None or losses != 1:
            self.open = False
            return
        found = inputs[0], targets
        self._updates += 1
        if self._first is None:
            self._first = found
        elif found != self._first:
            self.open = False
        elif self._updates == 2 and inputs[1] is not None:
            self._facts["pairs"], self._facts["once"] = seen_once(inputs[1])

    def fields(self) -> dict[str, Any]:
        """What the record says of it; nothing where they were not the same at all sampled updates."""
        return {"same": self._updates, **self._facts} if self.open and self._updates > 1 else {}


def seen_once(tokens: torch.Tensor) -> tuple[int, float]:
    """Pairs of tokens that follow each other, and the share of those that occur once. Shapes: tokens (T, B)."""
    codes = tokens.unique(return_inverse=True)[1]
    pairs = codes[:-1] * (int(codes.max()) + 1) + codes[1:]
    counts = pairs.unique(return_counts=True)[1]
    return pairs.numel(), float((counts == 1).sum()) / max(1, pairs.numel())


def _mark(tensor: torch.Tensor) -> Mark:
    numbers = tensor.reshape(-1)
    numbers = numbers[:: max(1, -(-numbers.numel() // _MOST_NUMBERS))].double()
    places = torch.arange(1, len(numbers) + 1, dtype=torch.double, device=numbers.device)
    return tuple(tensor.shape), float(numbers.sum()), float(numbers @ places)
