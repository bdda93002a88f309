"""How many rows the tensor holds that a batch was taken from, by a slice or by an index."""

from __future__ import annotations

import weakref
from typing import Any

import torch

from ..listening import Listening
from .memory_views import are_the_same

_MOST = 200
_FEWEST = 4
"""Rows of an index: three are in no order by chance too often, or in order."""


class DrawnFrom:
    """A slice tells by itself what it is a view of; what was indexed is listened to, for as long as is asked."""

    def __init__(self, listening: Listening, sensor: str) -> None:
        """sensor: whose name goes with what is heard."""
        self._listening, self._sensor = listening, sensor
        self._taken: dict[int, tuple[Any, int]] = {}
        """By the address of an indexed copy: a weak reference to it, and the rows of what it was taken from."""
        self._unordered: set[int] = set()
        """Of these, those of an index in no order."""

    def watch(self, on: bool) -> None:
        """Begins to listen to what is indexed, or ends it."""
        if on:
            self._listening.begin(self._sensor, self._note, (torch.Tensor,), ("__getitem__", "index_select"))
            self._listening.begin(self._sensor, self._note, (torch,), ("index_select",))
        else:
            self._listening.end(self._sensor)
            self._taken.clear()
            self._unordered.clear()

    def rows(self, given: torch.Tensor, examples: torch.Tensor) -> int | None:
        """The rows of the tensor that these are some of; None where they were made, or that is not known.

        Shapes: given as a module takes it, examples (B, ...) the same by example.
        """
        root = given if given._base is None else given._base
        alike = root.dim() == examples.dim() and root.shape[1:] == examples.shape[1:]
        return len(root) if alike and len(root) > len(examples) else self._source(root)

    def unordered(self, root: torch.Tensor) -> int | None:
        """The rows of the tensor that a copy was taken from by an index in no order, else None. Shapes: root any."""
        address = self._address(root)
        return self._taken[address][1] if address in self._unordered else None

    def _source(self, root: torch.Tensor) -> int | None:
        address = self._address(root)
        return None if address is None else self._taken[address][1]

    def _address(self, root: torch.Tensor) -> int | None:
        """Of the copy that a tensor is, or was made of by a factor and an offset, while the script still holds it."""
        address = root.untyped_storage().data_ptr()
        if address in self._taken and self._taken[address][0]() is not None:
            return address
        copies = [(address, copy()) for address, (copy, _) in self._taken.items()]
        return next((each for each, copy in copies if copy is not None and are_the_same(root, copy)), None)

    def _note(self, _name: str, result: Any, args: Any, _kwargs: Any) -> None:
        source = args[0] if args else None
        if not (isinstance(result, torch.Tensor) and isinstance(source, torch.Tensor)):
            return
        rows = result.dim() == source.dim() > 1 and result.shape[1:] == source.shape[1:]
        address = result.untyped_storage().data_ptr()
        copied = address != source.untyped_storage().data_ptr() and result.grad_fn is None
        if rows and copied and len(result) <= len(source) and len(self._taken) < _MOST:
            self._taken[address] = weakref.ref(result), len(source)
            self._unordered.discard(address)
            if _in_no_order(args[-1]):
                self._unordered.add(address)


def _in_no_order(index: Any) -> bool:
    """Whether an index is a row of numbers that neither rise nor fall throughout."""
    plain = isinstance(index, torch.Tensor) and not index.is_floating_point() and index.dtype != torch.bool
    if not plain or index.dim() != 1 or len(index) < _FEWEST:
        return False
    risen = index.detach().diff() > 0
    return bool(risen.any()) and not bool(risen.all())
