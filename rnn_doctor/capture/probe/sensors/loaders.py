"""The DataLoaders: which one gave the current batch, and which ones train."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils.data import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from ..writer import Writer
from .given_rows import GivenRows
from .source import Source

_SHUFFLING = (RandomSampler, SubsetRandomSampler, WeightedRandomSampler)
_DEEPEST = 4


class Loaders:
    """Follows the script's DataLoaders as it iterates them."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._numbers: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._iterators: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._described: dict[int, dict[str, Any]] = {}
        self._shape: tuple[int, ...] | None = None
        self._first: weakref.ref[torch.Tensor] | None = None
        self._batch: list[weakref.ref[torch.Tensor]] = []
        self.current: int | None = None
        self.finished: int | None = None
        """The loader that has given its last batch, up to the next batch of any: a library may have looked ahead."""
        self._given: dict[int, int] = {}
        self._lengths: dict[int, int | None] = {}
        self._drawn: dict[int, int | None] = {}
        """Samples of a whole pass, where the sampler knows them."""
        self._begun: dict[int, int] = {}
        self._passes: dict[int, int] = {}
        self.training: set[int] = set()
        self.rows = GivenRows(writer, self.training)

    def iterating(self, iterator: Any, loader: Any) -> None:
        """A loader began to be iterated."""
        if loader not in self._numbers:
            self._number(loader)
        elif self._numbers[loader] in self.training:
            self._begin_anew(self._numbers[loader])
        number = self._iterators[iterator] = self._numbers[loader]
        self._lengths[number] = _length(loader)
        self._drawn[number] = _length(getattr(loader, "sampler", None))
        self._begun[number] = self._given.get(number, 0)
        self.rows.begun(number, loader)

    def _number(self, loader: Any) -> None:
        """A new number; of a loader that is made anew for each pass, the one of its like that is no more.

        Libraries keep those of former validations: what goes through the same dataset in its order gives the same.
        """
        described, live = _description(loader), set(self._numbers.values())
        gone = [n for n, each in self._described.items() if n not in live and each == described]
        gone = gone or [n for n in self._done_with(loader) if self._described[n] == described]
        number = self._numbers[loader] = gone[0] if gone else len(self._described)
        if not gone:
            self._described[number] = described
            self._writer.write("loader", id=number, **described)
        elif number in self.training:
            self._begin_anew(number)

    def _done_with(self, loader: Any) -> list[int]:
        """The loaders that gave all of the same dataset, in its order, and train nothing."""
        if not _in_order(loader):
            return []
        alike = [n for each, n in self._numbers.items() if each.dataset is loader.dataset and _in_order(each)]
        return [n for n in alike if n not in self.training and self.since_begun(n) == self.length(n)]

    def _begin_anew(self, number: int) -> None:
        self._passes[number] += 1
        self._write_training(number)

    def of(self, iterator: Any) -> int | None:
        """The loader that is iterated."""
        return self._iterators.get(iterator)

    def trains_on(self, loader: Any) -> bool:
        """Whether a loader's batches led to updates."""
        return self._numbers.get(loader) in self.training

    def training_iterators(self) -> list[Any]:
        """The iterators of loaders that train, as far as the script holds them."""
        return [iterator for iterator, number in self._iterators.items() if number in self.training]

    def length(self, number: int | None) -> int | None:
        """Batches of a whole pass over a loader, where it knows them."""
        return None if number is None else self._lengths.get(number)

    def since_begun(self, number: int) -> int:
        """Batches that a loader gave since it was last begun."""
        return self._given.get(number, 0) - self._begun.get(number, 0)

    @property
    def left(self) -> int | None:
        """Batches that the current loader has left in this pass; None where that is not known."""
        length = self.length(self.current)
        return None if length is None or self.current is None else length - self.since_begun(self.current)

    def gave(self, iterator: Any, batch: Any, sampled: bool) -> None:
        """A loader gave a batch."""
        self.current = self._iterators.get(iterator)
        self.finished = None
        if self.current is not None:
            self._given[self.current] = self._given.get(self.current, 0) + 1
        self._batch = [weakref.ref(each) for each in _tensors(batch)]
        if sampled:
            tensor = _first_tensor(batch, 0)
            self._shape = tuple(tensor.shape) if tensor is not None else None
            self._first = weakref.ref(tensor) if tensor is not None else None

    def ended(self) -> None:
        """A loader is exhausted."""
        if self.current is not None:
            self.finished, self.current = self.current, None

    def trained(self) -> None:
        """A backward pass ran on the current batch."""
        if self.current is not None and self.current not in self.training:
            self.training.add(self.current)
            self._passes[self.current] = 1
            self._write_training(self.current)

    def _write_training(self, number: int) -> None:
        """Says that a loader trains, how many batches it has given so far, and in how many passes."""
        given, passes = self._given.get(number, 0), self._passes[number]
        fields = self._described[number] | {"trains": True, "given": given, "passes": passes}
        self._writer.write("loader", id=number, **fields)

    @property
    def size(self) -> int | None:
        """Samples in the current batch, by what its loader was made with; None where that does not tell."""
        if self.current is None:
            return None
        size, drawn = self._described[self.current]["batch_size"], self._drawn.get(self.current)
        if not isinstance(size, int) or drawn is None:
            return None
        return min(size, drawn - (self.since_begun(self.current) - 1) * size)

    @property
    def tensors(self) -> list[torch.Tensor]:
        """The tensors of the current batch that the script still holds."""
        return [each for held in self._batch if (each := held()) is not None]

    def batch(self) -> tuple[int, tuple[int, ...]] | None:
        """The current loader and the shape of its batch's first tensor."""
        if self.current is None or self._shape is None:
            return None
        return self.current, self._shape

    @property
    def place(self) -> tuple[int, int] | None:
        """The current loader and how many batches it has given: tells batches apart."""
        return None if self.current is None else (self.current, self._given[self.current])

    @property
    def trains(self) -> int | None:
        """The one loader whose batches lead to updates; None where there is none, or several."""
        return next(iter(self.training)) if len(self.training) == 1 else None

    @property
    def source(self) -> Source:
        """The first tensor of the current batch; its samples come first where that axis is as long as batches are."""
        if self.current is None or self._first is None:
            return Source()
        described = self._described[self.current]
        samples_first = bool(self._shape and described["batch_size"] == self._shape[0])
        return Source(self._first(), samples_first, samples_first and described["shuffled"] is True)


def _length(loader: Any) -> int | None:
    try:
        return len(loader)
    except (TypeError, AttributeError, NotImplementedError):
        return None


def _description(loader: Any) -> dict[str, Any]:
    try:
        samples = len(loader.dataset)
    except (TypeError, AttributeError, NotImplementedError):
        samples = None
    sampler = _sampler(loader)
    shuffled = (
        True if isinstance(sampler, _SHUFFLING) else False if isinstance(sampler, SequentialSampler) else None
    )
    told = getattr(sampler, "shuffle", None)  # as a DistributedSampler tells
    shuffled = told if shuffled is None and isinstance(told, bool) else shuffled
    return {
        "samples": samples,
        "batch_size": _batch_size(loader),
        "shuffled": shuffled,
        "workers": loader.num_workers,
    }


def _sampler(loader: Any) -> Any:
    """What orders the samples. A loader that was given batches of them has another sampler, which it does not use."""
    sampler: Any = loader.batch_sampler if loader.batch_size is None else None
    while hasattr(sampler, "batch_sampler"):  # Accelerate's skip some, or share them out
        sampler = sampler.batch_sampler
    return loader.sampler if sampler is None else getattr(sampler, "sampler", None)


def _batch_size(loader: Any) -> int | None:
    """Samples in a batch; None where batches of another size may be among them, but for the last."""
    sampler = loader.batch_sampler
    return (
        sampler.batch_size
        if loader.batch_size is None and type(sampler) is BatchSampler
        else loader.batch_size
    )


def _in_order(loader: Any) -> bool:
    sampler = _sampler(loader)
    return isinstance(sampler, SequentialSampler) and sampler.data_source is loader.dataset


def _tensors(batch: Any) -> list[torch.Tensor]:
    """Those of a batch that is a tensor, a sequence or a mapping of some."""
    items = (
        batch.values() if isinstance(batch, dict) else batch if isinstance(batch, (list, tuple)) else [batch]
    )
    return [each for each in items if isinstance(each, torch.Tensor)]


def _first_tensor(batch: Any, depth: int) -> torch.Tensor | None:
    if isinstance(batch, torch.Tensor):
        return batch
    if depth < _DEEPEST and isinstance(batch, (dict, list, tuple)):
        for item in batch.values() if isinstance(batch, dict) else batch:
            found = _first_tensor(item, depth + 1)
            if found is not None:
                return found
    return None
