"""What a task of the bench is: what the network is given and asked for, and the loss."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Batch = tuple[Tensor, Tensor, Tensor | None]
"""Inputs (B, T, I) or tokens (B, T), targets, and lengths (B) where sequences are padded."""

Source = Callable[[int, torch.Generator, bool], Batch]
"""So many fresh samples, to train on or to validate."""
FOLDERS = BLIND, SEALED, UNSEEN, UNTOUCHED, REPORTED, TUTORIALS, STUDIES, EVERYDAY, COURSES, WORKSHOP = (
    "blind",
    "sealed",
    "unseen",
    "untouched",
    "reported",
    "tutorials",
    "studies",
    "everyday",
    "courses",
    "workshop",
)
"""Parts of the bench with a folder of their own, in the order in which they were made (part.py): each was examined for
the first time when the rules were done."""
DEVELOPMENT, HELD_BACK = "development", "held-back"
"""What thresholds are set on; what was looked at while rules were mended."""
PARTS = (DEVELOPMENT, HELD_BACK, *FOLDERS)
GATED = ("LSTM", "GRU")
"""The cells of tasks that a plain RNN does not learn."""


@dataclass(frozen=True)
class Task:
    """What the network is given and asked for."""

    name: str
    part: str
    """One of PARTS."""
    source: Source
    inputs: int
    """Features, or number of tokens."""
    outputs: int
    target: float
    """Share that a healthy network learns: of the answers beyond the most frequent one, or of the variance."""
    tokens: bool = True
    read: str = "every"
    """every | last | mean | max: what of the recurrence's output the head is given."""
    classes: bool = True
    network: str = "layer"
    """layer | cells | own | attention (networks.py); pipeline | packed | loop | translator (blind/networks.py);
    pooled | speller | normalizer | marked | front | handmade | residual (sealed/); spelled | pooling | letters |
    forecaster | siamese | autoencoder | agent | teacher | words | speech | customers (unseen/); in the untouched,
    the reported, the tutorials', the studies' and the everyday part each task has a script of its own; unrolled |
    last_step | ragged | each_step | letters | translator: scripts of the courses' part; texts | windows | tagger |
    stream | stepped | scratch | translator | heads: of the workshop's"""
    lag: int | None = None
    """How far back the task must remember, where its author knows it and says so (--lag)."""
    embedding: int = 16
    padded: bool = False
    cells: tuple[str, ...] = ("RNN", "LSTM", "GRU")
    """Those that learn it within a few hundred updates."""
    binary: bool = False
    """One score above or below zero answers it."""
    measure: Callable[[nn.Module, Batch], float] | None = None
    """The share that was learned, where answers are not compared one by one (tasks.score)."""

    @property
    def taught(self) -> bool:
        """Whether the network is given the right answers so far."""
        return self.network in ("attention", "translator", "normalizer", "teacher")

    def draw(self, n: int, generator: torch.Generator, *, training: bool) -> Batch:
        """`n` fresh samples."""
        return self.source(n, generator, training)

    def loss(self, out: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy or mean squared error."""
        if not self.classes:
            return F.mse_loss(out, target)
        return F.cross_entropy(out.reshape(-1, self.outputs), target.reshape(-1), ignore_index=-1)
