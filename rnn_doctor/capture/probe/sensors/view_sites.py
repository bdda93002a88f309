"""The source lines of views, for as long as they are looked for."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable

import torch

from .. import places
from ..patches import Patches

_METHODS = ("view", "reshape", "flatten", "unflatten")
_MOST = 200


class ViewSites:
    """Notes where tensors are viewed in another shape, the first line for each pair of shapes.

    Costs a microsecond for each view of the script while it watches, and nothing otherwise.
    """

    def __init__(self) -> None:
        self._patches: Patches | None = None
        self._sites: dict[tuple[tuple[int, ...], tuple[int, ...], bool], dict[str, Any] | None] = {}
        """By both shapes, and whether the tensor has a gradient."""

    def watch(self, on: bool) -> None:
        """Begins to watch, or ends it and forgets the lines."""
        if on and self._patches is None:
            self._patches = Patches()
            for name in _METHODS:
                self._patches.replace(torch.Tensor, name, self._noting)
        elif not on and self._patches is not None:
            self._patches.undo()
            self._patches = None
            self._sites.clear()

    def where(
        self, shape: tuple[int, ...], viewed: tuple[int, ...], raw: bool = False
    ) -> dict[str, Any] | None:
        """The line that viewed a tensor of the one shape in the other; raw: one without a gradient."""
        return self._sites.get((shape, viewed, not raw))

    def _noting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            result = original(tensor, *args, **kwargs)
            if not (torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None):
                with contextlib.suppress(Exception):
                    self._note(tensor, result)
            return result

        return method

    def _note(self, tensor: torch.Tensor, result: torch.Tensor) -> None:
        key = tuple(tensor.shape), tuple(result.shape), result.grad_fn is not None
        if key not in self._sites and len(self._sites) < _MOST:
            self._sites[key] = places.here()
