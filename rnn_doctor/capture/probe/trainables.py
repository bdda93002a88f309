"""Which tensors the script trains, by whatever means."""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence

import torch

from .graph import Leaves
from .naming import Naming
from .pieces import piece
from .sensors.norms import BY_HAND, Gradients
from .sensors.optimizers import Optimizers, parameters
from .sensors.parameters import Parameters
from .sensors.recurrence import Recurrences

_MATRIX = 2
_MOST_FROZEN = 8
_LARGEST = 1_000_000
"""Numbers of a frozen matrix that is told of; a copy of it is made."""


class Trainables:
    """The tensors that the optimizers hold, or those that the script changes by hand."""

    def __init__(
        self, naming: Naming, optimizers: Optimizers, recurrences: Recurrences, known: Parameters
    ) -> None:
        self._naming = naming
        self._optimizers = optimizers
        self._recurrences = recurrences
        self._parameters = known
        self.optimized = False
        """An optimizer has stepped."""
        self.watched: list[tuple[torch.Tensor, torch.Tensor]] = []
        """Of the update under way: parameters that the script may change by hand, and pieces of what they held."""

    def take_in(self, leaves: Leaves | None, looped: Mapping[int, torch.Tensor]) -> None:
        """Tracks parameters not known yet; `leaves` are those of a loss, where its graph was walked.

        looped: weights of hand-written recurrences of earlier updates, by id(). Of bare tensors beside parameters,
        which no optimizer is given by `parameters()`, these are none that belong to a batch.
        """
        if leaves is None and not self._optimizers.changed:
            return
        held = [p for o in self._optimizers.live() for p in parameters(o)]
        found = leaves.used if leaves is not None else []
        proper: list[torch.Tensor] = [
            t for t in found if isinstance(t, torch.nn.Parameter) or looped.get(id(t)) is t
        ]
        if not proper and not held:
            proper = found  # a script without modules: its bare tensors are the parameters
        numbered = self._recurrences.ids
        recurrent = [
            p for m in self._recurrences.built_modules() if id(m) in numbered for p in m.parameters()
        ]
        tensors = {id(t): t for t in (*held, *proper, *recurrent)}.values()
        self._parameters.track(tensors, self._optimizers.holders(), leaves, numbered)

    def take_in_frozen(self) -> None:
        """Tracks some matrices that are frozen, where no recurrence was seen: a loop over them leaves no graph."""
        if not self._recurrences.any_seen:
            frozen = [
                p
                for module in self._naming.live()
                for p in module.parameters(recurse=False)
                if not p.requires_grad and p.dim() == _MATRIX and p.numel() <= _LARGEST
            ]
            self._parameters.track(frozen[:_MOST_FROZEN], {}, None, {})

    def tensors(self) -> list[torch.Tensor]:
        """What is trained."""
        held = [p for o in self._optimizers.live() for p in parameters(o)] if self.optimized else []
        return held or self._parameters.tensors()

    def gradients(self) -> Gradients:
        """The gradients at this moment, by the optimizer that will use them."""
        found = {self._optimizers.number(o): gradients_of(parameters(o)) for o in self._optimizers.live()}
        return found or {BY_HAND: gradients_of(self._parameters.tensors())}

    def holder(self, tensors: Sequence[torch.Tensor]) -> int | None:
        """The number of the one optimizer of the script, where these are all that it holds."""
        live = self._optimizers.live()
        if len(live) != 1 or not tensors:
            return None
        groups = live[0].param_groups
        held = groups[0]["params"] if len(groups) == 1 else parameters(live[0])
        same = len(held) == len(tensors) and held[0] is tensors[0] and held[-1] is tensors[-1]
        return self._optimizers.number(live[0]) if same else None

    def hold(self, tensors: Sequence[torch.Tensor]) -> bool:
        """Whether all of these are given to optimizers."""
        held = {id(p) for o in self._optimizers.live() for p in parameters(o)}
        return bool(tensors) and all(id(t) in held for t in tensors)

    def wait_for_update(self, tensors: Sequence[torch.Tensor]) -> bool:
        """Whether optimizers were built that are to update these, or they are no parameters beside those of one."""
        proper = any(isinstance(t, torch.nn.Parameter) for t in tensors)
        return bool(self._optimizers.live()) and (not proper or self.hold(tensors))

    def watch_hands(self, weigh: bool) -> None:
        """After a backward pass: remembers a piece of each parameter, to see whether the script changes them.

        weigh: also remembers all of them, for the norms of a sample.
        """
        with_gradient = [p for p in self.tensors() if p.grad is not None]
        self.watched = [(p, piece(p).clone()) for p in with_gradient]
        if weigh:
            self._parameters.before_update()

    def changed_by_hand(self) -> bool:
        """Whether the script has changed parameters since, although no optimizer ever stepped."""
        return not self.optimized and any(not torch.equal(piece(p), old) for p, old in self.watched)


def gradients_of(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """The gradients of those tensors that have one."""
    return [t.grad for t in tensors if t.grad is not None]
