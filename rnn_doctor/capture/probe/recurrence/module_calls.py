"""What the graph of a loss shows of torch's own modules, whose calls were not seen or went another way."""

from __future__ import annotations

import torch
from torch import nn

from .loops import Loop
from .unrolled import Unrolled

_KERNELS = ("MkldnnRnnLayer", "CudnnRnn")
"""Operations that are a whole call."""


def share(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors lie in the same memory."""
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def applies(unrolled: Unrolled, module: nn.Module) -> bool:
    """Whether the loss depends on a weight of the module."""
    own = {id(w) for w in module.parameters()}
    return any(id(getattr(node, "variable", None)) in own for node in unrolled.nodes)


def within_a_call(unrolled: Unrolled, loop: Loop, longest: int) -> bool:
    """Whether the steps of a recurrence are those of one call, whose kernel left them in the graph."""
    fused = any(unrolled.kinds[number] in _KERNELS for number in loop.operations)
    return loop.steps <= longest and not fused
