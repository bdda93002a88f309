"""Seeds of a trial: the same in all runs that are held against each other, others in each repeat."""

from __future__ import annotations

import functools
import random
import sys
from typing import Any, Callable

import torch

from ..patches import Patches

_APART = 1_000_003
"""Between the seeds of one repeat and the next: scripts count theirs up by one."""


def shift(repeat: int, patches: Patches) -> None:
    """Gives generators that the script leaves alone a seed, and moves torch's by the repeat.

    The first repeat is the script's own training. Torch's seed alone is moved, for data are mostly made by others.
    """
    random.seed(repeat)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(repeat)
    if not repeat:
        return
    torch.manual_seed(repeat)

    def moved(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def manual_seed(seed: Any) -> Any:
            return original(int(seed) + repeat * _APART)

        return manual_seed

    patches.replace(torch.random, "manual_seed", moved)
    moving = torch.random.manual_seed
    patches.replace(torch, "manual_seed", lambda _: moving)
