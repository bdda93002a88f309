"""Training batches of the unseen part, as scripts get them: loaders, a stream, rows by hand, a text, a world."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Sampler, TensorDataset

from ..setting import Setting
from ..task import Batch, Task
from .data import sentences

SAMPLES = 3000
"""Of the training set, unless the setting has another number."""
_STREAMED = ("reviews", "inflections")
_LOADED = ("traffic", "signatures", "heartbeats", "phones", "orders")
_CHUNK = 10
"""Words between two updates, where a text goes on."""


class Stream(IterableDataset[tuple[Tensor, Tensor, int]]):
    """Samples in their order, each in its own length, as they are read from files."""

    def __init__(self, data: Batch, rows: Iterator[list[int]]) -> None:
        super().__init__()
        self.data, self.rows = data, rows

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, int]]:
        x, y, lengths = self.data
        assert lengths is not None
        for row in next(self.rows):
            length = int(lengths[row])
            yield x[row, :length], y[row, :length] if y.dim() > 1 else y[row], length


def collate(samples: list[tuple[Tensor, Tensor, int]]) -> Batch:
    """The longest first; padded by hand: inputs with 0, targets with -1."""
    samples.sort(key=lambda sample: -sample[2])
    longest = samples[0][2]
    x = torch.zeros(len(samples), longest, *samples[0][0].shape[1:], dtype=torch.long)
    for row, (tokens, _, length) in zip(x, samples, strict=True):
        row[:length] = tokens
    lengths = torch.tensor([length for _, _, length in samples])
    if samples[0][1].dim() == 0:
        return x, torch.stack([y for _, y, _ in samples]), lengths
    targets = torch.full((len(samples), longest), -1)
    for row, (_, y, length) in zip(targets, samples, strict=True):
        row[:length] = y
    return x, targets, lengths


class InOrder(Sampler[int]):
    """Rows of each epoch as they come."""

    def __init__(self, rows: Iterator[list[int]], size: int) -> None:
        self.rows, self.size = rows, size

    def __iter__(self) -> Iterator[int]:
        return iter(next(self.rows))

    def __len__(self) -> int:
        return self.size


def batches(task: Task, setting: Setting) -> Iterator[Batch]:
    """Batches without end."""
    g = torch.Generator().manual_seed(900 + 7 * setting.seed)
    plain = _plain_batches(task, setting, g)
    return _changed(plain, setting, g) if setting.jitter or setting.words_left_out else plain


def _plain_batches(task: Task, setting: Setting, g: torch.Generator) -> Iterator[Batch]:
    if task.network == "words":
        return _text(setting, g)
    if task.network == "agent" and setting.samples is None and setting.order == "shuffled":
        return _episodes(task, setting, g)
    data = _training_set(task, setting, g)
    if setting.order == "same":
        return _first(data, setting)
    rows = _orders(data, setting, g)
    if task.name in _STREAMED:
        return _forever(DataLoader(Stream(data, rows), setting.batch, collate_fn=collate))
    if task.name in _LOADED:
        pairs = TensorDataset(data[0], data[1])
        return _pairs(
            DataLoader(
                pairs, setting.batch, sampler=InOrder(rows, len(pairs)), drop_last=_fits(data, setting)
            )
        )
    return _by_hand(data, setting, rows)


def _fits(data: Batch, setting: Setting) -> bool:
    return len(data[0]) >= setting.batch


def _training_set(task: Task, setting: Setting, g: torch.Generator) -> Batch:
    x, y, lengths = task.draw(setting.samples or SAMPLES, g, training=True)
    if setting.copies > 1:
        rows = torch.arange(len(x)).repeat(setting.copies)
        x, y, lengths = x[rows], y[rows], None if lengths is None else lengths[rows]
    return x, y, lengths


def _orders(data: Batch, setting: Setting, g: torch.Generator) -> Iterator[list[int]]:
    """For each epoch the rows in their order."""
    y = data[1]
    while True:
        shuffled = torch.randperm(len(y), generator=g)
        if setting.order == "shuffled":
            yield shuffled.tolist()
            continue
        rows = shuffled[y[shuffled].float().reshape(len(y), -1).mean(1).argsort(stable=True)]
        if setting.order == "files":
            files = torch.split(rows, 12 * setting.batch)
            rows = torch.cat([files[i] for i in torch.randperm(len(files), generator=g).tolist()])
        yield rows.tolist()


def _first(data: Batch, setting: Setting) -> Iterator[Batch]:
    x, y, lengths = (None if part is None else part[: setting.batch] for part in data)
    assert x is not None
    assert y is not None
    while True:
        yield x, y, lengths


def _forever(loader: DataLoader[tuple[Tensor, Tensor, int]]) -> Iterator[Batch]:
    while True:
        yield from loader


def _pairs(loader: DataLoader[tuple[Tensor, ...]]) -> Iterator[Batch]:
    while True:
        for x, y in loader:
            yield x, y, None


def _by_hand(data: Batch, setting: Setting, orders: Iterator[list[int]]) -> Iterator[Batch]:
    x, y, lengths = data
    for rows in orders:
        for begin in range(0, max(1, len(rows) - setting.batch + 1), setting.batch):
            mine = rows[begin : begin + setting.batch]
            longest = x.shape[1] if lengths is None else int(lengths[mine].max())
            yield x[mine, :longest], y[mine], None if lengths is None else lengths[mine]


def _episodes(task: Task, setting: Setting, g: torch.Generator) -> Iterator[Batch]:
    while True:
        yield task.draw(setting.batch, g, training=True)


def _text(setting: Setting, g: torch.Generator) -> Iterator[Batch]:
    """Columns of one long text (time, batch), and the words that follow; read on, if the state is, else anywhere."""
    s, codes = setting, sentences(True)
    if s.samples:
        codes = codes[: max(2 * s.batch, s.samples * _CHUNK)]
    columns = codes[: len(codes) // s.batch * s.batch].view(s.batch, -1).t().contiguous()
    chunk = min(_CHUNK, len(columns) - 1)
    begin = 0
    while True:
        if s.state == "zero" and s.order != "same":
            begin = int(torch.randint(0, len(columns) - chunk, (), generator=g))
        x, y = columns[begin : begin + chunk], columns[begin + 1 : begin + 1 + chunk]
        if s.state != "zero":
            begin = 0 if begin + 2 * chunk >= len(columns) else begin + chunk
        if s.axes == "not_transposed":
            yield x.t(), y.t(), None
        else:
            yield x, y.t() if s.view == "targets" else y, None


def _changed(plain: Iterator[Batch], setting: Setting, g: torch.Generator) -> Iterator[Batch]:
    """With noise on numbers, or words left out."""
    for x, y, lengths in plain:
        if x.is_floating_point():
            yield x + setting.jitter * torch.randn(x.shape, generator=g), y, lengths
        else:
            left = torch.rand(x.shape, generator=g) < setting.words_left_out
            yield x.masked_fill(left, 0), y, lengths


def broken(batch: Batch, setting: Setting, update: int) -> Batch:
    """The batch; at one update with what breaks the weights."""
    x, y, lengths = batch
    if update != setting.not_a_number:
        return batch
    if setting.broken == "empty":
        assert lengths is not None
        x, lengths = x.clone(), lengths.clone()
        x[-1], lengths[-1] = 0, 0
    elif setting.broken == "endless":
        lengths = torch.full((len(x),), x.shape[1])
        lengths[0] = 2
    elif setting.broken == "twins":
        x = x.clone()
        x[0, 1] = x[0, 0]
    elif setting.broken == "missing":
        x = x.clone()
        x[1, 3, 0] = math.nan
    return x, y, lengths
