"""Over which dimension softmax is taken, and of what shape."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable

import torch

from .. import places
from ..patches import Patches
from ..writer import Writer

_NAMES = ("softmax", "log_softmax")
_MOST_SITES = 16


class Softmaxes:
    """Notes the calls of softmax through which something is learned, by source line, axes and dimension.

    Listens only while it watches, to the methods of tensors (what nn.functional and nn.Softmax call) and the
    functions of torch; costs some microseconds for each of their calls.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._patches: Patches | None = None
        self._seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.compiles = False
        """The script compiles: what it compiles must meet the functions as torch made them."""

    def watch(self, on: bool) -> None:
        """Begins to listen, or ends it."""
        if on and self._patches is None:
            self._patches = Patches()
            for owner in (torch.Tensor,) if self.compiles else (torch.Tensor, torch):
                for name in _NAMES:
                    self._patches.replace(owner, name, functools.partial(self._noting, name))
        elif not on and self._patches is not None:
            self._patches.undo()
            self._patches = None

    def write(self, step: int) -> None:
        """The records of one update."""
        for fields in self._seen.values():
            self._writer.write("softmax", step=step, **fields)
        self._seen.clear()

    def _noting(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def function(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            result = original(tensor, *args, **kwargs)
            if not (torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None):
                with contextlib.suppress(Exception):
                    self._note(name, result, args[0] if args else kwargs.get("dim"))
            return result

        return function

    def _note(self, name: str, result: torch.Tensor, dim: Any) -> None:
        if result.grad_fn is None or not isinstance(dim, int) or result.dim() == 0:
            return
        axis = dim % result.dim()
        size = result.shape[axis]
        key = (places.site(), name, result.dim(), axis)
        fields = self._seen.get(key)
        if fields is not None:
            fields["calls"] += 1
            fields["largest"] = max(fields["largest"], size)
        elif len(self._seen) < _MOST_SITES:
            self._seen[key] = {
                "function": name, "shape": list(result.shape), "dim": axis, "largest": size, "calls": 1,
                "location": places.here(),
            }  # fmt: skip
