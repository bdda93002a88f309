"""Axes that were joined on the way: sentences of documents as rows, steps of a loop put together again."""

from __future__ import annotations

import math
from typing import Any, Iterable, Sequence

import torch

from ..graph import kind_of, shape_of
from ..saved import kept
from .layouts import FIRST, OTHER, SECOND, Atom, Layout, axis_of, layout_of

Pairs = dict[int, tuple[int, int]]
"""Of a number of rows: how many of the outer axis, and of the inner one, they were made of."""

_VIEWS = ("View", "UnsafeView")
_READ = {
    "Embedding": "_saved_indices", "Convolution": "_saved_input", "Addmm": "_saved_mat1", "Mm": "_saved_self",
}  # fmt: skip
"""What layers keep of what they were given."""
_MAKERS = frozenset((
    *_READ, "MaxPool2DWithIndices", "MaxPool3DWithIndices", "AvgPool2D", "AdaptiveAvgPool2D", "AdaptiveMaxPool2D",
    "NativeBatchNorm", "CudnnBatchNorm", "Mean", "Sum", "Amax", *_VIEWS,
))  # fmt: skip
"""Operations of which each row of the result is made of the same row."""
_MOST_STARTS = 64
_MOST_BETWEEN = 100


def pair_of(given: torch.Tensor) -> tuple[int, int] | None:
    """The first two axes that the rows of a tensor are, in this order, in the tensor that it is a view of.

    That tensor may have more of the first one: a batch that is cut out of a data set. Shapes: given (A * B, ...)
    """
    base = given._base
    if base is None or base.dim() <= given.dim() or not (base.is_contiguous() and given.is_contiguous()):
        return None
    inner, unit = base.shape[1], math.prod(base.shape[2:])
    whole = given.numel() == len(given) * unit and unit > 0
    begins = int(given.storage_offset() - base.storage_offset())
    if not whole or inner < 1 or len(given) % inner or begins % (inner * unit):
        return None
    return len(given) // inner, inner


def pairs_of(nodes: Iterable[Any], given: Sequence[tuple[int, int] | None]) -> Pairs:
    """The axes that rows were made of; given: what is known of what modules read themselves.

    Left out where the two could not be told apart, or were joined the other way round elsewhere.
    """
    found = {pair for pair in given if pair is not None}
    for node in nodes:
        kind = kind_of(node)
        if kind in _VIEWS:
            below, number = node.next_functions[0]
            before, shape = (
                (shape_of(below, number) if below is not None else None) or (),
                shape_of(node) or (),
            )
            if len(before) > len(shape) > 0 and shape[0] == before[0] * before[1]:
                found.add((before[0], before[1]))
        elif kind in _READ:
            read = kept(node, _READ[kind])
            pair = pair_of(read) if read is not None and read.dim() > 0 and not read.requires_grad else None
            if pair is not None:
                found.add(pair)
    counts = [a * b for a, b in found]
    told = [(a, b) for a, b in found if min(a, b) > 1 and a != b and counts.count(a * b) == 1]
    return {a * b: (a, b) for a, b in told}


def layout_of_pair(shape: tuple[int, ...], axis: int, pair: tuple[int, int]) -> Layout:
    """The layout of a tensor, one axis of which was made of two."""
    layout: Layout = [(Atom(OTHER, size),) if size > 1 else () for size in shape]
    layout[axis] = Atom(FIRST, pair[0]), Atom(SECOND, pair[1])
    return layout


def made_of_pairs(nodes: Iterable[Any], pairs: Pairs) -> list[tuple[Any, Layout]]:
    """What layers made of such rows, row by row: its nodes and their layouts."""
    found: list[tuple[Any, Layout]] = []
    for node in nodes if pairs else ():
        shape = shape_of(node) if kind_of(node) in _MAKERS else None
        if shape and shape[0] in pairs and len(found) < _MOST_STARTS:
            found.append((node, layout_of_pair(shape, 0, pairs[shape[0]])))
    return found


def put_together(node: Any, rows: set[int]) -> Layout | None:
    """The layout of what the steps of a loop, of so many rows each, were stacked or concatenated to; else None."""
    kind = kind_of(node)
    if kind not in ("Stack", "Cat"):
        return None
    shape, count = shape_of(node) or (), len(node.next_functions)
    dim = axis_of(node._saved_dim, max(1, len(shape)))
    if len(shape) < 2 or dim > 1 or count < 2:
        return None
    if kind == "Stack":
        return layout_of(shape) if shape[1 - dim] in rows else None
    pieces = {None if child is None else shape_of(child, number) for child, number in node.next_functions}
    piece = pieces.pop()
    joined = not pieces and piece is not None and dim == 0 and piece[0] in rows
    if not pieces and piece is not None and piece[dim] == 1 and shape[1 - dim] in rows:
        return layout_of(shape)
    return layout_of_pair(shape, 0, (count, shape[0] // count)) if joined else None


def owner(node: Any, ends: dict[Any, int]) -> int | None:
    """The module that made what was put together; None where it was not met among the nearest operations."""
    queue, seen = [node], {node}
    for each in queue:  # grows while it runs
        for child, _ in each.next_functions:
            if child in ends:
                return ends[child]
            if child is not None and child not in seen and len(seen) < _MOST_BETWEEN:
                seen.add(child)
                queue.append(child)
    return None
