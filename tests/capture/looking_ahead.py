"""Loops over batches as libraries write them."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Batch = TypeVar("Batch")


def one_ahead(loader: Iterable[Batch]) -> Iterator[Batch]:
    """As Accelerate and so Hugging Face's Trainer take batches: each before the one in front of it is used."""
    batches = iter(loader)
    batch = next(batches)
    for following in batches:
        yield batch
        batch = following
    yield batch
