"""How many rows the tensor holds that a batch was taken from, by a slice or by an index."""

from __future__ import annotations

import weakref
from typing import Any

import torch

from ..listening import Listening

_MOST = 200


class DrawnFrom:
    """A slice tells by itself what it is a view of; what was indexed is listened to, for as long as is asked."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._taken: dict[int, tuple[Any, int]] = {}
        """By the address of an indexed copy: a weak reference to it, and the rows of what it was taken from."""

    def watch(self, on: bool) -> None:
        """Begins to listen to what is indexed, or ends it."""
        if on:
            self._listening.begin("orders", self._note, (torch.Tensor,), ("__getitem__", "index_select"))
            self._listening.begin("orders", self._note, (torch,), ("index_select",))
        else:
            self._listening.end("orders")
            self._taken.clear()

    def rows(self, given: torch.Tensor, examples: torch.Tensor) -> int | None:
        """The rows of the tensor that these are some of; None where they were made, or that is not known.

        Shapes: given as a module takes it, examples (B, ...) the same by example.
        """
        root = given if given._base is None else given._base
        if (
            root.dim() == examples.dim()
            and root.shape[1:] == examples.shape[1:]
            and len(root) > len(examples)
        ):
            return len(root)
        reference, source = self._taken.get(root.untyped_storage().data_ptr(), (None, None))
        return source if reference is not None and reference() is not None else None

    def _note(self, _name: str, result: Any, args: Any, _kwargs: Any) -> None:
        source = args[0] if args else None
        if (
            not (isinstance(result, torch.Tensor) and isinstance(source, torch.Tensor))
            or result.grad_fn is not None
        ):
            return
        fewer = (
            result.dim() == source.dim() > 1
            and result.shape[1:] == source.shape[1:]
            and len(result) < len(source)
        )
        copied = result.untyped_storage().data_ptr() != source.untyped_storage().data_ptr()
        if fewer and copied and len(self._taken) < _MOST:
            self._taken[result.untyped_storage().data_ptr()] = weakref.ref(result), len(source)
