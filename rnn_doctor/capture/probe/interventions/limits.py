"""Interventions on the clip calls of a script."""

from __future__ import annotations

import functools
from typing import Any, Callable

from torch import nn

from ..patches import Patches
from .kinds import Intervention


class Limit(Intervention):
    """The script's own calls of `clip_grad_norm_` clip at another limit."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self._limit = limit

    def replace(self, patches: Patches) -> None:
        """Puts itself in the place of the function."""

        def limiting(original: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(original)
            def clip(parameters: Any, max_norm: Any, *args: Any, **kwargs: Any) -> Any:
                self.applied += 1
                return original(parameters, self._limit, *args, **kwargs)

            return clip

        patches.replace(nn.utils.clip_grad, "clip_grad_norm_", limiting)
        patched = nn.utils.clip_grad.clip_grad_norm_
        patches.replace(nn.utils, "clip_grad_norm_", lambda _: patched)
