"""Pauses of the training in which the script runs the network without learning: validations."""

from __future__ import annotations

from typing import Any

import torch

from ..writer import Writer
from .loaders import Loaders

_MOST_LOSSES = 100_000


class Evaluations:
    """Collects the losses computed outside training, by loader, and writes them when training goes on."""

    def __init__(self, writer: Writer, loaders: Loaders) -> None:
        self._writer = writer
        self._loaders = loaders
        self._losses: dict[int | None, list[torch.Tensor]] = {}
        self._calls: dict[int | None, int] = {}
        self._doubtful: dict[int | None, list[torch.Tensor]] = {}
        self.training_mode = False
        """Of the recurrent module that was called last."""
        self._modes: dict[int | None, bool] = {}
        """The same when the evaluation ran: the next training batch is called before it is written."""

    def on_call(self, training_mode: bool) -> None:
        """A recurrent module ran without gradients."""
        loader = self._loaders.current
        self._calls[loader] = self._calls.get(loader, 0) + 1
        self.training_mode = self._modes[loader] = training_mode

    def on_loss(self, result: torch.Tensor, learns: bool) -> None:
        """A loss was computed. Where it could be learned from, the loader tells later whether it was."""
        if result.numel() != 1:
            return
        loader = self._loaders.current
        if not learns:
            kept = self._losses.setdefault(loader, [])
        elif loader is None or loader in self._loaders.training:
            return
        else:
            kept = self._doubtful.setdefault(loader, [])
        self._modes[loader] = self.training_mode
        if len(kept) < _MOST_LOSSES:
            kept.append(result.detach())

    def training_goes_on(self, step: int) -> None:
        """Writes what was evaluated after update `step`; a backward pass is about to run or has run."""
        for loader in list(self._doubtful):
            losses = self._doubtful.pop(loader)
            if loader not in self._loaders.training and step > 0:
                self._losses.setdefault(loader, []).extend(losses)
        if not (self._losses or self._calls):
            return
        for loader in sorted({*self._losses, *self._calls}, key=lambda n: -1 if n is None else n):
            values = [float(loss) for loss in self._losses.get(loader, [])]
            self._write(step, loader, values)
        self._losses.clear()
        self._calls.clear()
        self._modes.clear()

    def _write(self, step: int, loader: int | None, values: list[float]) -> None:
        fields: dict[str, Any] = {
            "step": step,
            "batches": len(values) or self._calls[loader],
            "loss": sum(values) / len(values) if values else None,
            "training_mode": self._modes[loader],
            "loader": loader,
            "on_training_data": loader is not None and loader in self._loaders.training,
        }
        self._writer.write("evaluation", **fields)
