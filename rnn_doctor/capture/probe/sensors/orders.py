"""The order of the batches: labels that come sorted, and a loader that gives one batch again and again."""

from __future__ import annotations

import random
from collections import Counter
from typing import AbstractSet, Any, NamedTuple

import torch

from ..recurrence.kernel import time_and_batch
from ..writer import Writer
from .given_rows import GivenRows
from .losses import BINARY, CLASSIFYING
from .redrawn import Redrawn

_MOST_UPDATES = 64
_FEWEST_UPDATES = 12
_MOST_LABELS = 1024
_MOST_CLASSES = 1000
_ORDERS = 500
_PROVISIONAL = 32
"""Updates after which a first record is written, in case the script never ends by itself."""

BY_STEP = "its targets do not tell one class of each sequence"
SEVERAL = "several losses make up an update"
CARRIED = "a state that the script carries on by hand may make the order of its batches right"
FEW = "too few updates were made"


class _Labels(NamedTuple):
    """What one loss was given for targets."""

    counts: Counter[float]
    targets: int
    """As many as there are sequences, or they are not theirs."""


class Orders:
    """Compares what consecutive updates are made of, as long as a few dozen updates take.

    The labels of an update are counted by class; two batches whose rows have the same marks hold the same numbers.
    Only what the comparison comes to is written.
    """

    def __init__(self, writer: Writer, given: GivenRows) -> None:
        self._writer = writer
        self._given_rows = given
        self._rows: set[int] = set()
        """Of the batches that recurrent modules were given in this update."""
        self._looped: bool | None = None
        """Whether there are as many targets as rows in a recurrence written by hand; None before one was seen."""
        self._carried = False
        """Whether such a recurrence may go on where the batch before ended."""
        self._pending: list[_Labels | None] = []
        """Of the loss calls since the last backward pass: their labels."""
        self._update: Counter[float] = Counter()
        """Of all backward passes of the update that is under way."""
        self._odd = ""
        """Why this update is not counted."""
        self._left_out, self._last_odd = 0, ""
        self._updates: list[Counter[float]] = []
        self._marks: dict[int, list[torch.Tensor]] = {}
        """By loader: those of its latest batch's rows."""
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
        self._given_rows.learned_from(target)
        first = not self._pending  # of several none is compared
        self._pending.append(self._labels(function, output, target, options) if first else None)

    def on_backward(self, looped: AbstractSet[int], carried: bool) -> None:
        """A backward pass is about to run.

        looped: rows of the recurrences that the script wrote by hand, where its graph was searched for them.
        carried: one of them began with a state that may be an earlier batch's.
        """
        pending, self._pending = self._pending, []
        labels = pending[0] if len(pending) == 1 else None
        self._carried |= carried and not self._rows
        if labels is None or not self._of_sequences(labels, looped):
            self._odd = SEVERAL if len(pending) > 1 else CARRIED if self._carried else BY_STEP
        else:
            self._update.update(labels.counts)

    def _of_sequences(self, labels: _Labels, looped: AbstractSet[int]) -> bool:
        """Whether there is a label for each sequence; of loops it is asked while graphs are searched, then known."""
        if self._rows:
            return labels.targets in self._rows
        if looped:
            self._looped = labels.targets in looped and not self._carried
        return self._looped is True

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
            self.write(step, None, last=False)

    def gave(self, loader: int | None, batch: Any) -> None:
        """A loader gave a batch."""
        marks = self._given_rows.gave(loader, batch)
        if loader is None or not marks:
            return
        before, self._marks[loader] = self._marks.get(loader), marks
        if before is not None:
            counts = self._given.setdefault(loader, [0, 0])
            counts[0] += 1
            counts[1] += len(marks) == len(before) and all(map(torch.equal, marks, before))

    def write(self, step: int, loader: int | None, last: bool = True) -> None:
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
        if last:
            self._given_rows.write(step)

    def _labels(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> _Labels | None:
        """How often each class is the target; None where it is not one class of each sequence.

        Shapes: target (B), of binary losses (B) or (B, 1).
        """
        if not (isinstance(target, torch.Tensor) and isinstance(output, torch.Tensor)):
            return None
        if function in BINARY and target.shape[1:].numel() == 1:
            target = target.reshape(-1)
        elif function not in CLASSIFYING or target.is_floating_point() or target.dim() != 1:
            return None
        if target.dim() != 1 or (len(target) not in self._rows if self._rows else self._looped is False):
            return None
        values = target.detach()[:: max(1, len(target) // _MOST_LABELS)].tolist()
        if function in BINARY and not set(values) <= {0, 1}:
            return None
        return _Labels(Counter(v for v in values if v != options.get("ignore_index", -100)), len(target))


def compared(updates: list[Counter[float]]) -> dict[str, Any]:
    """The statistics of schema BatchOrder."""
    classes = sorted({label for labels in updates for label in labels})
    if len(updates) < _FEWEST_UPDATES:
        return {"updates": len(updates)}
    found: dict[str, Any] = {"updates": len(updates), "classes": len(classes)}
    if not 2 <= len(classes) <= _MOST_CLASSES:
        return found
    shares = torch.tensor(
        [[float(labels[c]) for c in classes] for labels in updates], dtype=torch.double, device="cpu"
    )
    within = _within(shares)
    shares /= shares.sum(1, keepdim=True)
    apart = (torch.cdist(shares, shares, p=1.0) / 2).tolist()
    n = len(updates)
    distance = sum(map(sum, apart)) / (n * (n - 1))
    if within is not None:
        found["within"] = within
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


def _within(counts: torch.Tensor) -> float | None:
    """The intraclass correlation of the labels of an update: 0 in random order, 1 where each is of one class.

    Unlike the distance of two updates it does not depend on how rare a class is.

    Shapes: counts (K updates, C classes). None of one label an update.
    """
    sizes = counts.sum(1)
    total, updates = float(sizes.sum()), len(sizes)
    if total <= updates:
        return None
    shares, whole = counts / sizes.unsqueeze(1), counts.sum(0) / total
    between = float((sizes * (shares - whole).square().sum(1)).sum()) / (updates - 1)
    inside = float((sizes * (shares * (1 - shares)).sum(1)).sum()) / (total - updates)
    size = (total - float(sizes.square().sum()) / total) / (updates - 1)
    return (between - inside) / (between + (size - 1) * inside)
