"""The order of the batches: targets that come sorted, and a loader that gives one batch again and again."""

from __future__ import annotations

import math
from collections import Counter
from typing import AbstractSet, Any, NamedTuple

import torch

from ..graph import kind_of
from ..listening import Listening
from ..recurrence.kernel import time_and_batch
from ..recurrence.unrolled import PRODUCTS, VIEWS
from ..writer import Writer
from .first_batch import FirstBatch
from .given_rows import GivenRows
from .likeness import FEWEST_UPDATES, Level, compared, compared_levels, level
from .losses import BINARY, CLASSIFYING, REGRESSING
from .redrawn import Redrawn
from .windows import Windows

_MOST_UPDATES = 64
_MOST_LABELS = 1024
_PROVISIONAL = 32
"""Updates after which a first record is written, in case the script never ends by itself."""

_FARTHEST = 8
"""Operations between the scores of a loss and the product that made them."""
_PASSED = VIEWS | {"Add", "LogSoftmax", "Log", "Softmax"}

BY_STEP = "its targets do not tell one class of each sequence"
MIXED = "some of its targets are classes and some numbers"
SERIES = "its sequences are windows of one series, which follow each other in its order"
SEVERAL = "several losses make up an update"
CARRIED = "a state that the script carries on by hand may make the order of its batches right"
FEW = "too few updates were made"


class _Labels(NamedTuple):
    """What one loss was given for targets."""

    counts: Counter[float]
    targets: int
    """As many as there are sequences, or they are not theirs."""
    numbers: list[float] | None = None
    """In the place of counts, where the targets are no classes: one a sequence."""


class Orders:
    """Compares what consecutive updates are made of, as long as a few dozen updates take.

    The labels of an update are counted by class, of targets that are numbers the mean and the spread are taken; two
    batches whose rows have the same marks hold the same numbers. Only what the comparison comes to is written.
    """

    def __init__(self, writer: Writer, given: GivenRows, listening: Listening) -> None:
        self._writer = writer
        self._given_rows = given
        self._rows: set[int] = set()
        """Of the batches that recurrent modules were given in this update."""
        self._looped: bool | None = None
        """Whether there are as many targets as rows in a recurrence written by hand; None before one was seen."""
        self._carried = False
        """Whether such a recurrence may go on where the batch before ended."""
        self._pending: list[tuple[bool, _Labels | None]] = []
        """Of the loss calls since the last backward pass: whether it compares numbers, and its labels."""
        self._update: Counter[float] = Counter()
        """Of all backward passes of the update that is under way."""
        self._odd = ""
        """Why this update is not counted."""
        self._left_out, self._last_odd = 0, ""
        self._updates: list[Counter[float]] = []
        self._numbers: list[float] = []
        self._levels: list[Level] = []
        """Of the updates whose targets are numbers."""
        self._windows = Windows()
        self._classifies = False
        """Whether the labels are compared with scores that a layer gives to classes, or are binary."""
        self._marks: dict[int, list[torch.Tensor]] = {}
        """By loader: those of its latest batch's rows."""
        self._given: dict[int, list[int]] = {}
        """By loader: batches compared, and how many of them were those before."""
        self.redrawn = Redrawn(listening)
        self.first_batch = FirstBatch()
        self.waits = True
        """Whether more labels are needed."""

    def on_call(self, module: Any, given: Any) -> None:
        """A recurrent module ran forward with gradients."""
        self._rows.add(time_and_batch(module, given)[1])
        if self._windows.follow is None:
            self._windows.on_call(module, given)

    def on_loss(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> None:
        """A loss function that leads to a gradient returned."""
        self._given_rows.learned_from(target)
        numbers = function in REGRESSING
        first = all(kind != numbers for kind, _ in self._pending)  # of several alike none is compared
        labels = self._labels(function, output, target, options) if first else None
        self._pending.append((numbers, labels))

    def on_backward(self, looped: AbstractSet[int], carried: bool) -> None:
        """A backward pass is about to run.

        looped: rows of the recurrences that the script wrote by hand, where its graph was searched for them.
        carried: one of them began with a state that may be an earlier batch's.
        """
        pending, self._pending = self._pending, []
        if not pending and self._update:
            return  # the labels of this update went into an earlier pass, as of two heads with a loss each
        # What is learned beside a class, a number of each sequence, leaves its labels what they are.
        told = [each for kind, each in pending if not kind] or [each for _, each in pending]
        labels = told[0] if len(told) == 1 else None
        self._carried |= carried and not self._rows
        if labels is None or not self._of_sequences(labels, looped):
            self._odd = SEVERAL if len(told) > 1 else CARRIED if self._carried else BY_STEP
        elif labels.numbers is not None:
            self._numbers.extend(labels.numbers)
        else:
            self._update.update(labels.counts)

    def _of_sequences(self, labels: _Labels, looped: AbstractSet[int]) -> bool:
        """Whether there is a label for each sequence; of loops it is asked while graphs are searched, then known."""
        if self._rows:
            return labels.targets in self._rows
        if labels.numbers is not None:
            return (
                False  # whether the inputs of a hand-written recurrence are windows of a series is not seen
            )
        if looped:
            self._looped = labels.targets in looped and not self._carried
        return self._looped is True

    def updated(self, step: int) -> None:
        """An update is complete."""
        if self._windows.follow is None:
            self._windows.updated()
        odd = self._odd or (MIXED if self._update and self._numbers else "")
        if not odd and self._numbers and self._windows.follow:
            odd = SERIES
        if odd:
            self._left_out += 1
            self._last_odd = odd
            if self._left_out >= FEWEST_UPDATES and self._left_out > self._compared:
                self._updates, self._levels, self.waits = [], [], False
        elif self._update:
            self._updates.append(self._update)
        elif self._numbers:
            self._levels.append(level(self._numbers))
        self.waits &= self._compared < _MOST_UPDATES
        self._update, self._rows, self._pending, self._odd = Counter(), set(), [], ""
        self._numbers = []
        if self._compared == _PROVISIONAL:
            self.write(step, None, last=False)

    @property
    def _compared(self) -> int:
        """Updates that were taken."""
        return max(len(self._updates), len(self._levels))

    def gave(self, loader: int | None, batch: Any) -> None:
        """A loader gave a batch."""
        marks = self._given_rows.gave(loader, batch)
        if loader is None or not marks:
            return
        self.first_batch.gave(loader, marks)
        before, self._marks[loader] = self._marks.get(loader), marks
        if before is not None:
            counts = self._given.setdefault(loader, [0, 0])
            counts[0] += 1
            counts[1] += len(marks) == len(before) and all(map(torch.equal, marks, before))

    def write(self, step: int, loader: int | None, last: bool = True) -> None:
        """The record of what was seen up to update `step`; the loader's counts are those of one that trains."""
        if not step:
            return
        fields: dict[str, Any] = self._likeness()
        if self._compared < FEWEST_UPDATES:
            fields["absent"] = self._last_odd if self._left_out > self._compared else FEW
        if loader is not None and loader in self._given:
            fields["loader"] = loader
            fields["given"], fields["repeated"] = self._given[loader]
        fields |= self.redrawn.fields() | self.first_batch.fields()
        self._writer.write("batch_order", step=step, **fields)
        if last:
            self.redrawn.finish()
            self._given_rows.write(step)

    def _likeness(self) -> dict[str, Any]:
        """What is compared more often: labels or numbers."""
        if len(self._levels) > len(self._updates):
            return compared_levels(self._levels)
        fields = compared(self._updates)
        if fields.get("classes") == 1 and self._classifies:
            fields["labels"] = int(sum(labels.total() for labels in self._updates))
        return fields

    def _labels(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> _Labels | None:
        """How often each class is the target, or the targets where they are numbers; None where neither is told.

        Shapes: target (B), of binary losses (B) or (B, 1), of numbers (B) or (B, C), whose means are taken.
        """
        if not (isinstance(target, torch.Tensor) and isinstance(output, torch.Tensor)):
            return None
        if function in REGRESSING:
            return self._of_numbers(target)
        if function in BINARY and target.shape[1:].numel() == 1:
            target = target.reshape(-1)
        elif function not in CLASSIFYING or target.is_floating_point() or target.dim() != 1:
            return None
        if target.dim() != 1 or (len(target) not in self._rows if self._rows else self._looped is False):
            return None
        values = target.detach()[:: max(1, len(target) // _MOST_LABELS)].tolist()
        if function in BINARY and not set(values) <= {0, 1}:
            return None
        ignored = options.get("ignore_index", -100)
        if not self._updates:
            self._classifies = function in BINARY or _scored_by_layer(output)
        return _Labels(Counter([v for v in values if v != ignored]), len(target))

    def _of_numbers(self, target: torch.Tensor) -> _Labels | None:
        """Shapes: target (B) or (B, C)."""
        fits = target.is_floating_point() and target.dim() in (1, 2) and len(target) in self._rows
        if not fits or not target.numel():
            return None
        each = target.detach()[:: max(1, len(target) // _MOST_LABELS)].double()
        numbers = (each if each.dim() == 1 else each.mean(1)).tolist()
        finite = all(map(math.isfinite, numbers))
        return _Labels(Counter(), len(target), numbers) if finite else None


def _scored_by_layer(scores: torch.Tensor) -> bool:
    """Whether a weight made the scores, as a layer's does for each class.

    Those of a contrastive loss, whose right answer may always be the first, are products of what two networks made.
    """
    node = scores.grad_fn
    for _ in range(_FARTHEST):
        if node is None or kind_of(node) in PRODUCTS:
            break
        node = node.next_functions[0][0] if kind_of(node) in _PASSED else None
    if node is None:
        return False
    factors = [child for child, _ in node.next_functions[-2:] if child is not None]
    turned = [child.next_functions[0][0] for child in factors if kind_of(child) in VIEWS]
    return any(getattr(each, "variable", None) is not None for each in (*factors, *turned))
