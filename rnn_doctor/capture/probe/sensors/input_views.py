"""Where the axes are known of what layers make on the way to a recurrent module's input or its first state."""

from __future__ import annotations

from typing import Any

from ..graph import kind_of, shape_of
from .layouts import Layout, Mixed, keeps_places, layout_of, layout_of_channels

_CHANNELED = frozenset((
    "Convolution", "MaxPool2DWithIndices", "MaxPool3DWithIndices", "AvgPool2D", "AvgPool3D", "AdaptiveAvgPool2D",
    "AdaptiveAvgPool3D", "AdaptiveMaxPool2D", "NativeBatchNorm", "CudnnBatchNorm",
))  # fmt: skip
"""Operations on (samples, channels, places)."""
_VIEWS = ("View", "UnsafeView")
_PRODUCTS = ("Addmm", "Mm")
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
