"""The tokens under a loss: what its graph looked up in embeddings, also where no module of torch's recurs over them."""

from __future__ import annotations

from typing import Any

import torch

from ..graph import kind_of
from ..recurrence.unrolled import Unrolled
from ..saved import kept
from .tokens import tokens_of

_FEWEST_LOOKUPS = 3
"""Of one token a sequence each, that are the steps of a loop."""
_MOST_NODES = 80
"""Operations between an input and the embedding under it."""
_RECURRENT = ("MkldnnRnnLayer", "CudnnRnn", "ThnnFusedLstmCell", "ThnnFusedGruCell")
_EMBEDDING = "Embedding"


def tokens_under(unrolled: Unrolled) -> list[torch.Tensor]:
    """The different tables of tokens that a loss depends on, those looked up first last.

    Tokens that a loop looks up one step at a time are one table: by step, then by sequence.
    """
    tables: list[torch.Tensor] = []
    steps: dict[tuple[int, int], list[tuple[int, torch.Tensor]]] = {}
    for node, kind, inputs in zip(unrolled.nodes, unrolled.kinds, unrolled.inputs):
        if kind != _EMBEDDING:
            continue
        tokens = kept(node, "_saved_indices")
        if tokens is None:
            continue
        if tokens.dim() == 2 and 1 not in tokens.shape:
            if not any(tokens.shape == each.shape and torch.equal(tokens, each) for each in tables):
                tables.append(tokens)
        elif tokens.numel() > 1 and tokens.numel() == max(tokens.shape):
            weight = inputs[0][0] if inputs else -1
            steps.setdefault((weight, tokens.numel()), []).append((node._sequence_nr(), tokens.reshape(-1)))
    looped = [found for found in steps.values() if len(found) >= _FEWEST_LOOKUPS]
    return tables + [
        torch.stack([tokens for _, tokens in sorted(found, key=lambda each: each[0])]) for found in looped
    ]


def oriented(tables: list[torch.Tensor], steps: int, rows: int) -> torch.Tensor | None:
    """The table that a recurrence of so many steps over so many rows runs along; None where the sizes do not tell it.

    Shapes: -> (steps, rows).
    """
    if steps == rows:
        return None
    for table in tables:
        if table.shape == (steps, rows):
            return table
        if table.shape == (rows, steps):
            return table.t()
    return None


def unlearned(given: torch.Tensor) -> torch.Tensor | None:
    """The tokens of an input, or its numbers; None where layers that learn made it of something else.

    Shapes: given (first, second, F) -> (first, second) or (first, second, F).
    """
    tokens = tokens_of(given)
    if tokens is None and given.grad_fn is not None:
        return tokens_beneath(given)
    return given.detach() if tokens is None else tokens


def tokens_beneath(given: torch.Tensor) -> torch.Tensor | None:
    """The tokens that the input of a module was made of, by layers that keep the two axes; None where that is not told.

    Shapes: given (first, second, I), first and second not alike -> (first, second).
    """
    first, second = given.shape[:2]
    if first == second or given.grad_fn is None:
        return None
    stack: list[Any] = [given.grad_fn]
    met = set(stack)
    while stack and len(met) < _MOST_NODES:
        node = stack.pop()
        kind = kind_of(node)
        if kind in _RECURRENT:
            return None
        tokens = kept(node, "_saved_indices") if kind == _EMBEDDING else None
        if tokens is not None and tokens.shape == (first, second):
            return tokens
        if tokens is not None and tokens.shape == (second, first):
            return tokens.t()
        for child, _ in node.next_functions:
            if child is not None and child not in met:
                met.add(child)
                stack.append(child)
    return None
