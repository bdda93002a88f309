"""Tasks of the tutorials' part: what is drawn, and what is asked for. The text is of Python's own sources."""

import re
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..task import GATED, TUTORIALS, Batch, Task

_SOURCES = ("doctest", "optparse", "mailbox", "turtle")
_CHARACTERS = 34
"""Of the vocabulary; 0 is any other."""
MAXLEN = 8
"""Characters that are read to foretell the next."""
_SEGMENTS = (0b1110111, 0b0010010, 0b1011101, 0b1011011, 0b0111010, 0b1101011, 0b1101111, 0b1010010)
"""Of the digits 0 to 7, on a display of seven: top, left, right, middle, left, right, bottom."""
_STROKES = (
    (slice(0, 1), slice(1, 5)),
    (slice(1, 3), slice(0, 1)),
    (slice(1, 3), slice(5, 6)),
    (slice(3, 4), slice(1, 5)),
    (slice(4, 6), slice(0, 1)),
    (slice(4, 6), slice(5, 6)),
    (slice(6, 7), slice(1, 5)),
)
"""Rows and columns of each."""
NOTES, BAR = 8, 14
"""Notes of the tunes, and how many are read at once."""
_LAUGH, _CRY, _VERY = range(2, 7), range(7, 12), (12, 13)
"""Words of a tweet: 0 is padding, 1 what no vocabulary knows."""
_NAME, _TITLE, _PREPOSITION, _VERB, _OTHER = range(2, 12), (12, 13), (14, 15), range(16, 22), range(22, 34)
"""Words of a sentence; a name is one of a person or of a place as what stands before it has it."""
ENTITIES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
SAID = 8
"""Words that are asked and answered: 2 to 9 come in; 0 is padding."""
TURNS = 4
"""Words of the longest answer, its end among them."""


@cache
def _text() -> str:
    paths = [Path(str(spec.origin)) for name in _SOURCES if (spec := find_spec(name)) is not None]
    return re.sub(r"\s+", " ", " ".join(path.read_text(encoding="utf-8") for path in paths)).lower()


@cache
def codes(training: bool) -> Tensor:
    """The text as numbers: the first nine tenths to train on, the rest to validate."""
    text = _text()
    known = {char: i for i, (char, _) in enumerate(Counter(text).most_common(_CHARACTERS - 1), 1)}
    numbers = torch.tensor([known.get(char, 0) for char in text])
    edge = len(numbers) * 9 // 10
    return numbers[:edge] if training else numbers[edge:]


def _novel(n: int, g: torch.Generator, training: bool) -> Batch:
    """Eight characters of a text, and the next."""
    text = codes(training)
    starts = torch.randint(0, len(text) - MAXLEN - 1, (n, 1), generator=g)
    rows = text[starts + torch.arange(MAXLEN + 1)]
    return rows[:, :-1], rows[:, -1], None


@cache
def _glyphs() -> Tensor:
    """Shapes: -> (C, 7, 6)"""
    drawn = torch.zeros(len(_SEGMENTS), 7, 6)
    for digit, segments in enumerate(_SEGMENTS):
        for stroke, (rows, columns) in enumerate(_STROKES):
            if segments >> (6 - stroke) & 1:
                drawn[digit, rows, columns] = 1.0
    return drawn


def _pixelrows(n: int, g: torch.Generator, training: bool) -> Batch:
    """Digits of eight rows of eight pixels, moved a little, on noise."""
    y = torch.randint(0, len(_SEGMENTS), (n,), generator=g)
    x = 0.35 * torch.randn(n, 8, 8, generator=g)
    down, right = torch.randint(0, 2, (n,), generator=g), torch.randint(0, 3, (n,), generator=g)
    for row, (digit, i, j) in enumerate(zip(y.tolist(), down.tolist(), right.tolist(), strict=True)):
        x[row, i : i + 7, j : j + 6] += _glyphs()[digit]
    return (x - 0.3) / 0.5, y, None


def _prices(n: int, g: torch.Generator, training: bool) -> Batch:
    """Ten days of a price and of what is traded: the price of the day that follows."""
    t = torch.arange(11)
    speed = 0.5 + 0.5 * torch.rand(n, 1, generator=g)
    price = torch.sin(speed * t + 6.2832 * torch.rand(n, 1, generator=g))
    price = (0.6 + 0.8 * torch.rand(n, 1, generator=g)) * price + 0.1 * torch.randn(n, 11, generator=g)
    traded = price.roll(-1, 1) - price + 0.5 * torch.randn(n, 11, generator=g)
    x = torch.stack([price / 0.73, traded / 0.75], -1)[:, :10]
    x[:, -1, 1] = 0.0  # tomorrow is not known
    return x, price[:, 10:] / 0.73, None


def _spotting(n: int, g: torch.Generator, training: bool) -> Batch:
    """8 to 14 frames of ten bands: which of six words, known by where its tone begins and which way it goes?"""
    y = torch.randint(0, 6, (n,), generator=g)
    lengths = torch.randint(8, 15, (n,), generator=g)
    x = 0.8 * torch.randn(n, 14, 10, generator=g)
    begins = (torch.rand(n, generator=g) * (lengths - 5)).long()
    low, way = y // 3, y % 3 - 1
    for k in range(5):
        x[torch.arange(n), begins + k, 2 + 5 * low + (way * (k - 2)).clamp(-2, 2)] += 2.2
    x[torch.arange(14) >= lengths[:, None]] = 0.0
    return x, y, lengths


def _tweets(n: int, g: torch.Generator, training: bool) -> Batch:
    """4 to 12 words with two or three opinions, one of them stressed, which outweighs the others: good or bad?"""
    lengths = torch.randint(4, 13, (n,), generator=g)
    x = torch.randint(14, 40, (n, 12), generator=g)
    y = torch.randint(0, 2, (n,), generator=g)
    rows = torch.arange(n)

    def opinion(good: Tensor) -> Tensor:
        word = torch.randint(0, 5, (n,), generator=g)
        return torch.where(good == 1, _LAUGH[0] + word, _CRY[0] + word)

    stressed = 1 + (torch.rand(n, generator=g) * (lengths - 1)).long()
    plain = (stressed + 2) % lengths
    x[rows, plain] = opinion(torch.randint(0, 2, (n,), generator=g))
    x[rows, stressed - 1] = torch.randint(_VERY[0], _VERY[1] + 1, (n,), generator=g)
    x[rows, stressed] = opinion(y)
    x[torch.arange(12) >= lengths[:, None]] = 0
    return x, y, lengths


@cache
def tunes(training: bool) -> Tensor:
    """One long tune: a note follows from the two before it, most of the time."""
    g = torch.Generator().manual_seed(5 if training else 6)
    chances, other = torch.rand(30_000, generator=g).tolist(), torch.randint(0, NOTES, (30_000,), generator=g)
    follows = torch.randint(0, NOTES, (NOTES, NOTES), generator=torch.Generator().manual_seed(4)).tolist()
    notes = [0, 4]
    for chance, note in zip(chances, other.tolist(), strict=True):
        a, b = notes[-2:]
        notes.append(follows[a][b] if chance < 0.8 else note)
    return torch.tensor(notes)


def _tunes(n: int, g: torch.Generator, training: bool) -> Batch:
    """Bars, and after each note the next."""
    notes = tunes(training)
    starts = torch.randint(0, len(notes) - BAR - 1, (n, 1), generator=g)
    rows = notes[starts + torch.arange(BAR + 1)]
    return rows[:, :-1], rows[:, 1:], None


def _plant(n: int, g: torch.Generator, training: bool) -> Batch:
    """Three sensors, ten steps: at each the smoothed first and what the second was three steps before."""
    x = torch.randn(n, 10, 3, generator=g)
    level, smooth = torch.zeros(n), []
    for t in range(10):
        level = 0.6 * level + 0.8 * x[:, t, 0]
        smooth.append(level)
    late = F.pad(x[:, :, 1], (3, 0))[:, :10]
    return x, torch.stack([torch.stack(smooth, 1) / 0.93, (late + 0.3 * x[:, :, 2]) / 0.88], -1), None


def _chatbot(n: int, g: torch.Generator, training: bool) -> Batch:
    """One to three words are asked; each has its answer, in the same order, and then the end."""
    lengths = torch.randint(1, TURNS, (n,), generator=g)
    x = torch.randint(2, 2 + SAID, (n, TURNS - 1), generator=g)
    there = torch.arange(TURNS - 1) < lengths[:, None]
    y = torch.full((n, TURNS), -100)
    y[:, : TURNS - 1] = torch.where(there, (x * 3) % SAID + 1, -100)
    y[torch.arange(n), lengths] = 0
    return x * there, y, lengths


def _places(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sentences of 5 to 12 words, and which of them name a person or a place."""
    x, y = torch.zeros(n, 12, dtype=torch.long), torch.full((n, 12), -100)
    lengths = torch.randint(5, 13, (n,), generator=g)
    for row, length in enumerate(lengths.tolist()):
        words, tags = _sentence(length, g)
        x[row, :length], y[row, :length] = torch.tensor(words), torch.tensor(tags)
    return x, y, lengths


def _sentence(length: int, g: torch.Generator) -> tuple[list[int], list[int]]:
    def one(words: Any) -> int:
        return int(words[int(torch.randint(0, len(words), (), generator=g))])

    words: list[int] = []
    tags: list[int] = []
    while len(words) < length:
        person = len(tags) % 3 != 1
        words += [one(_TITLE if person else _PREPOSITION), one(_NAME)]
        tags += [0, 1 if person else 3]
        if float(torch.rand((), generator=g)) < 0.5:
            words.append(one(_NAME))
            tags.append(2 if person else 4)
        words.append(one(_VERB if float(torch.rand((), generator=g)) < 0.5 else _OTHER))
        tags.append(0)
    return words[:length], tags[:length]


def _anomaly(n: int, g: torch.Generator, training: bool) -> Batch:
    """Eight readings of two sensors of a machine that runs as it should, to be said again."""
    t = torch.arange(8)
    phase, size = 6.2832 * torch.rand(n, 1, generator=g), 0.7 + 0.6 * torch.rand(n, 1, generator=g)
    one = size * torch.sin(0.8 * t + phase)
    other = size * torch.cos(0.8 * t + phase + 0.5)
    x = torch.stack([one, other], -1) / 0.74 + 0.1 * torch.randn(n, 8, 2, generator=g)
    return x, x.clone(), None


def _wearable(n: int, g: torch.Generator, training: bool) -> Batch:
    """Seven readings of five channels: which of them moved first, or none?"""
    y = torch.randint(0, 6, (n,), generator=g)
    x = 0.5 * torch.randn(n, 7, 5, generator=g)
    rows = torch.arange(n)
    for step, size in ((0, 2.0), (1, 2.4), (2, 2.0)):
        moved = F.one_hot(y, 6)[:, :5].float()
        x[:, step] += size * moved
    x[rows, torch.randint(4, 7, (n,), generator=g), torch.randint(0, 5, (n,), generator=g)] += 1.2
    return x, y, None


def _documents(n: int, g: torch.Generator, training: bool) -> Batch:
    """Three sentences of four words; each has a topic, and one of them is marked: which topic has that one?"""
    topic = torch.randint(0, 3, (n, 3), generator=g)
    x = torch.randint(12, 30, (n, 3, 4), generator=g)
    rows, places = torch.arange(n), torch.arange(3)
    at = torch.randint(1, 4, (n, 3), generator=g)
    x[rows[:, None], places, at] = 2 + 3 * topic + torch.randint(0, 3, (n, 3), generator=g)
    marked = torch.randint(0, 3, (n,), generator=g)
    x[rows, marked, 0] = 11
    return x, topic[rows, marked], None


@torch.no_grad()
def _next_notes(model: Any, batch: Batch) -> float:
    """Share of the next notes that are right, beyond the most frequent one's."""
    x, y, _ = batch
    out = model(x.t())[0].transpose(0, 1)
    return _beyond(out.argmax(-1), y) if out.isfinite().all() else 0.0


@torch.no_grad()
def _opinions(model: Any, batch: Batch) -> float:
    """Share of the opinions that are right, beyond the most frequent one's; a chance counts from one half."""
    x, y, lengths = batch
    out = model(x, lengths).squeeze(1)
    edge = 0.5 if model.setting.output == "sigmoid" else 0.0
    return _beyond((out > edge).long(), y) if out.isfinite().all() else 0.0


def _beyond(answer: Tensor, right: Tensor) -> float:
    base = float(right.flatten().bincount().max()) / right.numel()
    return (float((answer == right).float().mean()) - base) / (1 - base)


TASKS = (
    Task("novel", TUTORIALS, _novel, _CHARACTERS, _CHARACTERS, 0.1, read="last", network="next_character"),
    Task("pixelrows", TUTORIALS, _pixelrows, 8, 8, 0.75, tokens=False, read="last", network="rows"),
    Task("prices", TUTORIALS, _prices, 2, 1, 0.89, tokens=False, read="last", classes=False, network="windows"),
    Task(
        "spotting", TUTORIALS, _spotting, 10, 6, 0.6, tokens=False, read="mean", network="convolutions", padded=True
    ),
    Task(
        "tweets", TUTORIALS, _tweets, 40, 1, 0.85, read="last", network="padded_before", embedding=16, padded=True,
        binary=True, measure=_opinions,
    ),
    Task("tunes", TUTORIALS, _tunes, NOTES, NOTES, 0.6, network="rnn_model", embedding=12, measure=_next_notes),
    Task("plant", TUTORIALS, _plant, 3, 2, 0.68, tokens=False, classes=False, network="by_hand", lag=3),
    Task(
        "chatbot", TUTORIALS, _chatbot, 2 + SAID, 1 + SAID, 0.88, network="translator", embedding=16, padded=True,
        cells=GATED,
    ),
    Task("places", TUTORIALS, _places, 34, len(ENTITIES), 0.98, network="entities", embedding=14, padded=True),
    Task("anomaly", TUTORIALS, _anomaly, 2, 2, 0.93, tokens=False, classes=False, network="repeated"),
    Task("wearable", TUTORIALS, _wearable, 5, 6, 0.92, tokens=False, read="last", network="stacked", lag=4),
    Task("documents", TUTORIALS, _documents, 30, 3, 0.95, read="last", network="hierarchy", embedding=14),
)  # fmt: skip
