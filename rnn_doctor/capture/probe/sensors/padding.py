"""How far the sequences of a recurrent module are padded, and whether the loss reads the padding."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..writer import Writer
from .read_sites import ReadSites
from .readings import Reading, unread_share
from .tokens import tokens_of

_MOST_ROWS = 32
_LEAST_TIME = 3
_LEAST_RUN = 2
_LEAST_ALIKE = 2
"""Rows that end in the same vector: a value that stands still at the end of one row is no padding."""

_FEWEST_PADDED = 2
"""Rows of which a correlation is told. Of n rows chance alone makes it 1 / (n - 1): where they are few, what is left
of the states seems more than it is, which makes the finding milder."""

_READ = 0.5
"""Share of what the loss takes that lies in padding, above which the line is looked for that takes it."""


class Padded(NamedTuple):
    """Where the padding of a few rows begins."""

    rows: list[int]
    """Where they stand in the batch."""
    ends: list[int]
    """Steps of each before its padding."""
    time: int
    """T"""

    @property
    def padded_share(self) -> float:
        """Share of rows with padding."""
        return sum(end < self.time for end in self.ends) / len(self.ends)

    @property
    def padding(self) -> float:
        """Mean share of the time axis that is padding."""
        return 1 - sum(self.ends) / (len(self.ends) * self.time)


class Paddings:
    """Padding of the first call of each module at a sampled step."""

    def __init__(self, writer: Writer, sites: ReadSites) -> None:
        self._writer = writer
        self._sites = sites
        self._calls: dict[int, tuple[Padded, Reading, float | None]] = {}

    def on_call(self, number: int, module: Any, given: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients at a sampled step."""
        if number in self._calls or not isinstance(module, nn.RNNBase):
            return
        reading = Reading(module, output)
        padded = padding_of(given, module.batch_first)
        if padded is not None:
            reading.watch(output)
            self._calls[number] = padded, reading, state_left(padded, module, output[0])

    def write(self, step: int) -> None:
        """The records of the step that ends."""
        calls, self._calls = self._calls, {}
        for number, (padded, reading, left) in calls.items():
            if reading.error is not None:
                raise reading.error
            fields = record(padded, reading)
            if max(fields["read_share"] or 0.0, fields["unread_share"] or 0.0) > _READ:
                self._sites.seek(number)
            self._writer.write("padding", step=step, module=number, **fields, state_left=left)


def record(padded: Padded, reading: Reading) -> dict[str, Any]:
    """The fields of a padding record, beside its step and module."""
    packed = reading.lengths is not None
    return {
        "packed": packed,
        "rows": len(padded.rows),
        "padded_share": padded.padded_share,
        "padding": padded.padding,
        "read_share": None if packed else read_share(padded, reading),
        "unread_share": unread_share(reading) if packed else None,
    }


def padding_of(given: Any, batch_first: bool) -> Padded | None:
    """Where the padding begins: of packed sequences by their lengths, of others by what the rows end in.

    A row is padded where it ends in at least two inputs that are the same as those at the end of the other
    padded rows, and that occur nowhere before such an ending. What all rows share does not count.

    Shapes: (T, B, I), (B, T, I), or packed. None if: unbatched, one row, or less than three steps; or the input that
    rows end in also occurs before, as blanks between signals do, and as the padding of scripts does that give it the
    number of a word: the two cannot be told apart.
    """
    if isinstance(given, PackedSequence):
        time, batch = len(given.batch_sizes), int(given.batch_sizes[0])
        ends = (torch.arange(batch) < given.batch_sizes.unsqueeze(1)).sum(0).tolist()
        return Padded(list(range(batch)), ends, time)
    if given.dim() != 3:
        return None
    tokens = tokens_of(given)
    x = given.detach() if tokens is None else tokens.unsqueeze(-1)
    if batch_first:
        x = x.transpose(0, 1)
    time, batch = x.shape[:2]
    if time < _LEAST_TIME or batch < 2:
        return None
    rows = list(range(0, batch, -(-batch // _MOST_ROWS)))
    found = _ends(x, rows)
    return None if found is None else Padded(rows, found, time)


def _ends(x: torch.Tensor, rows: list[int]) -> list[int] | None:
    """Steps before the padding of each row, all where it has none; None where that cannot be told.

    Shapes: (T, B, I) -> R numbers.
    """
    time = x.shape[0]
    whole = [time] * len(rows)
    last = x[-1, rows]
    ending = (last == x[-_LEAST_RUN, rows]).all(-1)
    if not bool(ending.any()):
        return whole
    ends: torch.Tensor = last[ending]
    alike = (ends.unsqueeze(0) == ends.unsqueeze(1)).all(-1).sum(0)
    if int(alike.max()) < _LEAST_ALIKE:
        return whole
    filler = ends[int(alike.argmax())]
    filled = (x[:, rows] == filler).all(-1)
    run = filled.flip(0).long().cumprod(0).sum(0)
    if int(filled.sum()) > int(run.sum()):
        return None
    run = torch.where(run >= _LEAST_RUN, run, torch.zeros_like(run))
    excess: list[int] = (run - run.min()).tolist()
    return [time - n for n in excess]


def state_left(padded: Padded, module: Any, output: Any) -> float | None:
    """Share of what the state told of its sequence before the padding that can be told from the last step's.

    Of each unit the squared correlation of both over the padded rows, weighted by its variance before the padding.

    Shapes: output (T, B, D*P) or (B, T, D*P); the forward direction is looked at. None if: packed, fewer than two
    padded rows, or all of their states are the same.
    """
    chosen = [k for k, end in enumerate(padded.ends) if 0 < end < padded.time]
    if isinstance(output, PackedSequence) or len(chosen) < _FEWEST_PADDED:
        return None
    states = output.detach().transpose(0, 1) if module.batch_first else output.detach()
    states = states[..., : states.shape[-1] // (2 if module.bidirectional else 1)]
    rows = torch.tensor([padded.rows[k] for k in chosen], device=states.device)
    ends = torch.tensor([padded.ends[k] - 1 for k in chosen], device=states.device)
    before, last = (s.float() - s.float().mean(0) for s in (states[ends, rows], states[-1, rows]))
    told, own = (before * last).mean(0).square(), last.square().mean(0)
    whole = before.square().mean(0).sum()
    left = (told / own)[own > 0].sum()
    return float(left / whole) if float(whole) > 0 else None


def read_share(padded: Padded, reading: Reading) -> float | None:
    """Share of the gradient that falls on padded steps; the final state stands at the last one.

    The reverse direction ends at the first step, which is never padding. None if: the loss reads nothing.
    """
    inside = total = 0.0
    ends = torch.tensor(padded.ends)
    if reading.output is not None:
        square = reading.output[:, padded.rows]
        beyond = torch.arange(padded.time).unsqueeze(1) >= ends
        inside += float(square[beyond.to(square.device)].sum())
        total += float(square.sum())
    if reading.state is not None:
        state = reading.state[:, padded.rows]
        inside += float(state[0, (ends < padded.time).to(state.device)].sum())
        total += float(state.sum())
    return inside / total if total > 0 else None
