"""Training batches of the sealed part: a fixed set, cut by hand into batches, epoch after epoch."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..setting import Setting
from ..task import Batch, Task
from .data import identifiers

SAMPLES = 4000
"""Of the training set, unless the setting has another number."""
_CHUNK = 12
"""Letters between two updates, where a text goes on."""


def batches(task: Task, setting: Setting) -> Iterator[Batch]:
    """Batches without end."""
    g = torch.Generator().manual_seed(500 + 3 * setting.seed)
    if setting.state != "zero":
        yield from _text(setting, g)
    data = _training_set(task, setting, g)
    if setting.order == "same":
        while True:
            yield next(_epoch(data, setting, torch.Generator().manual_seed(0)))
    while True:
        yield from _epoch(data, setting, g)


def _training_set(task: Task, setting: Setting, g: torch.Generator) -> Batch:
    x, y, lengths = task.draw(setting.samples or SAMPLES, g, training=True)
    if setting.wrong_labels:
        wrong = torch.rand(y.shape, generator=g) < setting.wrong_labels
        y = torch.where(wrong, y[torch.randperm(len(y), generator=g)], y)
    if setting.copies > 1:
        rows = torch.arange(len(x)).repeat(setting.copies)
        x, y, lengths = x[rows], y[rows], None if lengths is None else lengths[rows]
    return x, y, lengths


def _epoch(data: Batch, setting: Setting, g: torch.Generator) -> Iterator[Batch]:
    x, y, lengths = data
    for rows in torch.split(_order(data, setting, g), _sizes(len(x), setting, g)):
        if lengths is None:
            yield x[rows], y[rows], None
        else:
            longest = int(lengths[rows].max())
            yield x[rows, :longest], y[rows], lengths[rows]


def _order(data: Batch, setting: Setting, g: torch.Generator) -> Tensor:
    """The rows of an epoch, in the order in which they are trained on."""
    x, y, lengths = data
    shuffled = torch.randperm(len(x), generator=g)
    if setting.sizes == "bucketed" and lengths is not None:
        # As a bucket sampler does: alike lengths together, the batches in any order.
        by_length = shuffled[lengths[shuffled].argsort(stable=True)]
        parts = torch.split(by_length, setting.batch)
        return torch.cat([parts[i] for i in torch.randperm(len(parts), generator=g).tolist()])
    if setting.order in ("shuffled", "same"):
        return shuffled
    by_class = shuffled[_sorted_by(y)[shuffled].argsort(stable=True)]
    if setting.order == "blocks":
        parts = torch.split(by_class, 10 * setting.batch)
        return torch.cat([parts[i] for i in torch.randperm(len(parts), generator=g).tolist()])
    if setting.order == "buffer":
        parts = torch.split(by_class, 2 * setting.batch)
        return torch.cat([part[torch.randperm(len(part), generator=g)] for part in parts])
    return by_class


def _sorted_by(y: Tensor) -> Tensor:
    return y.float().reshape(len(y), -1).mean(1)


def _sizes(n: int, setting: Setting, g: torch.Generator) -> list[int]:
    """Of the batches of an epoch, that make up n."""
    if setting.sizes != "mixed":
        full, rest = divmod(n, setting.batch)
        return [setting.batch] * full + ([rest] if rest else [])
    sizes: list[int] = []
    while sum(sizes) < n:
        size = int(torch.randint(setting.batch // 4, 2 * setting.batch, (1,), generator=g))
        sizes.append(min(size, n - sum(sizes)))
    return sizes


def _text(setting: Setting, g: torch.Generator) -> Iterator[Batch]:
    """Rows of one long text; each batch goes on where the one before ended."""
    codes = identifiers(True)
    codes = codes[: (len(codes) - 1) // setting.batch * setting.batch + 1]
    x, y = codes[:-1].view(setting.batch, -1), codes[1:].view(setting.batch, -1)
    while True:
        for begin in range(0, x.shape[1] - _CHUNK + 1, _CHUNK):
            yield x[:, begin : begin + _CHUNK], y[:, begin : begin + _CHUNK], None
