"""The source lines of views, for as long as they are looked for."""

from __future__ import annotations

from typing import Any

import torch

from .. import places
from ..listening import Listening

_METHODS = ("view", "reshape", "flatten", "unflatten")
_MOST = 200


class ViewSites:
    """Notes where tensors are viewed in another shape, the first line for each pair of shapes."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._sites: dict[tuple[tuple[int, ...], tuple[int, ...], bool], dict[str, Any] | None] = {}
        """By both shapes, and whether the tensor has a gradient."""

    def watch(self, on: bool) -> None:
        """Begins to watch, or ends it and forgets the lines."""
        if on:
            self._listening.begin("mixing", self._note, (torch.Tensor,), _METHODS)
        else:
            self._listening.end("mixing")
            self._sites.clear()

    def where(
        self, shape: tuple[int, ...], viewed: tuple[int, ...], raw: bool = False
    ) -> dict[str, Any] | None:
        """The line that viewed a tensor of the one shape in the other; raw: one without a gradient.

        Such a one may have had its axes merged before: then the first line that viewed any as `viewed`.
        """
        exact = self._sites.get((shape, viewed, not raw))
        if exact is not None or not raw:
            return exact
        return next(
            (site for (_, after, learned), site in self._sites.items() if after == viewed and not learned),
            None,
        )

    def _note(self, _name: str, result: torch.Tensor, args: Any, _kwargs: Any) -> None:
        key = tuple(args[0].shape), tuple(result.shape), result.grad_fn is not None
        if key not in self._sites and len(self._sites) < _MOST:
            self._sites[key] = places.here()
