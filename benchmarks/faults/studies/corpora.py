"""Melodies, reviews, beats of a heart and walkers: what four scripts of the studies' part are given to learn."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..task import STUDIES, Batch, Task

PITCHES = 10
"""Of the melodies: 0 is a rest, 1 to 9 are notes."""
PHRASE = 12
"""Notes that are read at once."""
SAMPLES = 16
"""Of a beat, in each of two leads."""
BEATS = ("normal", "wide", "no P wave", "T wave inverted", "ST raised")
OBSERVED, FORESEEN = 6, 3
"""Steps of a walker that are seen, and those that are to be foretold."""
_GOOD, _BAD, _NOT, _OTHER = range(2, 7), range(7, 12), range(12, 14), range(14, 40)
"""Words of a review: 0 is padding, 1 what no vocabulary knows."""
WORDS = 40
LONGEST = 9
"""Words of a review."""


@cache
def melody(training: bool) -> Tensor:
    """One long melody: it goes up or down step by step, turns now and then, and rests, after which it goes on."""
    g = torch.Generator().manual_seed(31 if training else 32)
    chances = torch.rand(40_000, 2, generator=g).tolist()
    notes: list[int] = []
    pitch, way, rests = 5, 1, 0
    for turn, rest in chances:
        if rests or (rest < 0.12 and notes and notes[-1]):
            notes.append(0)
            rests = 0 if rests else int(rest < 0.06)
            continue
        if turn < 0.12 or not 1 <= pitch + way <= 9:
            way = -way
        pitch += way
        notes.append(pitch)
    return torch.tensor(notes)


def _chorale(n: int, g: torch.Generator, training: bool) -> Batch:
    """Phrases, and after each note the next."""
    notes = melody(training)
    starts = torch.randint(0, len(notes) - PHRASE - 1, (n, 1), generator=g)
    rows = notes[starts + torch.arange(PHRASE + 1)]
    return rows[:, :-1], rows[:, 1:], None


def _movies(n: int, g: torch.Generator, training: bool) -> Batch:
    """4 to 9 words, of which one or three are opinions, some of them negated: what do most of them say?"""
    lengths = torch.randint(4, LONGEST + 1, (n,), generator=g)
    x = torch.randint(_OTHER[0], _OTHER[-1] + 1, (n, LONGEST), generator=g)
    y = torch.zeros(n, dtype=torch.long)
    for row, length in enumerate(lengths.tolist()):
        count = 3 if length >= 6 and float(torch.rand((), generator=g)) < 0.6 else 1
        pairs = torch.randperm(length // 2, generator=g)[:count]
        good, word = (torch.randint(0, k, (count,), generator=g) for k in (2, len(_GOOD)))
        negated = torch.rand(count, generator=g) < 0.25
        x[row, 2 * pairs + 1] = torch.where(good == 1, _GOOD[0], _BAD[0]) + word
        x[row, 2 * pairs[negated]] = _NOT[0] + word[negated] % 2
        y[row] = int((good != negated.long()).sum() * 2 > count)
    x[torch.arange(LONGEST) >= lengths[:, None]] = 0
    return x, y, lengths


def _wave(at: Tensor, width: Tensor, height: Tensor) -> Tensor:
    """Shapes: each (B) -> (B, SAMPLES)"""
    t = torch.arange(SAMPLES)
    return height[:, None] * torch.exp(-(((t - at[:, None]) / width[:, None]) ** 2))


def _beats(n: int, g: torch.Generator, training: bool) -> Batch:
    """A beat in two leads: is it normal, and if not, what is wrong with it?"""
    kind = torch.randint(0, len(BEATS), (n,), generator=g)
    one, size = torch.ones(n), 0.8 + 0.4 * torch.rand(n, generator=g)
    at = 6.5 + 1.5 * torch.rand(n, generator=g)
    beat = _wave(at - 4, one, 0.9 * (kind != 2))
    beat = beat + _wave(at, torch.where(kind == 1, 2.2, 0.9), 2.4 * one)
    beat = beat + _wave(at + 5, 1.4 * one, torch.where(kind == 3, -0.9, 0.9))
    beat = beat + _wave(at + 2.5, one, 1.0 * (kind == 4))
    leads = torch.stack([size[:, None] * beat, -0.6 * beat.roll(1, 1)], -1)
    leads = leads + 0.2 * torch.randn(n, SAMPLES, 2, generator=g)
    return (leads - torch.tensor([0.6, -0.35])) / torch.tensor([0.85, 0.6]), kind, None


def _walkers(n: int, g: torch.Generator, training: bool) -> Batch:
    """Steps of someone who walks a bend, slows down or hurries, and the steps that follow."""
    t = torch.arange(OBSERVED + FORESEEN)
    heading = 6.2832 * torch.rand(n, 1, generator=g)
    bend = 0.25 * torch.randn(n, 1, generator=g)
    speed = (0.7 + 0.6 * torch.rand(n, 1, generator=g)) * (1 + 0.04 * torch.randn(n, 1, generator=g)) ** t
    angle = heading + bend * t
    steps = torch.stack([speed * angle.cos(), speed * angle.sin()], -1)
    seen = steps[:, :OBSERVED] + 0.06 * torch.randn(n, OBSERVED, 2, generator=g)
    return seen / 0.72, steps[:, OBSERVED:] / 0.72, None


@torch.no_grad()
def _next_notes(model: Any, batch: Batch) -> float:
    """Share of the next notes that are right, beyond the most frequent one's."""
    x, y, _ = batch
    out = model(x)[0]
    if not out.isfinite().all():
        return 0.0
    base = float(y.flatten().bincount().max()) / y.numel()
    return (float((out.argmax(-1) == y).float().mean()) - base) / (1 - base)


TASKS = (
    Task("chorale", STUDIES, _chorale, PITCHES, PITCHES, 0.66, network="music", embedding=12, measure=_next_notes),
    Task(
        "movies", STUDIES, _movies, WORDS, 2, 0.6, read="last", network="reviews", embedding=16, padded=True
    ),
    Task("beats", STUDIES, _beats, 2, len(BEATS), 0.65, tokens=False, read="last", network="cell_by_hand", lag=8),
    Task("walks", STUDIES, _walkers, 2, 2, 0.7, tokens=False, classes=False, network="autoregressive"),
)  # fmt: skip
