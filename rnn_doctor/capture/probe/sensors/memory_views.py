"""Whether the steps and rows of an input cut across the axes of the tensor whose memory they are read from.

A view does not move numbers, so where a step of a row begins tells which sample it is of, and which of its steps. Of
what was copied or scaled on the way the numbers themselves tell: they stand in the order of the tensor's memory.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Sequence

import torch

from .layouts import Mixed
from .source import Source

_FEWEST = 2
"""Steps, rows and samples, of which there must be as many."""
_MOST_COMPARED = 4_000_000
_ALIKE, _UNLIKE = 0.999, 0.9
"""Correlation of numbers with those they were made from by a factor and an offset, and at most that of the others."""
_IMAGE = 4
"""Axes of (samples, channels, height, width)."""


class Grid(NamedTuple):
    """Where the steps of each row begin in the memory of a contiguous tensor, counted in numbers from its first."""

    offset: int
    steps: int
    rows: int
    by_step: int
    by_row: int
    features: int
    by_feature: int = 1

    def crosses(self, shape: Sequence[int], samples_first: bool = False) -> bool:
        """Whether steps and rows cut across the first two axes of a tensor of this shape.

        samples_first: the first axis is known to be that of the samples. A row that goes through a stretch of memory
        number by number has samples joined end to end, which is sound, unless it is as long as the first axis.
        """
        shape = [size for size in shape if size > 1]
        if len(shape) < _FEWEST or min(self.steps, self.rows) < _FEWEST:
            return False
        exchanged = (self.steps, self.rows) == (shape[0], shape[1])
        if self.by_step * self.steps <= self.by_row and not exchanged:
            return False
        unit = math.prod(shape[2:])
        begins = torch.arange(self.steps, device="cpu").unsqueeze(1) * self.by_step + self.offset
        begins = begins + torch.arange(self.rows, device="cpu") * self.by_row
        places = begins.div(unit, rounding_mode="floor")
        second = places.remainder(shape[1])
        first = places.div(shape[1], rounding_mode="floor")
        if not (_by_step(first) and _by_row(first)):
            return False
        # Every so many-th step of the first axis may be a row of its own, unless the sizes are just those exchanged.
        told = samples_first or (self.steps, self.rows) == (shape[1], shape[0])
        return _by_row(second) and (told or _by_step(second))

    def runs_along_first(self, shape: Sequence[int]) -> bool:
        """Whether its steps are places of the first axis of a tensor of this shape, its rows of the second."""
        unit = math.prod(shape[2:])
        fits = len(shape) > 1 and _FEWEST <= self.rows <= shape[1] and _FEWEST <= self.steps <= shape[0]
        return fits and (self.by_step, self.by_row) == (shape[1] * unit, unit)

    def exchanges(self, shape: Sequence[int]) -> bool:
        """Whether each row is one sample (a, b) of a tensor of this shape, taken for b steps of a features.

        Where one size divides the other, a step may be several lines or a part of one, which is sound.
        """
        if len(shape) == _IMAGE and shape[1] == 1:
            shape = (shape[0], *shape[2:])
        if len(shape) != len(("sample", "line", "column")):
            return False
        lines, columns = shape[1:]
        within = self.by_row == lines * columns and (self.by_step, self.by_feature) == (self.features, 1)
        told_apart = min(lines, columns) > 1 and lines % columns > 0 and columns % lines > 0
        return within and told_apart and (self.steps, self.features) == (columns, lines)


def _by_step(places: torch.Tensor) -> bool:
    return bool((places != places[:1]).any())


def _by_row(places: torch.Tensor) -> bool:
    return bool((places != places[:, :1]).any())


def grid_in(base: torch.Tensor, given: torch.Tensor, step_axis: int) -> Grid | None:
    """The grid of an input in the memory of a contiguous tensor; None where it lies elsewhere.

    Shapes: base any, given (T, B, ...) or (B, T, ...).
    """
    if not base.is_contiguous() or not _same_memory(base, given) or given.dim() < 2:
        return None
    strides, row_axis = given.stride(), 1 - step_axis
    features = math.prod(given.shape[2:])
    dense = given.dim() < 3 or given[0, 0].is_contiguous()
    return Grid(
        int(given.storage_offset() - base.storage_offset()), given.shape[step_axis], given.shape[row_axis],
        strides[step_axis], strides[row_axis], features, 1 if dense else 0,
    )  # fmt: skip


def grid_of_steps(base: torch.Tensor, given: Sequence[torch.Tensor]) -> Grid | None:
    """The same of what each step of a loop was given, (B, I) each; None where they do not follow at one distance."""
    first = given[0]
    same = all(each.shape == first.shape and each.stride() == first.stride() for each in given)
    if len(given) < _FEWEST or not same or first.dim() != 2 or not base.is_contiguous():
        return None
    offsets = [int(each.storage_offset()) for each in given]
    by_step = offsets[1] - offsets[0]
    even = all(offset == offsets[0] + k * by_step for k, offset in enumerate(offsets))
    if by_step <= 0 or not even or not all(_same_memory(base, each) for each in given):
        return None
    by_row, by_feature = first.stride()
    features = first.shape[1]
    return Grid(
        offsets[0] - int(base.storage_offset()), len(given), len(first), by_step, by_row, features,
        by_feature if features > 1 else 1,
    )  # fmt: skip


def are_the_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether a tensor is another one of its shape, in memory or by its numbers, scaled perhaps."""
    if one.shape != other.shape or one.dtype != other.dtype or not 0 < one.numel() <= _MOST_COMPARED:
        return False
    same = _same_memory(one, other) and one.storage_offset() == other.storage_offset()
    return same or alike(one.detach().reshape(-1), other.detach().reshape(-1)) >= _ALIKE


def _same_memory(one: torch.Tensor, other: torch.Tensor) -> bool:
    plain = one.layout == other.layout == torch.strided and one.dtype == other.dtype
    return plain and one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def grid_by_numbers(batch: torch.Tensor, given: torch.Tensor, step_axis: int) -> Grid | None:
    """The grid of an input whose numbers are those of a batch in the order of its memory, scaled perhaps.

    None where they are not, or where they also are those of the batch with its axes moved.

    Shapes: batch (B, T, ...), given (T, B, ...) or (B, T, ...).
    """
    few = min(batch.dim(), given.dim()) < 2 or batch.numel() != given.numel()
    if few or not 0 < batch.numel() <= _MOST_COMPARED:
        return None
    numbers = batch.detach().to(given.device, given.dtype)
    sizes = [size for size in numbers.shape if size > 1] or [1]
    features = math.prod(given.shape[2:])
    for turned in (False, True):
        laid = given.transpose(0, 1) if turned else given
        if alike(numbers.reshape(-1), laid.reshape(-1)) < _ALIKE:
            continue
        if len(sizes) > 1 and _is_sound(numbers.reshape(sizes), given):
            return None
        strides = (laid.shape[1] * features, features)
        steps_outside = (step_axis == 0) != turned
        by_step, by_row = strides if steps_outside else strides[::-1]
        return Grid(0, given.shape[step_axis], given.shape[1 - step_axis], by_step, by_row, features)
    return None


def _is_sound(numbers: torch.Tensor, given: torch.Tensor) -> bool:
    """Whether the input may also be the batch as it is, or with its first axes exchanged."""
    pair = tuple(given.shape[:2])
    if pair == tuple(numbers.shape[:2]):
        return alike(numbers.reshape(-1), given.reshape(-1)) > _UNLIKE
    if pair == tuple(numbers.shape[:2])[::-1]:
        return alike(numbers.transpose(0, 1).reshape(-1), given.reshape(-1)) > _UNLIKE
    return False


def alike(one: torch.Tensor, other: torch.Tensor) -> float:
    """1 where they are equal, else the correlation; of tokens, which are not scaled, 0. Shapes: (N), (N)."""
    if torch.equal(one, other):
        return 1.0
    if not one.is_floating_point():
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    norm = float(one.norm() * other.norm())
    return float(one @ other) / norm if norm > 0 else 0.0


def crossing(grid: Grid | None, source: torch.Tensor, samples_first: bool = False) -> Mixed | None:
    """The view that a grid shows in a tensor, where it mixes samples, or steps; nothing of equal numbers."""
    if grid is None:
        return None
    shape = tuple(source.shape)
    crosses = grid.crosses(shape, samples_first)
    if not (crosses or grid.exchanges(shape)) or bool((source == source.reshape(-1)[:1]).all()):
        return None
    pair = (grid.steps, grid.rows) if grid.by_step > grid.by_row else (grid.rows, grid.steps)
    features = (grid.features,) if grid.features > 1 or len(shape) > 2 else ()
    return Mixed(shape, (*pair, *features), within=not crosses)


def mixed_given(given: torch.Tensor, step_axis: int, source: Source) -> Mixed | None:
    """The view that mixes what an input, without a gradient, holds of the tensor that it is a view of, or of a batch.

    Shapes: given (T, B, ...) or (B, T, ...).
    """
    batch, samples_first = source.tensor, source.samples_first
    base = given._base
    if base is not None:
        found = crossing(grid_in(base, given, step_axis), base, samples_first and base is batch)
        if found is not None:
            return found
    if batch is None:
        return None
    within = grid_in(batch, given, step_axis)
    if within is None and not _same_memory(batch, given):
        within = grid_by_numbers(batch, given, step_axis)
    return crossing(within, batch, samples_first)


def mixed_steps(given: Sequence[torch.Tensor], source: Source) -> Mixed | None:
    """The same of what the steps of a loop were given, (B, I) each, without a gradient."""
    base, batch, samples_first = given[0]._base, source.tensor, source.samples_first
    for whole in (base, batch):
        if whole is not None:
            grid = grid_of_steps(whole, given)
            found = crossing(grid, whole, samples_first and whole is batch)
            if found is not None:
                return found
    count = sum(each.numel() for each in given)
    same = all(each.shape == given[0].shape for each in given) and given[0].dim() == 2
    if batch is None or count != batch.numel() or not same or _same_memory(batch, given[0]):
        return None
    return crossing(grid_by_numbers(batch, torch.stack(tuple(given)), 0), batch, samples_first)


def mixed_either_way(given: torch.Tensor, source: Source) -> Mixed | None:
    """The same of what layers were given on the way to a module, whichever of its first two axes is that of time."""
    found = [mixed_given(given, axis, source) for axis in (0, 1)]
    return found[0] if all(each is not None and not each.within for each in found) else None
