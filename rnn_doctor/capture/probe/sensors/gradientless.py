"""Recurrent modules that the training runs under `torch.no_grad()` alone: nothing can be learned through them."""

from __future__ import annotations

import weakref
from typing import Any

from torch import nn

from .. import places
from .optimizers import Optimizers, parameters
from .recurrence import Recurrences

_CLOSE = 0.5
"""Distance of two networks' weights, over their size, below which one began as a copy of the other: apart they are
sqrt(2) if each was drawn by itself."""

_UPDATES = 2
"""Of the first updates: in each of them such a module ran. One alone may have been a look before the training."""
_MOST = 50
"""Modules that are looked after."""


class Gradientless:
    """Finds the modules that ran without gradients in each of the first updates, and never with.

    A validation runs a network that the training runs with gradients. What no optimizer holds, such as a teacher or a
    reservoir, counts only where it is the only recurrence there is; beside its like that learns it may be a copy of it.
    """

    def __init__(self, recurrences: Recurrences, optimizers: Optimizers) -> None:
        self._recurrences = recurrences
        self._optimizers = optimizers
        self._lines: dict[int, tuple[weakref.ref[nn.Module], dict[str, Any] | None]] = {}
        self._counts: dict[int, int] = {}
        self._ran: set[int] = set()
        self._updates = 0
        self.waits = True
        """The first updates are not over yet."""
        self.numbered: set[int] = set()
        """id() of those that were found."""

    def on_call(self, module: nn.Module) -> bool:
        """A recurrent module ran without gradients; returns whether it does or may do so in the training."""
        key = id(module)
        if not self.waits or key in self._recurrences.ids:
            return key in self.numbered
        if key not in self._lines and len(self._lines) < _MOST:
            self._lines[key] = weakref.ref(module), places.here()
        self._ran.add(key)
        return True

    def updated(self) -> None:
        """One of the first updates is complete."""
        self._updates += 1
        for key in self._ran:
            self._counts[key] = self._counts.get(key, 0) + 1
        self._ran.clear()
        if self._updates == _UPDATES:
            self.waits = False
            self._number()

    def _number(self) -> None:
        held = {id(p) for o in self._optimizers.live() for p in parameters(o) if p.requires_grad}
        alone = not self._recurrences.ids
        learning = self._recurrences.numbered_modules()
        for key, (reference, location) in self._lines.items():
            module = reference()
            if module is None or self._counts.get(key) != _UPDATES or key in self._recurrences.ids:
                continue
            learns = any(id(p) in held for p in module.parameters())
            if learns or alone:
                self._recurrences.number(module, frozen=not learns, gradientless=location if learns else None)
                self.numbered.add(key)
            else:
                for copied in (each for each in learning if _is_copy(module, each)):
                    self._recurrences.copied(copied)
        self._lines.clear()
        self._counts.clear()


def _is_copy(module: nn.Module, of: nn.Module) -> bool:
    """Whether one has nearly the weights of the other: a target network, or a teacher that follows it."""
    pairs = list(zip(module.parameters(), of.parameters()))
    if type(module) is not type(of) or any(a.shape != b.shape or a.device != b.device for a, b in pairs):
        return False
    apart = sum(float((a.detach() - b.detach()).square().sum()) for a, b in pairs)
    size = sum(float(b.detach().square().sum()) for _, b in pairs)
    return apart < _CLOSE**2 * size
