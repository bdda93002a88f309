"""The order of the batches: labels that come sorted, and a loader that gives one batch again and again."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import torch

from ..recurrence.kernel import time_and_batch
from ..writer import Writer
from .losses import BINARY, CLASSIFYING
from .redrawn import Redrawn

_MOST_UPDATES = 64
_FEWEST_UPDATES = 12
_MOST_LABELS = 1024
_MOST_CLASSES = 1000
_MOST_BATCHES = 64
_MOST_TENSORS = 4
_MOST_NUMBERS = 65_536
_DEEPEST = 4
_ORDERS = 500
_PROVISIONAL = 32
"""Updates after which a first record is written, in case the script never ends by itself."""

BY_STEP = "its targets do not tell one class of each sequence"
SEVERAL = "several losses make up an update"
FEW = "too few updates were made"


class Orders:
    """Compares what consecutive updates are made of, as long as a few dozen updates take.

    The labels of an update are counted by class; the numbers of a batch are summed up twice, so that two batches of the
    same sums hold the same numbers. Only what the comparison comes to is written.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._rows: set[int] = set()
        self._pending: list[Counter[float] | None] = []
        """Of the loss calls since the last backward pass: their labels."""
        self._update: Counter[float] = Counter()
        """Of all backward passes of the update that is under way."""
        self._odd = ""
        """Why this update is not counted."""
        self._left_out, self._last_odd = 0, ""
        self._updates: list[Counter[float]] = []
        self._sums: dict[int, tuple[Any, ...]] = {}
        """By loader: those of its latest batch."""
        self._given: dict[int, list[int]] = {}
        """By loader: batches compared, and how many of them were those before."""
        self.redrawn = Redrawn()
        self.waits = True
        """Whether more labels are needed."""

    def on_call(self, module: Any, given: Any) -> None:
        """A recurrent module ran forward with gradients."""
        self._rows.add(time_and_batch(module, given)[1])

    def on_loss(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> None:
        """A loss function that leads to a gradient returned."""
        first = not self._pending  # of several none is compared
        self._pending.append(self._labels(function, output, target, options) if first else None)

    def on_backward(self) -> None:
        """A backward pass is about to run."""
        pending, self._pending = self._pending, []
        if len(pending) != 1 or pending[0] is None:
            self._odd = SEVERAL if len(pending) > 1 else BY_STEP
        else:
            self._update.update(pending[0])

    def updated(self, step: int) -> None:
        """An update is complete."""
        if self._odd:
            self._left_out += 1
            self._last_odd = self._odd
            if self._left_out >= _FEWEST_UPDATES and self._left_out > len(self._updates):
                self._updates, self.waits = [], False
        elif self._update:
            self._updates.append(self._update)
            self.waits = len(self._updates) < _MOST_UPDATES
        self._update, self._rows, self._pending, self._odd = Counter(), set(), [], ""
        if len(self._updates) == _PROVISIONAL:
            self.write(step, None)

    def gave(self, loader: int | None, batch: Any) -> None:
        """A loader gave a batch."""
        if loader is None or self._given.get(loader, (0, 0))[0] >= _MOST_BATCHES:
            return
        sums = _sums(batch)
        before, self._sums[loader] = self._sums.get(loader), sums
        if before is not None:
            counts = self._given.setdefault(loader, [0, 0])
            counts[0] += 1
            counts[1] += bool(sums) and sums == before

    def write(self, step: int, loader: int | None) -> None:
        """The record of what was seen up to update `step`; the loader's counts are those of one that trains."""
        if not step:
            return
        fields: dict[str, Any] = compared(self._updates)
        if len(self._updates) < _FEWEST_UPDATES:
            fields["absent"] = self._last_odd if self._left_out > len(self._updates) else FEW
        if loader is not None and loader in self._given:
            fields["loader"] = loader
            fields["given"], fields["repeated"] = self._given[loader]
        self._writer.write("batch_order", step=step, **fields, **self.redrawn.fields())

    def _labels(
        self, function: str, output: Any, target: Any, options: dict[str, Any]
    ) -> Counter[float] | None:
        """How often each class is the target; None where it is not one class of each sequence.

        Shapes: target (B), of binary losses (B) or (B, 1).
        """
        if not (isinstance(target, torch.Tensor) and isinstance(output, torch.Tensor)):
            return None
        if function in BINARY and target.shape[1:].numel() == 1:
            target = target.reshape(-1)
        elif function not in CLASSIFYING or target.is_floating_point() or target.dim() != 1:
            return None
        if target.dim() != 1 or len(target) not in self._rows:
            return None
        values = target.detach()[:: max(1, len(target) // _MOST_LABELS)].tolist()
        if function in BINARY and not set(values) <= {0, 1}:
            return None
        return Counter(v for v in values if v != options.get("ignore_index", -100))


def _sums(batch: Any) -> tuple[Any, ...]:
    """Shapes of a batch's first tensors, and their numbers summed up, plain and by place; empty where it has none."""
    found: list[torch.Tensor] = []
    _collect(batch, found, 0)
    parts: list[Any] = []
    for tensor in found[:_MOST_TENSORS]:
        numbers = tensor.detach().reshape(-1)
        numbers = numbers[:: max(1, -(-numbers.numel() // _MOST_NUMBERS))].double()
        places = torch.arange(1, len(numbers) + 1, dtype=torch.double, device=numbers.device)
        parts += [tuple(tensor.shape), float(numbers.sum()), float(numbers @ places)]
    return tuple(parts)


def _collect(batch: Any, found: list[torch.Tensor], depth: int) -> None:
    if isinstance(batch, torch.Tensor):
        # Reading what is on a device would wait for it.
        plain = batch.layout == torch.strided and not (batch.is_complex() or batch.is_quantized)
        if batch.device.type == "cpu" and plain:
            found.append(batch)
    elif depth < _DEEPEST and isinstance(batch, (dict, list, tuple)):
        for item in batch.values() if isinstance(batch, dict) else batch:
            if len(found) < _MOST_TENSORS:
                _collect(item, found, depth + 1)


def compared(updates: list[Counter[float]]) -> dict[str, Any]:
    """The statistics of schema BatchOrder."""
    classes = sorted({label for labels in updates for label in labels})
    if len(updates) < _FEWEST_UPDATES:
        return {"updates": len(updates)}
    found = {"updates": len(updates), "classes": len(classes)}
    if not 2 <= len(classes) <= _MOST_CLASSES:
        return found
    shares = torch.tensor(
        [[float(labels[c]) for c in classes] for labels in updates], dtype=torch.double, device="cpu"
    )
    shares /= shares.sum(1, keepdim=True)
    apart = (torch.cdist(shares, shares, p=1.0) / 2).tolist()
    n = len(updates)
    distance = sum(map(sum, apart)) / (n * (n - 1))
    if distance <= 0:
        return found | {"distance": 0.0}

    def consecutive(order: list[int]) -> float:
        return sum(apart[order[i]][order[i + 1]] for i in range(n - 1)) / (n - 1)

    order, dice = list(range(n)), random.Random(0)  # its own: the script's random numbers stay as they are
    seen = consecutive(order)
    reached = 0
    for _ in range(_ORDERS - 1):
        dice.shuffle(order)
        reached += consecutive(order) <= seen + 1e-12
    return found | {
        "distance": distance, "alike": 1 - seen / distance, "chance": (1 + reached) / _ORDERS,
    }  # fmt: skip
