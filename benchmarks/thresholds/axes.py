"""What the data alone tell of the axes of a batch: RD405 where the loss reads every step.

Command: python benchmarks/thresholds/axes.py (half a minute on one core; names choose kinds of data). Five batches of
each kind of data are drawn, as many as a run of 50 updates is sampled at, and given to the sensor's test, as long as
it asks for them, once as (T, B), as they are, and once as (B, T), which is the fault. Nothing is trained. Printed are,
over the sizes T and B and two seeds of each: of the right order the share of runs in which the fault would be called,
the highest `batch_score`, and the highest of those in which time and its places are silent, so that it decides; of the
wrong order the share that is called, and the medians of the measures. The first kinds are tasks with memory, samples
in no order; those after the line are drawn to mislead: neighbours in the batch are alike, rows of the batch keep their
place, steps tell nothing. `seasonal` does mislead: hours that follow each other in the batch, days along time that
tell nothing of each other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pydoc_data.topics import topics
from statistics import median

import torch
from torch import Tensor

from rnn_doctor.capture.probe.sensors.axis_dependence import (
    BATCH,
    INPUTS,
    MOST_PLACES,
    TARGETS,
    TIME,
    AxisDependence,
    Features,
)
from rnn_doctor.derive.axes import SILENT, mixed_up

Batch = tuple[Tensor, Tensor]
"""Tokens (B, T) or numbers (B, T, F), and a target of each step: classes (B, T), -1 for none, or numbers (B, T, C)."""
BATCHES, SEEDS = 5, range(2)
SIZES = ((8, 32), (20, 32), (32, 32), (35, 20), (12, 64), (60, 8), (20, 6), (6, 32))
"""T and B."""

_TEXT = "\n".join(topics[name] for name in sorted(topics)).lower()[:300_000]
_CHARACTERS = sorted(set(_TEXT))
_CODES = torch.tensor([_CHARACTERS.index(c) for c in _TEXT])
_LETTERS = torch.tensor([c.isalpha() for c in _TEXT])
_FIRST = torch.cat([torch.tensor([True]), _LETTERS[1:] & ~_LETTERS[:-1]])


class Draw:
    """A source of batches: its own random numbers, and where it stands in its data."""

    def __init__(self, seed: int) -> None:
        self.g = torch.Generator().manual_seed(seed)
        self.at = 0

    def ints(self, top: int, *shape: int) -> Tensor:
        """Whole numbers below `top`."""
        return torch.randint(0, top, shape, generator=self.g)

    def noise(self, *shape: int) -> Tensor:
        """Normal noise."""
        return torch.randn(*shape, generator=self.g)

    def starts(self, b: int, t: int) -> Tensor:
        """Random places of the text. Shape: (B, T)."""
        return self.ints(len(_CODES) - t - 1, b, 1) + torch.arange(t)


def smooth(x: Tensor, kept: float = 0.7) -> Tensor:
    """Exponential mean along the second axis. Shapes: (B, T) -> (B, T)."""
    level, found = torch.zeros(len(x)), []
    for t in range(x.shape[1]):
        level = kept * level + (1 - kept) * x[:, t]
        found.append(level)
    return torch.stack(found, 1)


def text(d: Draw, t: int, b: int) -> Batch:
    """The next character, from random places."""
    rows = d.starts(b, t)
    return _CODES[rows], _CODES[rows + 1]


def words(d: Draw, t: int, b: int) -> Batch:
    """Does a word begin here? Tags of characters."""
    rows = d.starts(b, t)
    return _CODES[rows], _FIRST[rows].long()


def echo(d: Draw, t: int, b: int) -> Batch:
    """The symbol three steps ago."""
    x = d.ints(8, b, t)
    y = x.roll(3, 1)
    y[:, :3] = -1
    return x, y


def recall(d: Draw, t: int, b: int) -> Batch:
    """Three symbols, a gap, and the symbols again."""
    gap = min(t - 3, 10)
    x, y = torch.full((b, t), 6), torch.full((b, t), -1)
    x[:, :3] = d.ints(6, b, 3)
    x[:, gap:] = 7
    y[:, gap : gap + 3] = x[:, :3][:, : t - gap]
    return x, y


def filtered(d: Draw, t: int, b: int) -> Batch:
    """The exponential mean of noise."""
    x = d.noise(b, t, 3)
    return x, smooth(x[..., 0]).unsqueeze(2)


def wave(d: Draw, t: int, b: int) -> Batch:
    """The next value of a wave with noise."""
    pitch, phase = 0.1 + 0.5 * torch.rand(b, 1, generator=d.g), 6.28 * torch.rand(b, 1, generator=d.g)
    s = torch.sin(pitch * torch.arange(t + 1) + phase) + 0.05 * d.noise(b, t + 1)
    return s[:, :-1, None], s[:, 1:, None]


def walk(d: Draw, t: int, b: int) -> Batch:
    """The next value of a random walk."""
    s = d.noise(b, t + 1).cumsum(1)
    return s[:, :-1, None], s[:, 1:, None]


def held(d: Draw, t: int, b: int) -> Batch:
    """The last cue that was given: one in ten steps has one."""
    cue = torch.where(torch.rand(b, t, generator=d.g) < 0.1, d.ints(4, b, t) + 1, 0)
    y = torch.zeros(b, t, dtype=torch.long)
    for k in range(t):
        y[:, k] = torch.where(cue[:, k] > 0, cue[:, k], y[:, k - 1] if k else 0)
    return cue, y


def depth(d: Draw, t: int, b: int) -> Batch:
    """How many brackets are open, two at most that count."""
    x = d.ints(2, b, t)
    return x, (2 * x - 1).cumsum(1).clamp(-2, 2) + 2


def overlapping(d: Draw, t: int, b: int) -> Batch:
    """Windows of the text one after the other, a step apart."""
    rows = d.at + torch.arange(b)[:, None] + torch.arange(t)
    d.at += b
    return _CODES[rows], _CODES[rows + 1]


def series(d: Draw, t: int, b: int) -> Batch:
    """Overlapping windows of one filtered noise, in order; the next value."""
    s = smooth(d.noise(1, b + t + 1), 0.9)[0]
    rows = torch.arange(b)[:, None] + torch.arange(t)
    return s[rows][..., None], s[rows + 1][..., None]


def returns(d: Draw, t: int, b: int) -> Batch:
    """Overlapping windows of white noise, in order; its smoothed past is asked for."""
    s = d.noise(1, b + t)
    rows = torch.arange(b)[:, None] + torch.arange(t)
    return s[0][rows][..., None], smooth(s)[0][rows][..., None]


def seasonal(d: Draw, t: int, b: int) -> Batch:
    """Windows whose steps are a day of 24 hours apart and whose samples an hour; the next hour is asked for."""
    s = torch.sin(torch.arange(24 * t + b + 1) * 6.28 / 24) + smooth(d.noise(1, 24 * t + b + 1), 0.8)[0]
    rows = torch.arange(b)[:, None] + 24 * torch.arange(t)
    return s[rows][..., None], s[rows + 1][..., None]


def streams(d: Draw, t: int, b: int) -> Batch:
    """Rows that run on through parts of the text, as many as the batch has."""
    each = len(_CODES) // b
    rows = (torch.arange(b) * each)[:, None] + (d.at % (each - t - 1)) + torch.arange(t)
    d.at += t
    return _CODES[rows], _CODES[rows + 1]


def by_length(d: Draw, t: int, b: int) -> Batch:
    """Echo of two steps ago in padded sequences, sorted by length."""
    x = d.ints(8, b, t) + 1
    lengths = (d.ints(t - 2, b) + 3).sort().values
    y = x.roll(2, 1)
    y[:, :2] = -1
    beyond = torch.arange(t) >= lengths[:, None]
    x[beyond], y[beyond] = 0, -1
    return x, y


def by_value(d: Draw, t: int, b: int) -> Batch:
    """Noise about levels that are sorted; its level is asked for at every step."""
    level = d.noise(b).sort().values
    return d.noise(b, t, 2) + level[:, None, None], level[:, None, None].expand(b, t, 1)


def by_pitch(d: Draw, t: int, b: int) -> Batch:
    """Waves sorted by frequency and phase, noise on both."""
    pitch = torch.linspace(0.1, 1.0, b)[:, None]
    s = torch.sin(pitch * torch.arange(t + 1) + 0.1 * d.noise(b, 1)) + 0.3 * d.noise(b, t + 1)
    return s[:, :-1, None], s[:, 1:, None]


def again(d: Draw, t: int, b: int) -> Batch:
    """Every sequence four times in a row: parity of two steps, which no single step tells."""
    x = d.ints(2, -(-b // 4), t).repeat_interleave(4, 0)[:b]
    y = x ^ x.roll(1, 1)
    return x, y


def views(d: Draw, t: int, b: int) -> Batch:
    """Every sequence four times in a row, with noise on each; the product of two steps."""
    x = d.noise(-(-b // 4), t, 2).repeat_interleave(4, 0)[:b] + 0.3 * d.noise(b, t, 2)
    return x, (x[..., :1] * x[..., 1:].roll(1, 1))


def counted(d: Draw, t: int, b: int) -> Batch:
    """All bit strings in order; parity of the bits so far."""
    number = d.at + torch.arange(b)
    d.at += b
    x = (number[:, None] >> torch.arange(t)) & 1
    return x, x.cumsum(1) % 2


def counted_down(d: Draw, t: int, b: int) -> Batch:
    """The same, highest bit first, and whether two neighbours differ."""
    x, _ = counted(d, t, b)
    x = x.flip(1)
    return x, x ^ x.roll(1, 1)


def panel(d: Draw, t: int, b: int) -> Batch:
    """Neighbours that share what moves them, no memory: the product of the moment and the one before."""
    common = smooth(d.noise(t, b), 0.8)
    x = (common.t() * 2 + d.noise(b, t))[..., None]
    return x, x * x.roll(1, 1)


def ranked(d: Draw, t: int, b: int) -> Batch:
    """Every row of the batch has its own level and its own variance, the same in all batches; noise."""
    row = torch.arange(b) / b
    x = d.noise(b, t, 2) * (0.5 + row[:, None, None]) + 3 * row[:, None, None]
    return x, (x[..., :1] * x[..., 1:].roll(1, 1))


def alone(d: Draw, t: int, b: int) -> Batch:
    """A target that its own input tells, with noise."""
    x = d.noise(b, t, 3)
    return x, x[..., :1] + 0.3 * d.noise(b, t, 1)


def unrelated(d: Draw, t: int, b: int) -> Batch:
    """Targets by chance."""
    return d.ints(8, b, t), d.ints(3, b, t)


def wild(d: Draw, t: int, b: int) -> Batch:
    """Inputs and targets of heavy tails, the target a product of two steps."""
    x = d.noise(b, t, 2) / d.noise(b, t, 2).abs().clamp(min=1e-3)
    return x, x[..., :1] * x[..., 1:].roll(1, 1)


def xor(d: Draw, t: int, b: int) -> Batch:
    """Parity of two steps, samples in no order."""
    x = d.ints(2, b, t)
    return x, x ^ x.roll(1, 1)


def labelled(d: Draw, t: int, b: int) -> Batch:
    """One class of each sequence, sorted; asked for at every step of noise."""
    y = (torch.arange(b) * 4 // b)[:, None].expand(b, t)
    return d.noise(b, t, 3) + y[..., None] * 0.5, y


Kind = Callable[[Draw, int, int], Batch]
TASKS: tuple[Kind, ...] = (text, words, echo, recall, filtered, wave, walk, held, depth)
TRAPS: tuple[Kind, ...] = (
    overlapping, series, returns, seasonal, streams, by_length, by_value, by_pitch, again, views, counted,
    counted_down, panel, ranked, alone, unrelated, wild, xor, labelled,
)  # fmt: skip


def measured(kind: Kind, t: int, b: int, seed: int, swapped: bool) -> dict[str, float]:
    """What the sensor writes of five batches, or of fewer where those told enough."""
    d, dependence = Draw(seed), AxisDependence()
    inputs = targets = None
    for _ in range(BATCHES):
        x, y = kind(d, t, b)
        if not swapped:
            x, y = x.transpose(0, 1), y.transpose(0, 1)
        x, y = x[:MOST_PLACES, :MOST_PLACES], y[:MOST_PLACES, :MOST_PLACES]
        known = y >= 0 if y.dim() == 2 else torch.ones(y.shape[:2], dtype=torch.bool)
        inputs, targets = inputs or Features(x, INPUTS), targets or Features(y, TARGETS, known)
        dependence.add(inputs.of(x), targets.of(y), known)
        if dependence.told_enough():
            break
    time, batch = dependence.told(TIME), dependence.told(BATCH)
    return {
        "batches": dependence.batches, "time_score": time.score, "batch_score": batch.score, "batch_share": batch.share,
        "positions": dependence.positions(), "time_share": time.share,
    }  # fmt: skip


def runs(kind: Kind, swapped: bool) -> Iterator[dict[str, float]]:
    """All sizes and seeds."""
    for t, b in SIZES:
        for seed in SEEDS:
            yield measured(kind, t, b, seed, swapped)


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    chosen = sys.argv[1:]
    print(
        f"{'':13}{'right order':>31}   {'wrong order':>44}\n{'kind':13}{'called':>9}{'highest':>11}{'decides':>11}   "
        f"{'called':>8}{'batch':>9}{'time':>9}{'positions':>10}{'share':>8}"
    )
    for kind in (*TASKS, None, *TRAPS):
        if kind is None:
            print("-" * 80)
            continue
        if chosen and kind.__name__ not in chosen:
            continue
        right, wrong = list(runs(kind, False)), list(runs(kind, True))
        scores = [r["batch_score"] for r in right]
        quiet = [r["batch_score"] for r in right if max(r["time_score"], r["positions"]) < SILENT]
        called = [sum(mixed_up(**r) for r in each) / len(each) for each in (right, wrong)]
        middle = [
            median(r[k] for r in wrong) for k in ("batch_score", "time_score", "positions", "batch_share")
        ]
        print(
            f"{kind.__name__:13}{called[0]:9.3f}{max(scores):11.2f}{max(quiet, default=0):11.2f}   "
            f"{called[1]:8.3f}{middle[0]:9.2f}{middle[1]:9.2f}{middle[2]:10.2f}{middle[3]:8.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
