"""The indices behind embedded input: what dropout or a learning table makes of them differs, they do not."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from ..graph import kind_of
from ..saved import kept

_FARTHEST = 6
_SAME_AXES = frozenset(("Clone", "Alias", "ToCopy", "Mul", "Div", "NativeDropout"))
_MOVES = frozenset(("Transpose", "Permute"))
_PACKING = frozenset(("PackPaddedSequence", "IndexSelect"))
"""Packing, and the sorting of the rows before it."""


def tokens_of(given: torch.Tensor) -> torch.Tensor | None:
    """The indices that the input was embedded from; None where no embedding made it.

    Shapes: (T, B, I) -> (T, B), and so (B, T, I).
    """
    indices = _embedded(given.grad_fn, _SAME_AXES)
    return indices if indices is not None and indices.shape == given.shape[:2] else None


def packed_tokens(given: PackedSequence) -> torch.Tensor | None:
    """The same of a packed sequence, padded again, its rows in the order that the script gave them in.

    Shapes: -> (T, B).
    """
    node: Any = given.data.grad_fn
    if node is None or kind_of(node) != "PackPaddedSequence":
        return None
    indices = _embedded(node, _SAME_AXES | _PACKING, moved=node._saved_batch_first)
    shape = (len(given.batch_sizes), int(given.batch_sizes[0]))
    return indices[: shape[0]] if indices is not None and indices.shape[1:] == shape[1:] else None


def _embedded(node: Any, passed: frozenset[str], moved: bool = False) -> torch.Tensor | None:
    for _ in range(_FARTHEST):
        if node is None:
            return None
        kind = kind_of(node)
        if kind == "Embedding":
            indices = kept(node, "_saved_indices")
            return indices.t() if indices is not None and moved and indices.dim() == 2 else indices
        if kind in _MOVES:
            moved = not moved
        elif kind not in passed:
            return None
        node = node.next_functions[0][0] if node.next_functions else None
    return None
