"""Where the axes are known of what layers make on the way to a recurrent module's input or its first state."""

from __future__ import annotations

from typing import Any

import torch

from ..graph import kind_of, shape_of
from ..saved import kept
from .layouts import Layout, Mixed, keeps_places, layout_of, layout_of_channels

_CHANNELED = frozenset((
    "Convolution", "MaxPool2DWithIndices", "MaxPool3DWithIndices", "AvgPool2D", "AvgPool3D", "AdaptiveAvgPool2D",
    "AdaptiveAvgPool3D", "AdaptiveMaxPool2D", "NativeBatchNorm", "CudnnBatchNorm",
))  # fmt: skip
"""Operations on (samples, channels, places)."""
_VIEWS = ("View", "UnsafeView")
_PRODUCTS = ("Addmm", "Mm")
_READ = {"Addmm": "_saved_mat1", "Mm": "_saved_self"}
"""What products keep of what they were given."""
_MAKERS = _CHANNELED | {"Embedding", *_VIEWS}
_LINEAR, _CHANNELS = 3, (3, 4)
"""Axes of what a Linear layer makes of sequences, and of what a convolution over one or two axes makes."""
_MOST_BETWEEN = 6


def made_by_layer(node: Any) -> Layout | None:
    """The layout of what an embedding, a convolution, or a Linear layer over sequences made; else None."""
    kind = kind_of(node)
    if kind not in _MAKERS:  # most nodes: their shapes are not asked for
        return None
    shape = shape_of(node) or ()
    if kind in _CHANNELED:
        return layout_of_channels(shape) if len(shape) in _CHANNELS else None
    if len(shape) != _LINEAR:
        return None
    if kind == "Embedding":
        return layout_of(shape)
    below = node.next_functions[0][0]
    rows = shape_of(below) if below is not None and kind_of(below) in _PRODUCTS else None
    return layout_of(shape) if rows == (shape[0] * shape[1], shape[2]) else None


def read_by(node: Any) -> torch.Tensor | None:
    """What an embedding, or a Linear layer over sequences, read, where that has no gradient.

    Shapes: -> (first, second) tokens or (first, second, I) numbers
    """
    kind = kind_of(node)
    if kind == "Embedding":
        indices = kept(node, "_saved_indices")
        return indices if indices is not None and indices.dim() == 2 else None
    shape = shape_of(node) if kind in _VIEWS else None
    if shape is None or len(shape) != _LINEAR:
        return None
    below = node.next_functions[0][0]
    name = _READ.get(kind_of(below)) if below is not None else None
    read = None if name is None else kept(below, name)
    fits = read is not None and read.dim() == 2 and len(read) == shape[0] * shape[1]
    return read.unflatten(0, shape[:2]) if fits and read is not None and not read.requires_grad else None


def mixed_state(node: Any) -> Mixed | None:
    """The view that took (B, L * H) for the first states (L, B, H) of several layers, without moving the numbers."""
    shape = shape_of(node)
    if shape is None or len(shape) != _LINEAR:
        return None
    layers, rows, units = shape
    for _ in range(_MOST_BETWEEN):
        if node is None or not (keeps_places(node) or kind_of(node) in _VIEWS) or not node.next_functions:
            return None
        below = node.next_functions[0][0]
        if kind_of(node) in _VIEWS:
            told_apart = 1 < layers != rows > 1
            before = (rows, layers * units)
            viewed = below is not None and shape_of(below) == before
            return Mixed(before, shape) if told_apart and viewed else None
        node = below
    return None
