"""How the training loss of an update is made of what the loss functions returned: as a mean, or as a sum."""

from __future__ import annotations

from typing import Any

import torch

from ..writer import Writer
from .losses import CLASSIFYING

_MOST_CALLS = 4_096


class LossSums:
    """Adds up the loss calls of a sampled update, so that its loss can be held against the loss of one target."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._calls: list[tuple[torch.Tensor, int]] = []
        """Mean over its targets of each call, and their number."""

    def on_loss(
        self, function: str, output: Any, target: Any, result: torch.Tensor, options: dict[str, Any]
    ) -> None:
        """A loss function that leads to a gradient returned, at a sampled update.

        Shapes: output and target as the function takes them; result (), or that of the target.
        """
        if len(self._calls) >= _MOST_CALLS or not isinstance(target, torch.Tensor) or not target.numel():
            return
        count = target.numel()
        if function in CLASSIFYING:
            classes = target.is_floating_point() and target.shape == output.shape
            kept = count // target.shape[1 if target.dim() > 1 else 0] if classes else _kept(target, options)
            count = max(1, int(kept))
        value = result.detach()
        if value.numel() > 1:
            value = value.sum() / count
        elif options.get("reduction") == "sum":
            value = value / count
        self._calls.append((value, count))

    def write(self, step: int, loss: float | None, backwards: int) -> None:
        """The record of an update; of one backward pass alone, since several may make its loss in several ways."""
        calls, self._calls = self._calls, []
        if not calls or loss is None or backwards != 1:
            return
        mean = float(torch.stack([value.float().reshape(()) for value, _ in calls]).mean())
        self._writer.write(
            "loss_sum", step=step, calls=len(calls), targets=sum(n for _, n in calls), mean=mean, loss=loss
        )


def _kept(target: torch.Tensor, options: dict[str, Any]) -> int:
    """How many labels are not left out."""
    return int((target != options.get("ignore_index", -100)).sum())
