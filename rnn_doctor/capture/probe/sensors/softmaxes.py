"""Over which dimension softmax is taken, and of what shape."""

from __future__ import annotations

from typing import Any

import torch

from .. import places
from ..listening import Listening
from ..writer import Writer

_NAMES = ("softmax", "log_softmax")
_MOST_SITES = 16


class Softmaxes:
    """Notes the calls of softmax through which something is learned, by source line, axes and dimension.

    Listens only while it watches, to the methods of tensors (what nn.functional and nn.Softmax call) and the
    functions of torch.
    """

    def __init__(self, writer: Writer, listening: Listening) -> None:
        self._writer = writer
        self._listening = listening
        self._seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.compiles = False
        """The script compiles: what it compiles must meet the functions as torch made them."""

    def watch(self, on: bool) -> None:
        """Begins to listen, or ends it."""
        if on:
            owners = (torch.Tensor,) if self.compiles else (torch.Tensor, torch)
            self._listening.begin("softmax", self._note, owners, _NAMES)
        else:
            self._listening.end("softmax")

    def write(self, step: int) -> None:
        """The records of one update."""
        for fields in self._seen.values():
            self._writer.write("softmax", step=step, **fields)
        self._seen.clear()

    def _note(self, name: str, result: torch.Tensor, args: Any, kwargs: Any) -> None:
        dim = args[1] if len(args) > 1 else kwargs.get("dim")
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
