"""Hand-written recurrences that leave no graph: under `no_grad`, over frozen weights, or cut off by what none hears."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import torch
from torch import nn

from ..naming import Naming
from ..recurrence import loop_starts, loops
from ..recurrence.shadows import Shadows
from ..recurrence.unrolled import Unrolled
from ..writer import Writer
from .optimizers import Optimizers, parameters
from .parameters import Parameters
from .recurrence import Recurrences

_FROM, _UNTIL = 3, 20
"""Updates after which one is followed: networks may take turns, and the script may have a mode of its own entered."""
_MATRIX = 2
_LARGEST = 1_000_000
"""Numbers of a matrix that is followed; a copy of it is made."""
_MOST = 64
_MOST_ENDS = 8
_UNREACHED = "no loss reaches what it makes"
_TORCHS = (nn.RNNBase, nn.modules.rnn.RNNCellBase, nn.Embedding)


class GraphlessLoops:
    """Follows one forward pass of a script whose losses have shown no recurrence, through weights that learn nothing.

    These are matrices that an optimizer holds, that no loss of the first updates depends on, and that are as they were;
    and frozen ones.
    """

    def __init__(
        self,
        writer: Writer,
        naming: Naming,
        recurrences: Recurrences,
        optimizers: Optimizers,
        known: Parameters,
    ) -> None:
        self._writer = writer
        self._naming = naming
        self._recurrences = recurrences
        self._optimizers = optimizers
        self._parameters = known
        self._shadows: Shadows | None = None
        self.over = False
        """Nothing is left to follow."""

    def updated(self, step: int, probing: Callable[[], bool]) -> None:
        """An update is complete, and none is followed."""
        if self._shadows is not None or self.over:
            return
        if self._recurrences.any_seen or step > _UNTIL:
            self.over = True
        elif step >= _FROM:
            weights = self._unlearned()
            self.over = not weights
            shadows = Shadows(probing)
            if weights and shadows.follow(weights):
                self._shadows = shadows

    def backward(self, step: int) -> None:
        """A backward pass is about to run: the forward pass is over."""
        if self._shadows is None or not self._shadows.following:
            return
        try:
            self._shadows.stop()
            if not self._recurrences.any_seen:
                self._tell(step, self._shadows)
        finally:
            self._shadows.forget()

    def leave(self) -> None:
        """Nothing is followed any more; asked again where the mode could not be left yet."""
        if self._shadows is not None:
            self._shadows.stop()
            if self._shadows.end():
                self._shadows, self.over = None, True

    def _unlearned(self) -> list[torch.Tensor]:
        """Matrices that learn nothing, those of torch's own recurrent modules and of embeddings apart."""
        held = [p for o in self._optimizers.live() for p in parameters(o)]
        frozen = [p for m in self._naming.live() for p in m.parameters(recurse=False) if not p.requires_grad]
        self._naming.refresh([*held, *frozen])
        found = {
            id(p): p
            for p in (*(p for p in held if not p.requires_grad or self._parameters.idle(p)), *frozen)
            if p.dim() == _MATRIX
            and p.is_floating_point()
            and p.numel() <= _LARGEST
            and not isinstance(self._naming.of_parameter(p).owner, _TORCHS)
        }
        return list(found.values())[:_MOST]

    def _tell(self, step: int, shadows: Shadows) -> None:
        """Writes of the recurrences in the graphs of the shadows."""

        def path(shadow: torch.Tensor) -> str | None:
            return self._naming.path_of(shadows.real(shadow))

        found: set[str] = set()
        for unrolled, name, loop in self._loops(shadows):
            if name in found:
                continue
            found.add(name)
            weights = [shadows.real(weight) for weight in loop.weights]
            frozen = not any(weight.requires_grad for weight in weights)
            lines = shadows.lines
            number = self._recurrences.custom(
                name, loop.hidden_size, self._naming.built_at(name),
                frozen=frozen, gradientless=None if frozen else lines.without_gradients,
            )  # fmt: skip
            if frozen:
                self._parameters.track(weights, {}, None, {})
                for fields in loop_starts.initial_weights(unrolled, loop, path):
                    self._writer.write("initial_weights", module=number, **fields)
            else:
                self._writer.write(
                    "loop", step=step, module=number, steps=loop.steps, states=0, absent=_UNREACHED,
                    unused="output_cut_off", location=lines.without_gradients or lines.cut,
                )  # fmt: skip

    def _loops(self, shadows: Shadows) -> Iterator[tuple[Unrolled, str, Any]]:
        def owner(weights: list[torch.Tensor]) -> str:
            return self._naming.holder([shadows.real(weight) for weight in weights])

        for end in shadows.ends()[:_MOST_ENDS]:
            unrolled = Unrolled(end)
            for loop in loops.find(unrolled, lambda _: False, owner):
                if loop.is_fed():
                    yield unrolled, owner(loop.weights), loop
