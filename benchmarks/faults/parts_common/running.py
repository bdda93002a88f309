"""What a script is given: its data, the order of its batches, and when to end."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from ..setting import Setting
from ..task import Batch, Task


@dataclass(frozen=True)
class FileRun:
    """One training on data that come from a file."""

    task: Task
    setting: Setting
    updates: int
    watch: Callable[[int, nn.Module], bool]
    attach: Callable[[nn.Module, torch.optim.Optimizer], None]

    @property
    def samples(self) -> int:
        """Of the training set, unless the setting has another number."""
        raise NotImplementedError

    seeds: ClassVar[tuple[int, int, int]]
    """Of the data: the first, from one training to the next, and what is held out."""

    def _generator(self, purpose: int) -> torch.Generator:
        first, each, _ = self.seeds
        return torch.Generator().manual_seed(first + each * self.setting.seed + purpose)

    def load_data(self) -> Batch:
        """All samples to train on, as they come from their file: sorted by class there, or with values missing."""
        s = self.setting
        x, y, lengths = self.task.draw(s.samples or self.samples, self._generator(0), training=True)
        if s.order == "sorted":
            rows = y.float().reshape(len(y), -1)[:, 0].argsort(stable=True)
            x, y, lengths = x[rows], y[rows], None if lengths is None else lengths[rows]
        if s.not_a_number:
            x, y = _spoiled(x, y, s)
        return x, y, lengths

    def load_valid(self) -> Batch:
        """Samples to validate on."""
        return self.task.draw(64, torch.Generator().manual_seed(self.seeds[2]), training=False)

    def batches(self, n: int) -> Iterator[Tensor]:
        """An epoch of rows."""
        s = self.setting
        size = min(s.batch, n)
        rows = torch.randperm(n) if s.order == "shuffled" else torch.arange(n)
        for begin in range(0, n - size + 1, size):
            yield rows[:size] if s.order == "one_batch" else rows[begin : begin + size]

    def loader(
        self, dataset: "Dataset[Any]", collate: Callable[[list[Any]], Any] | None = None
    ) -> "DataLoader[Any]":
        """The same of a data set."""
        s, n = self.setting, len(dataset)  # type: ignore[arg-type]
        if s.order == "one_batch":
            dataset = Subset(dataset, range(min(s.batch, n)))
        return DataLoader(
            dataset,
            batch_size=s.batch,
            shuffle=s.order == "shuffled",
            generator=self._generator(1),
            collate_fn=collate,
            drop_last=len(dataset) > s.batch,  # type: ignore[arg-type]
        )


def _spoiled(x: Tensor, y: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
    """Every `not_a_number`-th row holds what is none."""
    rows = torch.arange(setting.not_a_number - 1, len(x), setting.not_a_number)
    x, y = x.clone(), y.clone()
    if setting.broken == "label":
        y[rows] = math.nan
    elif setting.broken == "std":
        # A window that stands still, divided by its deviation.
        still = x[rows, :1].expand(-1, x.shape[1], -1)
        x[rows] = (still - still.mean(1, keepdim=True)) / still.std(1, keepdim=True)
    elif setting.broken == "log":
        x[rows, 1, 0] = torch.log(torch.zeros(len(rows)))
    else:
        x[rows, 2, 0] = math.nan
    return x, y
