"""Tells of the tensors that the script cuts off from their graph, at the updates in which that is of interest."""

from __future__ import annotations

import functools
from typing import Any, Callable

import torch

from .entries import entry
from .observer import Observer
from .patches import Patches


@entry
def _tell(observer: Observer, node: Any, result: torch.Tensor) -> None:
    """The script cut off a tensor that this operation made from its graph."""
    observer.session.attempt("detachments", observer.calls.detachments.on_cut, node, result)


class Detaching:
    """Listens to `detach`, `detach_` and `data` of tensors that an operation made.

    Costs little for each call of the script while it listens, and nothing otherwise.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._patches: Patches | None = None

    def watch(self, on: bool) -> None:
        """Begins to listen, or ends it."""
        if on and self._patches is None:
            self._patches = Patches()
            self._patches.replace(torch.Tensor, "detach", self._calling)
            self._patches.replace(torch.Tensor, "detach_", self._calling)
            self._patches.replace(torch.Tensor, "data", self._reading)
        elif not on and self._patches is not None:
            self._patches.undo()
            self._patches = None

    def remove(self) -> None:
        """Ends it."""
        self.watch(False)

    def _calling(self, original: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
        @functools.wraps(original)
        def method(tensor: torch.Tensor) -> torch.Tensor:
            node = self._made_by(tensor)
            result = original(tensor)
            if node is not None:
                _tell(self._observer, node, result)
            return result

        return method

    def _reading(self, original: Any) -> property:
        def get(tensor: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = original.__get__(tensor)
            node = self._made_by(tensor)
            if node is not None:
                _tell(self._observer, node, result)
            return result

        return property(get, original.__set__, original.__delete__, original.__doc__)

    def _made_by(self, tensor: torch.Tensor) -> Any:
        """The operation that made a tensor; None where the probe itself asks, or a compiler or tracer runs."""
        if self._observer.inside or torch.compiler.is_compiling():
            return None
        return None if torch._C._get_tracing_state() is not None else tensor.grad_fn
