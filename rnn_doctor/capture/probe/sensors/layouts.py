"""The axes of a recurrent module's tensor, followed along the operations that the graph tells of."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..graph import kind_of, shape_of
from ..saved import kept

FIRST, SECOND, OTHER, CHANNEL, COPY = 0, 1, 2, 3, 4
_ROWS = 2
"""Axes of a matrix."""
_WRAPPED = 2**63
"""Autograd saves negative axes as unsigned numbers."""
_VIEWS = frozenset(("View", "UnsafeView", "ReshapeAlias"))
_IN_PLACE = frozenset((
    "Clone", "Alias", "ToCopy", "Mul", "Div", "Add", "Sub", "NativeDropout", "Relu", "LeakyRelu", "Elu", "Gelu",
    "Silu", "Tanh", "Sigmoid", "Threshold", "Hardtanh", "NativeLayerNorm", "Softmax", "LogSoftmax", "Index",
    "IndexSelect", "NativeBatchNorm", "CudnnBatchNorm", "NativeGroupNorm", "PreluKernel",
))  # fmt: skip
"""Operations that leave every number at its place, or exchange whole samples."""
_COMPARISONS = frozenset((
    "MseLoss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropy", "BinaryCrossEntropyWithLogits", "Sub",
))  # fmt: skip
"""Operations that hold number against number, wherever they stand."""


class Atom(NamedTuple):
    """A piece of an axis of the tensor that is followed."""

    kind: int
    """FIRST or SECOND axis of that tensor, the CHANNEL axis of a convolution, a COPY by its number, or OTHER."""
    size: int


Layout = list[tuple[Atom, ...]]
"""What each axis consists of, the outermost piece first; nothing where its size is 1."""


class Mixed(NamedTuple):
    """A view that takes the numbers of one sample for those of another."""

    shape: tuple[int, ...]
    viewed: tuple[int, ...]
    within: bool = False
    """It takes the numbers of one place of a sample for those of another of the same sample."""
    by_numbers: bool = False
    """The numbers tell it, no view was seen."""


def compares(node: Any) -> bool:
    """Whether the operation holds each number against one of a target."""
    return kind_of(node) in _COMPARISONS


def keeps_places(node: Any) -> bool:
    """Whether the operation leaves every number where it is, up to whole samples."""
    return kind_of(node) in _IN_PLACE


def laid_out_alike(comparison: Any, shape: tuple[int, ...]) -> bool | None:
    """Whether the target of a comparison is a view of a tensor with the axes of `shape`; None where it does not tell.

    The first axis of that tensor may be longer: a window of a series.
    """
    target = kept(comparison, "_saved_target")  # detached it would be a view of itself
    base = None if target is None else target._base
    return None if base is None else base.dim() == len(shape) and tuple(base.shape[1:]) == shape[1:]


def layout_of(shape: tuple[int, ...]) -> Layout:
    """The layout of the tensor where following begins. Shapes: (first, second, any)."""
    kinds = [FIRST, SECOND] + [OTHER] * len(shape)
    return [(Atom(kind, size),) if size > 1 else () for kind, size in zip(kinds, shape)]


def layout_of_channels(shape: tuple[int, ...]) -> Layout:
    """The layout of what a convolution makes. Shapes: (samples, channels, ..., steps)."""
    kinds = [FIRST, CHANNEL] + [OTHER] * (len(shape) - 3) + [SECOND]
    return [(Atom(kind, size),) if size > 1 else () for kind, size in zip(kinds, shape)]


def after(layout: Layout, node: Any, place: int) -> Layout | Mixed | None:
    """The layout behind an operation that takes the tensor as its argument number `place`.

    None where neither samples nor steps can be told apart any further, or the operation is none that is followed.
    """
    shape, kind = shape_of(node), kind_of(node)
    if shape is None or not _tells_any_apart(layout):
        return None
    if kind in _VIEWS:
        return _viewed(layout, shape)
    found: Layout | None = None
    if kind in _IN_PLACE:
        found = layout
    elif kind in ("Squeeze", "Unsqueeze"):
        pieces = iter([axis for axis in layout if axis])
        found = [next(pieces) if size > 1 else () for size in shape]
    elif kind in ("Repeat", "Expand"):
        found = _copied(layout, shape)
    elif kind in ("Transpose", "T", "Permute"):
        found = _moved(layout, node, kind)
    elif kind == "Select":
        dropped = axis_of(node._saved_dim, len(layout))
        found = [axis for k, axis in enumerate(layout) if k != dropped]
    elif kind == "Slice":
        found = [_cut(axis, size) for axis, size in zip(layout, shape)]
    elif (kind, place) in (("Addmm", 1), ("Mm", 0)):
        found = [layout[0], (Atom(OTHER, shape[1]),) if shape[1] > 1 else ()]
    fits = found is not None and tuple([_size(axis) for axis in found]) == shape
    return found if fits else None


def _tells_any_apart(layout: Layout) -> bool:
    """With one of them left, copies may still be put beside it."""
    return any(atom.kind in (FIRST, SECOND) for axis in layout for atom in axis)


def _size(axis: tuple[Atom, ...]) -> int:
    size = 1
    for atom in axis:
        size *= atom.size
    return size


def axis_of(number: int, axes: int) -> int:
    """The axis of this number, which may have been negative."""
    return (number - 2 * _WRAPPED if number >= _WRAPPED else number) % axes


def _cut(axis: tuple[Atom, ...], size: int) -> tuple[Atom, ...]:
    """A slice of an axis; one of several pieces is not followed: its size would not fit."""
    if size == 1:
        return ()
    return (axis[0]._replace(size=size),) if len(axis) == 1 else axis


def _copied(layout: Layout, shape: tuple[int, ...]) -> Layout:
    """What was repeated, or expanded: copies stand outside of what they are copies of."""
    whole: Layout = [()] * (len(shape) - len(layout)) + layout
    return [
        (Atom(COPY, size // _size(axis)), *axis) if size > _size(axis) else axis
        for axis, size in zip(whole, shape)
    ]


def _moved(layout: Layout, node: Any, kind: str) -> Layout:
    if kind == "T":
        return layout[::-1]
    axes = len(layout)
    if kind == "Permute":
        return [layout[axis_of(k, axes)] for k in node._saved_dims]
    a, b = axis_of(node._saved_dim0, axes), axis_of(node._saved_dim1, axes)
    moved = list(layout)
    moved[a], moved[b] = moved[b], moved[a]
    return moved


def _viewed(layout: Layout, shape: tuple[int, ...]) -> Layout | Mixed | None:
    """A view merges and splits axes; where it cuts across them, it may have exchanged the two first ones."""
    if len(layout) > _ROWS and layout[1] and layout[1][0].kind == CHANNEL:
        of_channels = _channels_exchanged(layout, shape)
        if of_channels is not None:
            return of_channels
    atoms = _merged([atom for axis in layout for atom in axis])
    found = _regrouped(atoms, shape)
    if found is not None and not _blends(found, atoms[0]):
        return found
    sizes = tuple([_size(axis) for axis in layout])
    if _exchanges(atoms, [size for size in shape if size > 1]):
        return Mixed(sizes, shape)
    if found is None and _turns(atoms, shape):
        return Mixed(sizes, shape, within=True)
    return found


def _turns(atoms: list[Atom], shape: tuple[int, ...]) -> bool:
    """Whether (outer, inner, rest) is viewed as (outer, rest, inner), as cross entropy and convolutions want them.

    The axes were to be moved for that. The outer axis is that of the samples or of the steps, the inner one the other.
    """
    kinds = [atom.kind for atom in atoms]
    if sorted(kinds) != [FIRST, SECOND, OTHER] or kinds[2] != OTHER:
        return False
    outer, inner, rest = [atom.size for atom in atoms]
    return shape == (outer, rest, inner) and inner != rest


def _channels_exchanged(layout: Layout, shape: tuple[int, ...]) -> Mixed | None:
    """A view of (samples, channels, places) as (samples, places, channels), or with the places first.

    The places are an axis, or two together. None where these sizes also follow from the axes as they stand.
    """
    sizes = tuple([_size(axis) for axis in layout])
    rows, channels, extents = sizes[0], sizes[1], sizes[2:]
    together = channels
    plain = [together] + [together := together * extent for extent in extents]
    places = {*extents, math.prod(extents)} - {1, *plain}
    if len(shape) != len(("row", "place", "unit")):
        return None
    if shape[0] == rows and shape[1] in places and channels > 1:
        return Mixed(sizes, shape, within=True)
    if shape[1] == rows != shape[0] and shape[0] in places and rows > 1:
        return Mixed(sizes, shape)
    return None


def _blends(found: Layout, first: Atom) -> bool:
    """Whether an axis holds a part of the leading axis together with what follows it: (8, 2, H) as (2, 8, H)."""
    return any(len(axis) > 1 and axis[0].kind == first.kind and axis[0].size < first.size for axis in found)


def _merged(atoms: list[Atom]) -> list[Atom]:
    """Pieces of one axis that stand side by side again."""
    merged: list[Atom] = []
    for atom in atoms:
        beside = merged.pop().size if merged and merged[-1].kind == atom.kind else 1
        merged.append(Atom(atom.kind, beside * atom.size))
    return merged


def _regrouped(atoms: list[Atom], shape: tuple[int, ...]) -> Layout | None:
    """The axes of a view as pieces of the old ones; None where one of its axes cuts across them."""
    left = atoms[::-1]
    found: Layout = []
    for size in shape:
        axis: list[Atom] = []
        wanted = size
        while wanted > 1:
            if not left:
                return None
            atom = left.pop()
            if wanted % atom.size == 0:
                axis.append(atom)
                wanted //= atom.size
            elif atom.size % wanted == 0 and not axis:
                axis.append(Atom(atom.kind, wanted))
                left.append(Atom(atom.kind, atom.size // wanted))
                wanted = 1
            else:
                return None
        found.append(tuple(axis))
    return found if not left else None


def _exchanges(atoms: list[Atom], sizes: list[int]) -> bool:
    """Whether the view names the second of the leading axes first, without having moved its numbers.

    What splits off the first axis is looked through: (L*D, B, H) viewed as (L, B, D*H).
    """
    if len(atoms) < 2 or not {atoms[0].kind, atoms[1].kind} <= {FIRST, SECOND, COPY}:
        return False
    first, second = atoms[0].size, atoms[1].size
    while sizes and sizes[0] != second and first % sizes[0] == 0 and first > sizes[0]:
        first //= sizes.pop(0)
    return bool(sizes) and sizes[0] == second
