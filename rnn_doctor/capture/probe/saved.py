"""What the operations of a graph keep for the backward pass, where to read it runs no code of the script's own.

Within `saved_tensors_hooks` the script decides how it is kept. Checkpointing is built on them: to read a single number
computes the whole stretch once more.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from typing import Any, Callable

import torch
from torch.autograd.graph import saved_tensors_hooks

from .patches import Patches

_MOST = 4096
"""Stretches that are remembered: a loop may make one for each step of time."""


def _counter() -> Callable[[], int] | None:
    """What returns the number of the next operation; None where PyTorch, of which it is no public part, lacks it."""
    autograd = getattr(torch._C, "_autograd", None)
    told: Callable[[], int] | None = getattr(autograd, "_get_sequence_nr", None)
    return told


class _Stretches:
    """The operations that were made within such hooks, by their numbers in autograd's sequence.

    Where PyTorch does not tell the number of the next operation, every one counts as made so once hooks were in force.
    """

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._depth = 0
        self._next = _counter()

    def begin(self) -> None:
        """Hooks are in force from now on."""
        if self._depth == 0:
            del self._starts[:-_MOST], self._ends[:-_MOST]
            self._starts.append(self._next() if self._next is not None else 0)
        self._depth += 1

    def end(self) -> None:
        """The innermost hooks are in force no more."""
        self._depth -= 1
        if self._depth == 0:
            self._ends.append(self._next() if self._next is not None else 0)

    @property
    def are_told(self) -> bool:
        """Whether it is known which operations they are."""
        return self._next is not None

    def __contains__(self, number: int) -> bool:
        k = bisect_right(self._starts, number) - 1
        return k >= 0 and (k == len(self._ends) or number < self._ends[k])

    def __bool__(self) -> bool:
        return bool(self._starts)


_packed = _Stretches()


def listen(patches: Patches) -> None:
    """Takes note of what is made within such hooks from now on."""
    patches.replace(saved_tensors_hooks, "__enter__", lambda enter: _before(enter, _packed.begin))
    patches.replace(saved_tensors_hooks, "__exit__", lambda leave: _before(leave, _packed.end))


def _before(original: Callable[..., None], note: Callable[[], None]) -> Callable[..., None]:
    @functools.wraps(original)
    def method(*args: Any) -> None:
        if not torch.compiler.is_compiling():
            note()
        return original(*args)

    return method


def is_packed(node: Any) -> bool:
    """Whether to read what an operation keeps would run code of the script's own; also where that is not known."""
    return bool(_packed) and (not _packed.are_told or node._sequence_nr() in _packed)


def why_packed() -> str:
    """Why what such an operation keeps is not read."""
    if not _packed.are_told:
        return (
            "hooks pack what operations keep, or steps are checkpointed, and this version of PyTorch does not tell "
            "which operations that concerns"
        )
    return "its steps are checkpointed, or hooks pack what they keep, and the script's own code would run once more"


def kept(node: Any, name: str) -> torch.Tensor | None:
    """What an operation keeps by this name, as it is; None where that is no tensor, is gone, or is packed."""
    if is_packed(node):
        return None
    try:
        value = getattr(node, name, None)
    except RuntimeError:  # a backward pass has freed it
        return None
    return value if isinstance(value, torch.Tensor) else None


def saved(node: Any, name: str) -> torch.Tensor | None:
    """The same, detached."""
    value = kept(node, name)
    return None if value is None else value.detach()
