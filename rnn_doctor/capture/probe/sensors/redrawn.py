"""Whether updates are made of the same sequences again and again, where the script draws its batches by hand."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..listening import Listening
from ..recurrence.kernel import time_and_batch
from .drawn_from import DrawnFrom
from .graph_tokens import oriented, tokens_beneath
from .losses import BINARY, CLASSIFYING
from .row_marks import RowMarks
from .tokens import packed_tokens, tokens_of

_MOST_NUMBERS = 65_536
_MOST_ROWS = 256
"""Sequences of a batch that are told apart."""
_FEW_ROWS = 32
"""Of them, whose different steps are counted."""
_MOST_STEPS = 64
"""Of each of these."""
_LEAST_ROOM = 20
"""Times as many sequences as were seen must the tokens be able to make up: what is short repeats by itself."""

Mark = tuple[Any, ...]
"""Of a tensor: its shape, and its numbers summed up, plain and by place."""


class Redrawn:
    """Tells the sequences of sampled updates apart by the first call of a module and the only loss.

    Inputs alone may be alike where they say nothing, such as a row of zeros; with the same targets they are the same
    sequences. The sampled updates lie 2, 5, 13, ... apart, so that batches that take turns do not pass for one.
    Sentences of a story, letters of a word and the two sides of a pair are no whole examples: how many different ones
    there are of them is not told. What cells, recurrences written by hand, and layers before the recurrence were given
    are the tokens of the graph, and of recurrences written by hand the numbers of their steps, at the sampled steps at
    which it is searched. Of a loss that is written by hand no target is seen; inputs that differ from each other tell
    without.
    """

    def __init__(self, listening: Listening) -> None:
        self._drawn_from = DrawnFrom(listening, "orders")
        self._source: int | None = None
        """Rows of the tensor that this update's batch was taken from."""
        self._module: Any = None
        """The one called first in this update."""
        self._called = self._losses = 0
        self._batch = 0
        self._steps: list[torch.Tensor] = []
        """What the calls of a cell were given, as far as it has no gradient. Shapes: (B, I)"""
        self._inputs: Mark | None = None
        self._tokens: torch.Tensor | None = None
        """Shapes: (T, B)"""
        self._rows: torch.Tensor | None = None
        """Shapes: (B, ...)"""
        self._targets: Mark | None = None
        self._classes = False
        self._answers = 0
        """Targets of this update."""
        self._counted = [0, 0]
        """Targets and sequences of all updates."""
        self._roots: dict[str, Any] = {}
        """Weak references to the tensors that this update's inputs and targets are, or are views of."""
        self._first_roots: dict[str, Any] = {}
        self._anew = True
        """None of these has outlived the first update: the script makes them for each."""
        self._first: tuple[Mark, Mark] | None = None
        self._facts: dict[str, Any] = {}
        self._updates = 0
        self._same = True
        """All that was looked at so far was the same."""
        self._row_marks = RowMarks()
        self._marks: set[int] = set()
        self._looked = 0
        self._room = 0.0
        """How many sequences their steps could make up."""
        self._blank = False
        """All sequences of a batch were alike."""
        self._parts = False
        """What is looked at is no whole example: the module has more calls, or another has other rows."""
        self.open = True
        """The sequences of every sampled update were seen."""

    def on_call(self, module: Any, given: Any) -> None:
        """A recurrent module ran forward with gradients at a sampled step."""
        if self._module is None:
            self._module, self._batch = module, time_and_batch(module, given)[1]
        self._called += module is self._module
        if module is self._module and not isinstance(module, nn.RNNBase) and given.grad_fn is None:
            self._steps.append(given)
        if self._called > 1 or module is not self._module or not isinstance(module, nn.RNNBase):
            self._parts |= isinstance(module, nn.RNNBase) and (
                module is self._module or time_and_batch(module, given)[1] != self._batch
            )
            return
        packed = isinstance(given, PackedSequence)
        if not packed and given.dim() != 3:
            return
        tokens = packed_tokens(given) if packed else tokens_of(given)
        if tokens is not None:
            self._read(tokens if packed or not module.batch_first else tokens.t(), padded=packed)
        elif (given.data if packed else given).grad_fn is None:
            values = pad_packed_sequence(given)[0] if packed else given
            self._inputs = _mark(values.detach())
            self._roots["inputs"] = _root(given.data if packed else given)
            self._rows = (
                values.detach() if not packed and module.batch_first else values.detach().transpose(0, 1)
            )
            if not packed:
                self._source = self._drawn_from.rows(given, self._rows)
        elif not packed:
            beneath = tokens_beneath(given)
            if beneath is not None:
                self._read(beneath.t() if module.batch_first else beneath)

    def _read(self, tokens: torch.Tensor, padded: bool = False) -> None:
        """Shapes: tokens (T, B)"""
        self._inputs, self._rows = _mark(tokens), tokens.t()
        self._roots["inputs"] = _root(tokens)
        self._tokens = None if padded else tokens
        self._source = self._drawn_from.rows(tokens, tokens.t())

    def on_graph(
        self,
        sizes: dict[int, tuple[int, int]],
        tables: list[torch.Tensor],
        given: dict[int, list[torch.Tensor]],
    ) -> None:
        """A backward pass is about to run; sizes: steps and rows of the recurrences that the script wrote by hand.

        given: what their steps took. Shapes: (B, I) each.
        """
        if self._inputs is not None or not (tables or given):
            return
        if not tables and self._module is None:
            self._take_steps(next(iter(given.values())))
            return
        runs = [(self._called, self._batch)] if self._module is not None else list(sizes.values())
        found = [t for t in (oriented(tables, *run) for run in runs) if t is not None]
        if found:
            self._batch = found[0].shape[1]
            self._read(found[0])

    def _take_steps(self, given: list[torch.Tensor]) -> None:
        if all(each.shape == given[0].shape and each.dim() == 2 for each in given):
            steps = torch.stack(given)
            self._batch, self._inputs, self._rows = steps.shape[1], _mark(steps), steps.transpose(0, 1)
            self._roots["inputs"] = _root(given[0])
            self._source = self._drawn_from.rows(given[0], self._rows)

    def on_loss(self, function: str, target: Any) -> None:
        """A loss function that leads to a gradient returned, at a sampled step."""
        self._losses += 1
        if self._losses == 1 and isinstance(target, torch.Tensor) and target.numel() > 1:
            values = target.detach()
            self._roots["targets"] = _root(target)
            self._answers = values.numel()
            if bool((values != values.flatten()[0]).any()):
                self._targets = _mark(values)
                classes = function in CLASSIFYING and not values.is_floating_point()
                self._classes = classes or (
                    function in BINARY and bool(((values == 0) | (values == 1)).all())
                )

    def updated(self, searched: bool) -> None:
        """A sampled update is complete; searched: its graph was."""
        if self._inputs is None and 1 < len(self._steps) == self._called:
            self._take_steps(self._steps)
        inputs, targets, losses, batch = self._inputs, self._targets, self._losses, self._batch
        if not losses and self._rows is not None and len(self._rows) > 1:
            targets = None if bool((self._rows == self._rows[:1]).all()) else ()
        if inputs is not None and targets is not None and losses <= 1:
            self._compare(inputs, targets, batch)
        elif searched or losses > 1 or (losses and targets is None):
            self.open = False
        self._source = None
        self._module = self._inputs = self._targets = self._tokens = self._rows = None
        self._called = self._losses = self._batch = 0
        self._roots, self._steps = {}, []

    def _compare(self, inputs: Mark, targets: Mark, batch: int) -> None:
        self._updates += 1
        if self._first is None:
            self._first, self._first_roots = (inputs, targets), self._roots
            self._facts["sequences"] = batch
        elif (inputs, targets) != self._first:
            self._same = False
        elif self._is_kept():
            self._anew = False
        if self._same and self._source is not None:
            self._facts["drawn_from"] = self._source
        self._drawn_from.watch(self._updates == 2 and self._same and "drawn_from" not in self._facts)
        if self._updates == 2 and self._same and self._tokens is not None:
            self._facts["pairs"], self._facts["once"] = seen_once(self._tokens)
        self._counted[0] += self._answers
        self._counted[1] += max(1, batch)
        if self._rows is not None:
            self._tell_apart(self._rows[:_MOST_ROWS])

    def _is_kept(self) -> bool:
        """Whether the script still has the tensors of the first update, and gave them again."""
        for name, root in self._roots.items():
            first = self._first_roots.get(name)
            if first is not None and first() is not None and first() is root():
                return True
        return False

    def _tell_apart(self, rows: torch.Tensor) -> None:
        """Shapes: rows (B, ...)"""
        if len(rows) > 1 and bool((rows == rows[:1]).all()):
            self._blank = True  # constant inputs are another matter
        # Not on their device: of a few thousand numbers that costs less than to wait for several operations there.
        rows = rows.cpu()
        self._marks.update(self._row_marks.of(rows).tolist())
        self._looked += min(len(rows), _MOST_ROWS)
        few = rows[:_FEW_ROWS, :_MOST_STEPS]
        steps = self._row_marks.of(few.reshape(few.shape[0] * few.shape[1], *few.shape[2:]))
        self._room = max(self._room, float(len(steps.unique())) ** few.shape[1])

    def finish(self) -> None:
        """Nothing is looked at any more."""
        self._drawn_from.watch(False)

    def fields(self) -> dict[str, Any]:
        """What the record says of it; nothing where the sequences were not seen at all sampled updates."""
        if not self.open or self._updates < 2:
            return {}
        found: dict[str, Any] = {"classified": self._classes}
        if self._counted[0]:
            found["targets"] = self._counted[0] / self._counted[1]
        if self._same:
            found |= {"same": self._updates, "anew": self._anew, **self._facts}
        if not (self._blank or self._parts) and self._room > _LEAST_ROOM * len(self._marks):
            found |= {"looked": self._looked, "different": len(self._marks)}
        return found


def _root(tensor: torch.Tensor) -> Any:
    """A weak reference to what it is a view of."""
    return weakref.ref(tensor if tensor._base is None else tensor._base)


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
