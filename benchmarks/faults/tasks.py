"""Tasks of the bench: data, the network that fits, the loss, and the share of the task that was learned.

Texts are Python's own documentation and sources; the other data are drawn.
"""

import io
import keyword
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from pydoc_data.topics import topics

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .part import folders
from .setting import Setting
from .task import GATED, Batch, Task

VALIDATION = 200
"""Samples on which it is told what was learned."""


def stream(task: Task, setting: Setting, generator: torch.Generator) -> Iterator[Batch]:
    """Training batches without end: fresh ones, or those of a training set of `samples`, shuffled or in bad order."""
    if setting.state != "zero":
        yield from _consecutive(task, setting, generator)
    elif setting.order == "same":
        batch = task.draw(setting.batch, generator, training=True)
        while True:
            yield batch
    elif setting.order == "sorted":
        x, y, lengths = task.draw(40 * setting.batch, generator, training=True)
        order = (y if y.dim() == 1 else y.float().reshape(len(y), -1).mean(1)).argsort(stable=True)
        while True:
            for rows in torch.split(order, setting.batch):
                yield x[rows], y[rows], None if lengths is None else lengths[rows]
    elif setting.samples:
        yield from _epochs(task.draw(setting.samples, generator, training=True), setting.batch, generator)
    else:
        while True:
            yield task.draw(setting.batch, generator, training=True)


def _epochs(data: Batch, size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Batches of a fixed set, through torch's DataLoader."""
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(*(part for part in data if part is not None))
    loader: DataLoader[tuple[Tensor, ...]] = DataLoader(
        dataset, batch_size=size, shuffle=True, generator=generator
    )
    while True:
        for parts in loader:
            yield parts[0], parts[1], parts[2] if len(parts) == 3 else None


def _consecutive(task: Task, setting: Setting, generator: torch.Generator) -> Iterator[Batch]:
    """Chunks of parallel streams of a text: each goes on where its row of the batch before ended."""
    codes = _codes(task.name, True)
    rows, length = setting.batch, 20
    each = len(codes) // rows
    folded = codes[: each * rows].view(rows, each)
    while True:
        for start in range(0, each - length - 1, length):
            yield folded[:, start : start + length], folded[:, start + 1 : start + length + 1], None


def _text() -> str:
    return "\n".join(topics[name] for name in sorted(topics))[:240_000]


@cache
def _codes(task: str, training: bool) -> Tensor:
    """A text as numbers: the first nine tenths to train on, the rest to validate."""
    units: list[str] = list(_text().lower()) if task == "characters" else _text().lower().split()
    limit = TASKS[task].inputs
    known = {unit: i for i, (unit, _) in enumerate(Counter(units).most_common(limit - 1), 1)}
    codes = torch.tensor([known.get(unit, 0) for unit in units])
    if task == "words":
        codes = codes[codes > 0]  # rare words left out, as a small vocabulary does
    cut = len(codes) * 9 // 10
    return codes[:cut] if training else codes[cut:]


def _windows(codes: Tensor, n: int, length: int, g: torch.Generator) -> Tensor:
    starts = torch.randint(0, len(codes) - length, (n, 1), generator=g)
    return codes[starts + torch.arange(length)]


def _characters(n: int, g: torch.Generator, training: bool) -> Batch:
    x = _windows(_codes("characters", training), n, 21, g)
    return x[:, :-1], x[:, 1:], None


def _words(n: int, g: torch.Generator, training: bool) -> Batch:
    x = _windows(_codes("words", training), n, 13, g)
    return x[:, :-1], x[:, 1:], None


@cache
def _source(*modules: str) -> str:
    return "\n".join(Path(str(import_module(m).__file__)).read_text(encoding="utf-8") for m in modules)


@cache
def _three_texts(training: bool) -> list[Tensor]:
    """Documentation, source code and names of HTML entities, as numbers of their characters."""
    texts = [_text(), _source("argparse", "difflib", "tarfile"), _source("html.entities")]
    known = {c: i for i, (c, _) in enumerate(Counter("".join(t.lower() for t in texts)).most_common(38), 2)}
    codes = [torch.tensor([known.get(c, 1) for c in text.lower()]) for text in texts]
    return [c[: len(c) * 4 // 5] if training else c[len(c) * 4 // 5 :] for c in codes]


def _lines(n: int, g: torch.Generator, training: bool) -> Batch:
    """Pieces of 4 to 24 characters: which text are they of? 0 is padding."""
    y = torch.randint(0, 3, (n,), generator=g)
    lengths = torch.randint(4, 25, (n,), generator=g)
    texts = _three_texts(training)
    x = torch.stack([_windows(texts[k], 1, 24, g)[0] for k in y.tolist()])
    x[torch.arange(24) >= lengths[:, None]] = 0
    return x, y, lengths


def _forecast(n: int, g: torch.Generator, training: bool) -> Batch:
    """Windows of 24 hours of a load with two periods and noise; the value after the next is asked for."""
    day = torch.rand(n, 1, generator=g) * 6.28
    week = torch.rand(n, 1, generator=g) * 6.28
    t = torch.arange(26)
    series = (
        torch.sin(0.5 * t + day) + 0.6 * torch.sin(0.21 * t + week) + 0.1 * torch.randn(n, 26, generator=g)
    )
    series = series / 0.83
    return series[:, :24, None], series[:, 25:26], None


def _recall(n: int, g: torch.Generator, training: bool) -> Batch:
    """A symbol, nine others, and the question which it was."""
    y = torch.randint(0, 4, (n,), generator=g)
    x = torch.randint(4, 12, (n, 10), generator=g)
    x[:, 0] = y
    return x, y, None


def _copy(n: int, g: torch.Generator, training: bool) -> Batch:
    """Three symbols, a gap, and the symbols again: only the last three answers are asked for."""
    symbols = torch.randint(0, 6, (n, 3), generator=g)
    x = torch.full((n, 11), 6)
    x[:, :3] = symbols
    x[:, 8:] = 7
    y = torch.full((n, 11), -1)
    y[:, 8:] = symbols
    return x, y, None


def _adding(n: int, g: torch.Generator, training: bool) -> Batch:
    steps = 12
    value, mark, row = torch.rand(n, steps, generator=g), torch.zeros(n, steps), torch.arange(n)
    mark[row, torch.randint(0, steps // 2, (n,), generator=g)] = 1
    mark[row, torch.randint(steps // 2, steps, (n,), generator=g)] = 1
    return torch.stack([value, mark], -1), (value * mark).sum(1, keepdim=True), None


def _sensors(n: int, g: torch.Generator, training: bool) -> Batch:
    """Four noisy channels; at every step the smoothed first and the difference of two others are asked for."""
    x = torch.randn(n, 20, 4, generator=g)
    level = torch.zeros(n)
    smooth = []
    for t in range(20):
        level = 0.7 * level + 0.7 * x[:, t, 0]
        smooth.append(level)
    return x, torch.stack([torch.stack(smooth, 1), x[:, :, 1] - x[:, :, 2]], -1), None


def _activity(n: int, g: torch.Generator, training: bool) -> Batch:
    """Three axes of a motion sensor, 8 to 30 steps: four activities differ by rhythm and axis."""
    y = torch.randint(0, 4, (n,), generator=g)
    lengths = torch.randint(8, 31, (n,), generator=g)
    t = torch.arange(30)
    pitch = torch.tensor([0.4, 0.8, 1.2, 1.6])[y][:, None] + 0.05 * torch.randn(n, 1, generator=g)
    wave = torch.sin(pitch * t + 6.28 * torch.rand(n, 1, generator=g))
    x = 0.5 * torch.randn(n, 30, 3, generator=g)
    x[torch.arange(n), :, y % 3] += wave
    x[t >= lengths[:, None]] = 0.0
    return x, y, lengths


@cache
def _tagged(training: bool) -> tuple[Tensor, Tensor]:
    """Tokens of Python sources as numbers of their words, and their kinds."""
    names = ("argparse", "difflib", "tarfile") if training else ("textwrap", "heapq", "queue")
    words, kinds = [], []
    for token in tokenize.generate_tokens(io.StringIO(_source(*names)).readline):
        kind = _kind(token)
        if kind is not None:
            words.append(token.string)
            kinds.append(kind)
    return torch.tensor([_hashed(w) for w in words]), torch.tensor(kinds)


def _hashed(word: str) -> int:
    return sum((i + 1) * ord(c) for i, c in enumerate(word[:4])) % 64


def _kind(token: tokenize.TokenInfo) -> int | None:
    if token.type == tokenize.NAME:
        return 0 if keyword.iskeyword(token.string) else 1
    return {tokenize.OP: 2, tokenize.NUMBER: 3, tokenize.STRING: 4, tokenize.COMMENT: 5}.get(token.type)


def _tagging(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sixteen tokens of a program, known by a hash of their letters: of which kind is each?"""
    words, kinds = _tagged(training)
    starts = torch.randint(0, len(words) - 16, (n, 1), generator=g)
    rows = starts + torch.arange(16)
    return words[rows], kinds[rows], None


def _policy(n: int, g: torch.Generator, training: bool) -> Batch:
    """Episodes within a rollout: a cue tells the action that is right until the next episode begins."""
    steps = 12
    x, y = 0.3 * torch.randn(n, steps, 5, generator=g), torch.zeros(n, steps, dtype=torch.long)
    cue = torch.randint(0, 4, (n,), generator=g)
    fresh = torch.ones(n, dtype=torch.bool)
    for t in range(steps):
        x[:, t, :4] += 2 * fresh[:, None] * F.one_hot(cue, 4)
        x[:, t, 4] += fresh
        y[:, t] = cue
        fresh = torch.rand(n, generator=g) < 0.1
        cue = torch.where(fresh, torch.randint(0, 4, (n,), generator=g), cue)
    return x, y, None


def _endings(n: int, g: torch.Generator, training: bool) -> Batch:
    """Names of seven letters, whose class their first vowel tells."""
    x = torch.randint(0, 26, (n, 7), generator=g)
    group = torch.tensor([0 if c in "aei" else 1 if c in "ou" else 2 for c in "abcdefghijklmnopqrstuvwxyz"])
    first = torch.randint(0, 3, (n,), generator=g)
    letters = torch.tensor([[0, 4, 8], [14, 20, 14], [1, 2, 3]])
    x[:, 1] = letters[first, torch.randint(0, 3, (n,), generator=g)]
    return x, group[x[:, 1]], None


def _reverse(n: int, g: torch.Generator, training: bool) -> Batch:
    """Five digits (of eight), to be written in reverse; 8 begins the answer."""
    x = torch.randint(0, 8, (n, 5), generator=g)
    return x, x.flip(1), None


@cache
def validation(task: Task) -> Batch:
    """The same data every time."""
    return task.draw(VALIDATION, torch.Generator().manual_seed(987), training=False)


def score(task: Task, model: nn.Module) -> float:
    """The share of the task that the network has learned, on fixed fresh data; 0 for one that knows nothing."""
    x, y, lengths = validation(task)
    was = model.training
    model.eval()
    if task.measure is not None:
        learned = task.measure(model, (x, y, lengths))
        model.train(was)
        return learned
    with torch.no_grad():
        out = model(x, lengths, target=y) if task.taught else model(x, lengths)
        out = out[0] if isinstance(out, tuple) else out
    model.train(was)
    if not out.isfinite().all():
        return 0.0
    if not task.classes:
        return 1 - float(F.mse_loss(out.reshape(y.shape), y) / y.var(0, unbiased=False).mean())
    answer = (out.reshape(-1) > 0).long() if task.binary else out.reshape(-1, task.outputs).argmax(1)
    right = y.reshape(-1)
    answer, right = answer[right >= 0], right[right >= 0]
    base = float(right.bincount().max()) / len(right)
    return (float((answer == right).float().mean()) - base) / (1 - base)


TASKS = {
    task.name: task
    for task in (
        Task("characters", "development", _characters, 40, 40, 0.17),
        Task("lines", "development", _lines, 40, 3, 0.4, read="last", padded=True),
        Task("forecast", "development", _forecast, 1, 1, 0.9, tokens=False, read="last", classes=False),
        Task("recall", "development", _recall, 12, 4, 0.9, read="last", lag=9),
        Task("words", "held-back", _words, 300, 300, 0.05, embedding=32),
        Task("tagging", "held-back", _tagging, 64, 6, 0.5),
        Task(
            "activity", "held-back", _activity, 3, 4, 0.6, tokens=False, read="last", padded=True, cells=GATED
        ),
        Task(
            "adding", "held-back", _adding, 2, 1, 0.8, tokens=False, read="last", classes=False, cells=GATED
        ),
        Task("copy", "held-back", _copy, 8, 6, 0.8, lag=8),
        Task("sensors", "held-back", _sensors, 4, 2, 0.9, tokens=False, classes=False),
        Task("policy", "held-back", _policy, 5, 4, 0.7, tokens=False, network="cells"),
        Task("endings", "development", _endings, 26, 3, 0.8, read="last", network="own"),
        Task("reverse", "held-back", _reverse, 10, 10, 0.75, network="attention"),
        *chain.from_iterable(part.tasks for part in folders().values()),
    )
}
