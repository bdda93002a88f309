"""What a script of the untouched part is given, and its training data."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Batch, Task

SAMPLES = 1600
"""Of the training set, unless the setting has another number."""


@dataclass(frozen=True)
class Run:
    """One training."""

    task: Task
    setting: Setting
    updates: int
    watch: Callable[[int, nn.Module], bool]
    attach: Callable[[nn.Module, torch.optim.Optimizer], None]

    def ends(self, update: int, model: nn.Module) -> bool:
        """Whether this update was the last."""
        return self.watch(update, model) or update >= self.updates

    def generator(self, purpose: int = 0) -> torch.Generator:
        """Of this training's data, or of their order."""
        return torch.Generator().manual_seed(1300 + 11 * self.setting.seed + purpose)

    def training_set(self) -> Batch:
        """All samples to train on; sorted by what is asked for, where they come class after class from folders."""
        x, y, lengths = self.task.draw(self.setting.samples or SAMPLES, self.generator(), training=True)
        if self.setting.order == "folders":
            rows = y.float().reshape(len(y), -1).mean(1).argsort(stable=True)
            x, y, lengths = x[rows], y[rows], None if lengths is None else lengths[rows]
        return x, y, lengths

    def held_out(self) -> Batch:
        """Samples to validate on."""
        return self.task.draw(64, torch.Generator().manual_seed(67), training=False)

    def epoch(self, n: int, g: torch.Generator) -> list[Tensor]:
        """The rows of each batch of an epoch, for loops that cut by hand."""
        shuffled = self.setting.order == "shuffled"
        rows = torch.randperm(n, generator=g) if shuffled else torch.arange(n)
        batches = list(torch.split(rows, self.setting.batch))
        if len(batches) > 1 and len(batches[-1]) < self.setting.batch:
            batches.pop()
        return batches[:1] if self.setting.order == "next_iter" else batches

    def validates(self, update: int) -> bool:
        """Whether it is time to."""
        every = self.setting.validate_every
        return bool(every) and update % every == 0
