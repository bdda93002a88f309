"""What a loader's batch tells of the tensors that a network is given."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Source(NamedTuple):
    """The first tensor of the current batch of a loader."""

    tensor: torch.Tensor | None = None
    """None where there is none, or the script holds it no more. Shape: any"""
    samples_first: bool = False
    """Its first axis is known to be that of the samples."""
    shuffled: bool = False
    """These are in no order."""
