"""What a script of the tutorials' part is given: its training set, batches of it, and when to end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from ..setting import Setting
from ..task import Batch, Task

SAMPLES = 1920
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

    def validates(self, update: int) -> bool:
        """Whether it is time to."""
        every = self.setting.validate_every
        return bool(every) and update % every == 0

    def generator(self, purpose: int = 0) -> torch.Generator:
        """Of this training's data, or of their order."""
        return torch.Generator().manual_seed(9100 + 23 * self.setting.seed + purpose)

    def training_set(self) -> Batch:
        """All samples to train on; class after class, where a script reads one folder after the other."""
        s = self.setting
        x, y, lengths = self.task.draw(s.samples or SAMPLES, self.generator(), training=True)
        if s.order == "by_folder":
            rows = y.float().reshape(len(y), -1).mean(1).argsort(stable=True)
            x, y, lengths = x[rows], y[rows], None if lengths is None else lengths[rows]
        return x, y, lengths

    def held_out(self) -> Batch:
        """Samples to validate on."""
        return self.task.draw(64, torch.Generator().manual_seed(83), training=False)

    def loader(self, *tensors: Tensor) -> "DataLoader[tuple[Tensor, ...]]":
        """Batches of these, shuffled unless the setting has another order."""
        s = self.setting
        return DataLoader(
            TensorDataset(*tensors),
            batch_size=s.batch,
            shuffle=s.order == "shuffled",
            generator=self.generator(1),
            drop_last=len(tensors[0]) > s.batch,
        )

    def batches(self, *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """Those of all epochs; or the first one for ever, as it was left after a test of the script."""
        loader = self.loader(*tensors)
        first = tuple(next(iter(loader))) if self.setting.order == "one_batch" else None
        while True:
            for batch in loader:
                yield first or tuple(batch)
