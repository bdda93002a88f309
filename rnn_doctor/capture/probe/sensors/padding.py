"""How far the sequences of a recurrent module are padded, and whether the loss reads the padding."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..writer import Writer
from .padded import Padded, grid_of, padding_of
from .pooling import Pooling
from .read_sites import ReadSites
from .readings import Reading, last_share, unread_share

_FEWEST_PADDED = 2
"""Rows of which a correlation is told. Of n rows chance alone makes it 1 / (n - 1): where they are few, what is left
of the states seems more than it is, which makes the finding milder."""

_UNEVEN = 0.25
"""Share of the rows that end in more of the same input than all share, above which it is padding."""
_AT_THE_END = 0.99
"""Share of what the loss takes at the last step, above which it reads what stands behind all of the padding."""
_READ = 0.5
"""Share of what the loss takes that lies in padding, above which the line is looked for that takes it."""


class Paddings:
    """Padding of the first call of each module at a sampled step."""

    def __init__(self, writer: Writer, sites: ReadSites) -> None:
        self._writer = writer
        self._sites = sites
        self._calls: dict[int, tuple[Padded, Reading, tuple[float | None, float | None]]] = {}
        """What was found, and what is left of the states without and with what all rows share."""

    def on_call(self, number: int, module: Any, given: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients at a sampled step."""
        if number in self._calls or not isinstance(module, nn.RNNBase):
            return
        padded = padding_of(given, module.batch_first)
        if padded is not None:
            reading = (Pooling if padded.padded_share else Reading)(module, output)
            reading.watch(output)
            left = state_left(padded, module, output[0])
            whole = state_left(padded.whole, module, output[0]) if padded.shared else left
            self._calls[number] = padded, reading, (left, whole)

    def write(self, step: int) -> None:
        """The records of the step that ends."""
        calls, self._calls = self._calls, {}
        for number, (padded, reading, left) in calls.items():
            if reading.error is not None:
                raise reading.error
            counted = whole_of(padded, reading)
            fields = record(counted, reading)
            if max(fields["read_share"] or 0.0, fields["unread_share"] or 0.0) > _READ:
                self._sites.seek(number)
            left_of = left[0] if counted is padded else left[1]
            self._writer.write("padding", step=step, module=number, **fields, state_left=left_of)


def whole_of(padded: Padded, reading: Reading) -> Padded:
    """With what all rows share, where it is padding, and the loss reads what stands behind it.

    Sequences that are padded to a fixed length share the padding of the longest. Of a task that pauses before it asks
    all rows end alike; one that answers during the pause is read there.
    """
    fixed = padded.shared and padded.padded_share > _UNEVEN and (last_share(reading) or 0.0) > _AT_THE_END
    return padded.whole if fixed else padded


def record(padded: Padded, reading: Reading) -> dict[str, Any]:
    """The fields of a padding record, beside its step and module."""
    packed = reading.lengths is not None
    runs_on = not packed or padded.lengths is not None
    return {
        "packed": packed,
        "rows": len(padded.rows),
        "padded_share": padded.padded_share,
        "padding": padded.padding,
        "read_share": read_share(padded, reading) if runs_on else None,
        "unread_share": unread_share(reading) if packed else None,
    } | (
        {"pooling": reading.pooling, "pooled_share": reading.taken_beyond(pooled_over(padded, reading))}
        if isinstance(reading, Pooling)
        else {}
    )


def pooled_over(padded: Padded, reading: Pooling) -> Padded:
    """With what all rows share, where they are padded and a mean is taken: it dilutes the mean as the rest does."""
    fixed = padded.shared and padded.padded_share > _UNEVEN and reading.pooling == "mean"
    return padded.whole if fixed else padded


def state_left(padded: Padded, module: Any, output: Any) -> float | None:
    """Share of what the state told of its sequence before the padding that can be told from the last step's.

    Of each unit the squared correlation of both over the padded rows, weighted by its variance before the padding.

    Shapes: output (T, B, D*P) or (B, T, D*P), or packed; the forward direction is looked at. None if: packed without
    padding, fewer than two padded rows, or all of their states are the same.
    """
    packed = isinstance(output, PackedSequence)
    chosen = [k for k, (end, last) in enumerate(zip(padded.ends, padded.last)) if 0 < end < last]
    if (packed and padded.lengths is None) or len(chosen) < _FEWEST_PADDED:
        return None
    rows = [padded.rows[k] for k in chosen]
    if packed:
        states = grid_of(output, output.data.detach(), rows)
    else:
        states = (output.detach().transpose(0, 1) if module.batch_first else output.detach())[:, rows]
    states = states[..., : states.shape[-1] // (2 if module.bidirectional else 1)]
    own, *times = (
        torch.tensor(numbers, device=states.device)
        for numbers in (
            range(len(chosen)),
            [padded.ends[k] - 1 for k in chosen],
            [padded.last[k] - 1 for k in chosen],
        )
    )
    before, last = (s.float() - s.float().mean(0) for s in (states[time, own] for time in times))
    told, spread = (before * last).mean(0).square(), last.square().mean(0)
    whole = before.square().mean(0).sum()
    left = (told / spread)[spread > 0].sum()
    return float(left / whole) if float(whole) > 0 else None


def read_share(padded: Padded, reading: Reading) -> float | None:
    """Share of the gradient that falls on padded steps; the final state stands at a row's last one.

    Of both directions the forward one is looked at: the reverse one ends at the first step, which is never padding.
    0 where the loss reads that alone. None if: it reads nothing.
    """
    inside = total = reverse = 0.0
    ends = torch.tensor(padded.ends)
    if reading.output is not None:
        square = reading.output[:, padded.rows]
        if reading.reverse is not None:
            backward = reading.reverse[:, padded.rows]
            square, reverse = square - backward, float(backward.sum())
        beyond = torch.arange(padded.time).unsqueeze(1) >= ends
        inside += float(square[beyond.to(square.device)].sum())
        total += float(square.sum())
    if reading.state is not None:
        state = reading.state[0, padded.rows]
        inside += float(state[(ends < torch.tensor(padded.last)).to(state.device)].sum())
        total += float(state.sum())
        reverse += float(reading.state[1:, padded.rows].sum())
    return inside / total if total > 0 else 0.0 if reverse > 0 else None
