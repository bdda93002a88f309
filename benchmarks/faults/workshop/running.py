"""What a script of the workshop's part is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..parts_common.running import FileRun
from ..task import Batch

SAMPLES = 1600
"""Of the training set, unless the setting has another number."""


@dataclass(frozen=True)
class Run(FileRun):
    """One training."""

    seeds: ClassVar[tuple[int, int, int]] = (6100, 31, 97)

    @property
    def samples(self) -> int:
        """Of the training set."""
        return SAMPLES

    def load_data(self) -> Batch:
        """All samples; class after class, where batches are cut of a sorted table, or short ones first."""
        x, y, lengths = super().load_data()
        if self.setting.order == "cut_first":
            rows = y.reshape(len(y), -1)[:, 0].argsort(stable=True)
        elif self.setting.order == "short_first" and lengths is not None:
            rows = lengths.argsort(stable=True)
        else:
            return x, y, lengths
        return x[rows], y[rows], None if lengths is None else lengths[rows]

    def batches(self, n: int) -> Iterator[Tensor]:
        """An epoch of rows; batches in random order, but not the rows within, where they were cut first."""
        cut = list(super().batches(n))
        shuffled = self.setting.order == "cut_first"
        order = torch.randperm(len(cut)).tolist() if shuffled else range(len(cut))
        yield from (cut[i] for i in order)
