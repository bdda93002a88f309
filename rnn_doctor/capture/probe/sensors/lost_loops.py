"""Hand-written recurrences that no loss reaches: all that they made was cut off from its graph before it was read."""

from __future__ import annotations

import weakref
from typing import Any, Callable, NamedTuple

import torch

from ..pieces import piece
from ..recurrence.loops import Loop
from ..recurrence.unrolled import LARGEST, Unrolled

_MOST_LOOKS = 8
"""Tensors of an update whose graphs are searched: what a recurrence made is cut off once, what is noted more often."""


class Lost(NamedTuple):
    """A recurrence below a tensor that was cut off."""

    name: str
    hidden_size: int
    steps: int
    location: dict[str, Any] | None
    """Where it was cut off."""
    weights: list[weakref.ref[torch.Tensor]]


class LostLoops:
    """Remembers the recurrences below the tensors that an update cuts off, until its loss has shown what it reaches."""

    def __init__(self, find: Callable[[Unrolled], list[tuple[str, Loop]]]) -> None:
        self._find = find
        self._below: dict[str, Lost] = {}
        self._first: dict[str, list[torch.Tensor]] = {}
        """What the weights of each began with when it was first met: what has learned since was reached by a loss."""
        self._reached = False
        """A loss depended on a recurrence: no more are sought."""
        self._looks = self._operations = 0

    def on_cut(self, node: Any, result: torch.Tensor, location: dict[str, Any] | None) -> None:
        """A tensor that the operation `node` made is cut off; its graph is looked at now and not kept."""
        if self._reached or self._looks >= _MOST_LOOKS or self._operations >= LARGEST:
            return
        self._looks += 1
        unrolled = Unrolled(result, node)
        self._operations += len(unrolled.nodes)
        for name, loop in self._find(unrolled):
            weights = [weakref.ref(weight) for weight in loop.weights]
            self._below[name] = Lost(name, loop.hidden_size, loop.steps, location, weights)
            if name not in self._first:
                self._first[name] = [piece(weight).clone() for weight in loop.weights]

    def reached(self) -> None:
        """A loss depends on a recurrence."""
        self._reached = True

    def lost(self, unrolled: Unrolled) -> list[Lost]:
        """Those of this update that its loss does not depend on, where no loss has shown a recurrence so far."""
        if self._reached or not self._below:
            return []
        leaves = {id(getattr(node, "variable", None)) for node in unrolled.nodes}
        return [
            each
            for each in self._below.values()
            if not any(id(ref()) in leaves for ref in each.weights) and not self._has_learned(each)
        ]

    def _has_learned(self, lost: Lost) -> bool:
        now = [ref() for ref in lost.weights]
        before = self._first[lost.name]
        return any(w is None or not torch.equal(piece(w), old) for w, old in zip(now, before))

    def forget(self) -> None:
        """The update is over."""
        self._below.clear()
        self._looks = self._operations = 0
