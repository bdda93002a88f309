"""What the loss takes from the output of one recurrent call: squared gradient by time step and row."""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch.nn.utils.rnn import PackedSequence

from .padded import lengths_of, running


class Reading:
    """Gathers ||dL/d output||^2 and ||dL/d h_n||^2 of one call of an nn.RNN, LSTM or GRU over the backward pass.

    Rows stand in the order of the script's batch, packed or not. Only sums are kept, nothing of the graph.
    """

    def __init__(self, module: Any, output: Any) -> None:
        sequence = output[0]
        packed = isinstance(sequence, PackedSequence)
        self._batch_sizes: torch.Tensor | None = sequence.batch_sizes if packed else None
        self._order: torch.Tensor | None = sequence.unsorted_indices if packed else None
        self._batch_first: bool = module.batch_first
        self._directions = 2 if module.bidirectional else 1
        self.lengths: torch.Tensor | None = lengths_of(sequence) if packed else None
        """Valid steps of each row of a packed sequence. Shape: (B)."""
        self.output: torch.Tensor | None = None
        """Of both directions, or the only one. Shape: (T, B)."""
        self.reverse: torch.Tensor | None = None
        """Of the reverse half of a bidirectional output. Shape: (T, B)."""
        self.state: torch.Tensor | None = None
        """Of the final states, summed over layers. Shape: (D, B)."""
        self.halves: torch.Tensor | None = None
        """Of a bidirectional output, forward and reverse. Shape: (2)."""
        self.parts: torch.Tensor | None = None
        """Of the final states h_n and c_n by layer and direction, summed over rows. Shape: (L, D)."""
        self.error: Exception | None = None
        """What went wrong within a hook, where the script's backward pass must not see it."""

    def watch(self, output: Any) -> None:
        """Hooks the tensors of the output; the hooks go with the graph."""
        sequence, last = output
        data = sequence.data if isinstance(sequence, PackedSequence) else sequence
        states = last if isinstance(last, tuple) else (last,)
        takes = (self.add_output, self.add_state, self.add_cell)
        for tensor, take in zip((data, *states), takes):
            if tensor.requires_grad:
                tensor.register_hook(self._harmless(take))

    def _harmless(self, take: Callable[[torch.Tensor], None]) -> Callable[[torch.Tensor | None], None]:
        def hook(gradient: torch.Tensor | None) -> None:
            if gradient is None:  # of an LSTM's output where the final state alone is read (torch 2.13, CPU)
                return
            try:
                take(gradient)
            except Exception as error:
                self.error = error

        return hook

    def add_output(self, gradient: torch.Tensor) -> None:
        """Shapes: (T, B, D*P), (B, T, D*P), (T, D*P); the data of a packed sequence (N, D*P)."""
        square = gradient.detach().float().square()
        self.output = _sum(self.output, self._by_time(square.sum(-1)))
        if self._directions == 2:
            self.reverse = _sum(self.reverse, self._by_time(square[..., square.shape[-1] // 2 :].sum(-1)))
            self.halves = _sum(self.halves, square.reshape(-1, 2, square.shape[-1] // 2).sum((0, 2)))

    def add_state(self, gradient: torch.Tensor) -> None:
        """Shapes: (L*D, B, P), (L*D, P)."""
        rows = self._by_layer(gradient)
        self.state = _sum(self.state, rows.sum(0))
        self.parts = _sum(self.parts, rows.sum(-1))

    def add_cell(self, gradient: torch.Tensor) -> None:
        """Shapes: (L*D, B, H), (L*D, H)."""
        self.parts = _sum(self.parts, self._by_layer(gradient).sum(-1))

    def _by_layer(self, gradient: torch.Tensor) -> torch.Tensor:
        """Shapes: (L*D, B, P), (L*D, P) -> (L, D, B)."""
        square = gradient.detach().float().square().sum(-1)
        return square.reshape(-1, self._directions, 1 if square.dim() == 1 else square.shape[1])

    def _by_time(self, square: torch.Tensor) -> torch.Tensor:
        if self._batch_sizes is None:
            if square.dim() == 1:
                return square.unsqueeze(1)
            return square.t() if self._batch_first else square
        grid = square.new_zeros(len(self._batch_sizes), int(self._batch_sizes[0]))
        # Both run over the rows of a step, then over the steps.
        grid[running(self._batch_sizes).to(square.device)] = square
        return grid if self._order is None else grid[:, self._order]


def _sum(old: torch.Tensor | None, new: torch.Tensor) -> torch.Tensor:
    return new if old is None else old + new


def last_share(reading: Reading) -> float | None:
    """Share at each row's last valid step, where the final state is read too; None where the loss reads nothing."""
    total = last = 0.0
    if reading.output is not None:
        total += float(reading.output.sum())
        last += float(_at_ends(reading.output, reading.lengths).sum())
    if reading.state is not None:
        state = float(reading.state.sum())
        total, last = total + state, last + state
    return last / total if total > 0 else None


def read_from(reading: Reading) -> str:
    """Whether the loss takes more from the `output` or from the final `state`."""
    sums = [0.0 if part is None else float(part.sum()) for part in (reading.output, reading.state)]
    return "output" if sums[0] >= sums[1] else "state"


def top_row_share(reading: Reading) -> float:
    """Largest share that falls on one row; 0 where the loss reads nothing."""
    rows = _rows(reading)
    return float(rows.max() / rows.sum()) if rows is not None and float(rows.sum()) > 0 else 0.0


def _rows(reading: Reading) -> torch.Tensor | None:
    """What the loss takes from each row. Shape: (B)."""
    parts = [part.sum(0) for part in (reading.output, reading.state) if part is not None]
    return sum(parts[1:], parts[0]) if parts else None


def _at_ends(grid: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    """Each row's value at its last valid step. Shapes: (T, B) -> (B)."""
    if lengths is None:
        return grid[-1]
    return grid.gather(0, (lengths - 1).to(grid.device).unsqueeze(0))[0]


def reverse_last_share(reading: Reading) -> float | None:
    """Share of the reverse half's gradient at each row's last valid step, where it has seen a single input.

    Its final state stands at the first step. Rows of a single step have no other, and do not count.

    None if: one direction, or the loss takes nothing from the reverse half.
    """
    total = last = 0.0
    if reading.reverse is not None:
        time, batch = reading.reverse.shape
        ends = torch.full((batch,), time) if reading.lengths is None else reading.lengths
        long = (ends > 1).to(reading.reverse.device)
        total = float(reading.reverse[:, long].sum())
        last = float(_at_ends(reading.reverse, reading.lengths)[long].sum())
    if reading.state is not None and len(reading.state) == 2:
        total += float(reading.state[1].sum())
    return last / total if total > 0 else None


def unread_share(reading: Reading) -> float | None:
    """Share of rows from which the loss takes exactly nothing while it reads others; None where it reads none."""
    rows = _rows(reading)
    return float((rows == 0).float().mean()) if rows is not None and float(rows.max()) > 0 else None


def unread_part(reading: Reading, layers: int) -> tuple[int, str | None]:
    """How many of the upper layers the loss depends on in no way, and which direction of the highest that it reads.

    A lower layer's output is what the one above is given, so that a part counts alone where nothing above is read.
    The direction is None where both are read, or there is one.
    """
    read = [[False, False] for _ in range(layers)]
    if reading.parts is not None:
        read = [[share > 0 for share in layer] for layer in reading.parts.tolist()]
    if reading.halves is not None:
        read[-1] = [old or share > 0 for old, share in zip(read[-1], reading.halves.tolist())]
    elif reading.output is not None and float(reading.output.sum()) > 0:
        read[-1] = [True]
    above = next((n for n, layer in enumerate(reversed(read)) if any(layer)), 0)
    highest = read[-1 - above]
    if len(highest) < 2 or all(highest) or not any(highest):
        return above, None
    return above, "reverse" if highest[0] else "forward"
