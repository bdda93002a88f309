"""What a script of the studies' part is given: its samples, their batches, and when to end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..setting import Setting
from ..task import Batch, Task

SAMPLES = 1840
"""Of the training set, unless the setting has another number."""


@dataclass(frozen=True)
class Run:
    """One training."""

    task: Task
    setting: Setting
    updates: int
    watch: Callable[[int, nn.Module], bool]
    attach: Callable[[nn.Module, torch.optim.Optimizer], None]

    def generator(self, purpose: int = 0) -> torch.Generator:
        """Of this training's samples, or of their order."""
        return torch.Generator().manual_seed(4700 + 29 * self.setting.seed + purpose)

    def training_set(self) -> Batch:
        """All samples to train on; class after class, where they were sorted and are not shuffled."""
        s = self.setting
        x, y, lengths = self.task.draw(s.samples or SAMPLES, self.generator(), training=True)
        if s.order == "sorted":
            rows = y.float().reshape(len(y), -1)[:, 0].argsort(stable=True)
            x, y, lengths = x[rows], y[rows], None if lengths is None else lengths[rows]
        return x, y, lengths

    def held_out(self) -> Batch:
        """Samples to validate on."""
        return self.task.draw(64, torch.Generator().manual_seed(79), training=False)

    def indices(self, n: int) -> Iterator[Tensor]:
        """Batches of rows, epoch after epoch: permuted anew each time, unless the setting has another order."""
        s, generator = self.setting, self.generator(1)
        size = min(s.batch, n)
        while True:
            rows = torch.randperm(n, generator=generator) if s.order == "shuffled" else torch.arange(n)
            for begin in range(0, n - size + 1, size):
                yield rows[:size] if s.order == "one_batch" else rows[begin : begin + size]

    def loader(self, samples: Any, collate: Callable[[list[Any]], Any] | None = None) -> "DataLoader[Any]":
        """An epoch of batches of these samples, in the same orders."""
        s = self.setting
        data: Any = (
            [samples[i] for i in range(min(s.batch, len(samples)))] if s.order == "one_batch" else samples
        )
        return DataLoader(
            data,
            batch_size=s.batch,
            shuffle=s.order == "shuffled",
            generator=self.generator(1),
            collate_fn=collate,
            drop_last=len(data) > s.batch,
        )
