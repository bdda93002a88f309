"""Where the padding of a recurrent module's sequences begins, by what their rows end in."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.nn.utils.rnn import PackedSequence

from .tokens import packed_tokens, tokens_of

_MOST_ROWS = 32
_LEAST_TIME = 3
_LEAST_RUN = 2
_LEAST_ALIKE = 2
"""Rows that end in the same vector: a value that stands still at the end of one row is no padding."""
_LEAST_PACKED = 0.25
"""Share of the rows whose lengths take in padding: a few that end in the same word twice are no padding."""


class Padded(NamedTuple):
    """Where the padding of a few rows begins."""

    rows: list[int]
    """Where they stand in the batch."""
    ends: list[int]
    """Steps of each before its padding."""
    time: int
    """T"""
    lengths: list[int] | None = None
    """Steps of each that were packed, where padding is among them; None where all are T, or no padding was packed."""
    shared: int = 0
    """Steps of the same input that all rows end in, which are not counted: padding to a fixed length, or a pause."""

    @property
    def last(self) -> list[int]:
        """Steps of each up to its end, padding and all."""
        return self.lengths or [self.time] * len(self.ends)

    @property
    def padded_share(self) -> float:
        """Share of rows with padding."""
        return sum(end < last for end, last in zip(self.ends, self.last)) / len(self.ends)

    @property
    def whole(self) -> Padded:
        """The same with what all rows share counted as padding, too."""
        return self._replace(ends=[end - self.shared for end in self.ends], shared=0)

    @property
    def padding(self) -> float:
        """Mean share of the time axis that is padding."""
        return (sum(self.last) - sum(self.ends)) / (len(self.ends) * self.time)


def padding_of(given: Any, batch_first: bool) -> Padded | None:
    """Where the padding begins: of packed sequences by their lengths, of others by what the rows end in.

    A row is padded where it ends in at least two inputs that are the same as those at the end of the other
    padded rows, and that occur nowhere before such an ending. What all rows share does not count. Where the rows of
    packed sequences end so, the lengths that they were packed by take in padding: then it is told of that.

    Shapes: (T, B, I), (B, T, I), or packed. None if: unbatched, one row, or less than three steps; or the input that
    rows end in also occurs before, as blanks between signals do, and as the padding of scripts does that give it the
    number of a word: the two cannot be told apart.
    """
    if isinstance(given, PackedSequence):
        return _packed(given)
    if given.dim() != 3:
        return None
    tokens = tokens_of(given)
    x = given.detach() if tokens is None else tokens.unsqueeze(-1)
    if batch_first:
        x = x.transpose(0, 1)
    time, batch = x.shape[:2]
    if time < _LEAST_TIME or batch < 2:
        return None
    rows = _few(batch)
    found = _ends(x[:, rows], [time] * len(rows))
    return None if found is None else Padded(rows, found[0], time, shared=found[1])


def _few(batch: int) -> list[int]:
    return list(range(0, batch, -(-batch // _MOST_ROWS)))


def _packed(given: PackedSequence) -> Padded:
    """Of packed sequences: by what they end in where that is padding, else by their lengths."""
    lengths: list[int] = lengths_of(given).tolist()
    time, batch = len(given.batch_sizes), len(lengths)
    rows = _few(batch)
    own = [lengths[row] for row in rows]
    if batch > 1 and min(own) >= _LEAST_TIME:
        tokens = packed_tokens(given)
        x = grid_of(given, given.data.detach(), rows) if tokens is None else tokens[:, rows].unsqueeze(-1)
        found, shared = _ends(x, own) or (own, 0)
        inner = Padded(rows, found, time, own, shared)
        if inner.padded_share > _LEAST_PACKED:
            return inner
    return Padded(list(range(batch)), lengths, time)


def lengths_of(packed: PackedSequence) -> torch.Tensor:
    """The steps of each sequence, in the order of the script's batch. Shape: (B)."""
    ends = running(packed.batch_sizes).sum(0)
    return ends if packed.unsorted_indices is None else ends[packed.unsorted_indices.cpu()]


def running(sizes: torch.Tensor) -> torch.Tensor:
    """Whether a sorted row of a packed sequence still runs at a step. Shapes: batch sizes (T) -> (T, B)."""
    return torch.arange(int(sizes[0])) < sizes.unsqueeze(1)


def grid_of(packed: PackedSequence, data: torch.Tensor, rows: list[int]) -> torch.Tensor:
    """What a packed sequence holds of some rows of the script's batch; beyond a row's end anything.

    Shapes: data (N, any), as packed.data -> (T, R, any).
    """
    places = torch.tensor(rows)
    if packed.unsorted_indices is not None:
        places = packed.unsorted_indices.cpu()[places]
    sizes = packed.batch_sizes
    starts = (sizes.cumsum(0) - sizes).unsqueeze(1)
    index = torch.where(places < sizes.unsqueeze(1), starts + places, 0)
    return data[index.to(data.device)]


def _ends(x: torch.Tensor, lengths: list[int]) -> tuple[list[int], int] | None:
    """Steps before the padding of each row, all where it has none; None where that cannot be told.

    What all rows share is told beside it, and left before the padding. Shapes: (T, R, I), R lengths -> R numbers.
    """
    ends = torch.tensor(lengths, device=x.device)
    back = ends - 1 - torch.arange(x.shape[0], device=x.device).unsqueeze(1)
    x = x[back.clamp(min=0), torch.arange(len(lengths), device=x.device)]  # from each row's end backwards
    last = x[0]
    ending = (last == x[_LEAST_RUN - 1]).all(-1)
    if not bool(ending.any()):
        return lengths, 0
    alike = (last[ending].unsqueeze(0) == last[ending].unsqueeze(1)).all(-1).sum(0)
    if int(alike.max()) < _LEAST_ALIKE:
        return lengths, 0
    filler = last[ending][int(alike.argmax())]
    filled = (x == filler).all(-1) & (back >= 0)
    run = filled.long().cumprod(0).sum(0)
    if int(filled.sum()) > int(run.sum()):
        return None
    run = torch.where(run >= _LEAST_RUN, run, torch.zeros_like(run))
    shared = int(run.min())
    return [length - int(n) + shared for length, n in zip(lengths, run)], shared
