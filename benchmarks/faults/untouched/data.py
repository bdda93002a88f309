"""Tasks of the untouched part: what is drawn, and what is asked for. Names of signs are those of Unicode."""

import random
import unicodedata
from collections import Counter
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..task import UNTOUCHED, Batch, Task

_SIGNS = (range(0xA1, 0x590), range(0x1E00, 0x2000), range(0x2190, 0x2200), range(0x2500, 0x2600))
"""Latin, Greek, Cyrillic and Armenian letters, arrows, frames and shapes."""
_WORDS = 60
"""Of the names; 0 is any other, 1 the end of a name."""
_FONT = (
    "100 100 100 100 111",
    "111 010 010 010 010",
    "101 101 111 101 101",
    "111 001 010 100 111",
    "111 101 101 101 111",
)
"""Five letters, three wide and five high."""
_INTENTS = 4
_PEOPLE, _TITLES, _PLACES, _SAYS, _FILLERS = range(1, 21), (21, 22), (23, 24), (25, 26), range(27, 40)
"""Tokens of a report: names, what stands before a person and before a place, what a person does, other words."""
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
_HOUR, _MINUTE, _PAST, _TO, _SHARP, _IT, _IS = 1, 13, 24, 25, 26, 27, 28
"""Tokens of a time of day: 12 hours, 11 numbers of minutes, and what stands between."""


def series(hours: int, g: torch.Generator) -> Tensor:
    """Load, temperature and whether it is a working day (hours, 3), hour by hour; days have twelve."""
    t = torch.arange(hours)
    weather = torch.randn(hours, generator=g)
    temperature = [torch.zeros(())]
    for shock in weather[1:]:
        temperature.append(0.95 * temperature[-1] + 0.31 * shock)
    warm = torch.stack(temperature)
    working = ((t // 12) % 7 < 5).float()
    start = float(torch.rand((), generator=g)) * 12
    day = torch.sin((t + start) * 6.2832 / 12) + 0.4 * torch.sin((t + start) * 6.2832 / 6)
    load = day * (0.7 + 0.5 * working) - 0.35 * warm + 0.12 * torch.randn(hours, generator=g)
    return torch.stack([(load - load.mean()) / load.std(), warm, working], -1)


def windows(hours: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Every window (N, steps, 3) of a series, and the load that follows each (N, 1)."""
    x = hours.unfold(0, steps, 1)[:-1].transpose(1, 2)
    return x, hours[steps:, :1]


@cache
def _held_series() -> tuple[Tensor, Tensor]:
    return windows(series(3000, torch.Generator().manual_seed(11)), 16)


def _electricity(n: int, g: torch.Generator, training: bool) -> Batch:
    """Windows of sixteen hours: the load of the next; those to train on are of one series of n hours."""
    if training:
        x, y = windows(series(n + 16, g), 16)
        return x, y, None
    x, y = _held_series()
    rows = torch.randint(0, len(x), (n,), generator=g)
    return x[rows], y[rows], None


def _messages(n: int, g: torch.Generator, training: bool) -> Batch:
    """Messages of 6 to 16 words: spam (1) promises something (1 to 3) and then asks for a call (4 to 6)."""
    y = torch.randint(0, 2, (n,), generator=g)
    lengths = torch.randint(6, 17, (n,), generator=g)
    x = torch.randint(7, 40, (n, 16), generator=g)
    rows = torch.arange(n)
    first = (torch.rand(n, generator=g) * (lengths - 2)).long()
    then = first + 1 + (torch.rand(n, generator=g) * (lengths - first - 1)).long()
    promise, call = (torch.randint(low, low + 3, (n,), generator=g) for low in (1, 4))
    kind = torch.randint(0, 3, (n,), generator=g)  # of what is no spam: the other way round, or one of both
    x[rows, first] = torch.where(y == 1, promise, torch.where(kind == 2, x[rows, first], call))
    x[rows, then] = torch.where(y == 1, call, torch.where(kind == 1, x[rows, then], promise))
    x[torch.arange(16) >= lengths[:, None]] = 0
    return x, y, lengths


def _entities(n: int, g: torch.Generator, training: bool) -> Batch:
    """Reports of 5 to 14 words: which are names of persons and of places? The word before tells, or else the next."""
    draw = random.Random(int(torch.randint(0, 2**31, (), generator=g)))
    x, y = torch.zeros(n, 14, dtype=torch.long), torch.full((n, 14), -100)
    lengths = torch.zeros(n, dtype=torch.long)
    for row in range(n):
        words, tags = _report(draw)
        length = min(len(words), draw.randint(5, 14))
        x[row, :length], y[row, :length] = torch.tensor(words[:length]), torch.tensor(tags[:length])
        lengths[row] = length
    return x, y, lengths


def _report(draw: random.Random) -> tuple[list[int], list[int]]:
    words: list[int] = []
    tags: list[int] = []
    while len(words) < 14:
        kind = draw.random()
        name = draw.choices(_PEOPLE, k=draw.randint(1, 2))
        if kind < 0.35:
            words += [draw.choice(_TITLES), *name]
            tags += [0, 1, *[2] * (len(name) - 1)]
        elif kind < 0.65:
            words += [draw.choice(_PLACES), *name]
            tags += [0, 3, *[4] * (len(name) - 1)]
        elif kind < 0.75:
            words += [*name, draw.choice(_SAYS)]
            tags += [1, *[2] * (len(name) - 1), 0]
        more = draw.choices(_FILLERS, k=draw.randint(1, 2))
        words += more
        tags += [0] * len(more)
    return words, tags


@cache
def names(training: bool) -> Tensor:
    """Names of signs one after another, as numbers of their words; every tenth is held out."""
    said = [name.split() for signs in _SIGNS for sign in signs if (name := unicodedata.name(chr(sign), ""))]
    random.Random(3).shuffle(said)
    counted = Counter(word for name in said for word in name)
    known = {word: number for number, (word, _) in enumerate(counted.most_common(_WORDS - 2), 2)}
    mine = [name for number, name in enumerate(said) if (number % 10 > 0) == training]
    return torch.tensor([code for name in mine for code in [*(known.get(word, 0) for word in name), 1]])


def _glyphs(n: int, g: torch.Generator, training: bool) -> Batch:
    """Ten words of names, and after each the next."""
    codes = names(training)
    starts = torch.randint(0, len(codes) - 11, (n, 1), generator=g)
    rows = codes[starts + torch.arange(11)]
    return rows[:, :-1], rows[:, 1:], None


def _walkers(n: int, g: torch.Generator, training: bool) -> Batch:
    """Eight places of one who walks in a bend, seen from the last of them: where is he at the next five?"""
    speed = 0.5 + torch.rand(n, 1, generator=g)
    turn = 0.25 * torch.randn(n, 1, generator=g)
    heading = 6.2832 * torch.rand(n, 1, generator=g) + turn * torch.arange(13)
    steps = speed[..., None] * torch.stack([torch.cos(heading), torch.sin(heading)], -1)
    places = steps.cumsum(1)
    places = places - places[:, 7:8]
    seen = places[:, :8] + 0.05 * torch.randn(n, 8, 2, generator=g)
    return seen / 2.6, places[:, 8:] / 2.32, None


@cache
def _times(training: bool) -> tuple[Tensor, Tensor]:
    """Every time of five minutes as it is said (N, 5) and as digits (N, 4); one in six is held out."""
    said, digits = [], []
    for hour in range(12):
        for fives in range(12):
            if ((hour * 12 + fives) * 29 % 144 >= 24) != training:
                continue
            past = 1 <= fives <= 6
            named = hour if fives == 0 or past else (hour + 1) % 12
            minutes = fives if past else 12 - fives
            between = [_HOUR + named, _SHARP, 0] if fives == 0 else [
                _MINUTE + minutes - 1, _PAST if past else _TO, _HOUR + named
            ]  # fmt: skip
            said.append([_IT, _IS, *between])
            digits.append([hour // 10, hour % 10, fives * 5 // 10, fives * 5 % 10])
    return torch.tensor(said), torch.tensor(digits)


def _clock(n: int, g: torch.Generator, training: bool) -> Batch:
    """A time of day in words, to be written in four digits."""
    said, digits = _times(training)
    rows = torch.randint(0, len(said), (n,), generator=g)
    return said[rows], digits[rows], None


def _shapes(n: int, g: torch.Generator, training: bool) -> Batch:
    """Ten rows of ten pixels from 0 to 1: which of five letters is written somewhere in them?"""
    letters = torch.tensor([[[float(c) for c in row] for row in letter.split()] for letter in _FONT])
    y = torch.randint(0, len(letters), (n,), generator=g)
    ink = 0.6 + 0.4 * torch.rand(n, 1, 1, generator=g)
    drawn = (letters[y] * ink).flatten(1)
    top, left = (torch.randint(0, room, (n, 1), generator=g) for room in (3, 3))
    places = (top[..., None] + torch.arange(5)[:, None]) * 10 + left[..., None] + torch.arange(3)
    x = 0.12 * torch.rand(n, 100, generator=g)
    x = x.scatter_add(1, places.flatten(1), drawn).clamp(0, 1)
    return x.view(n, 10, 10), y, None


def _thermostat(n: int, g: torch.Generator, training: bool) -> Batch:
    """A heater's setting and the weather over sixteen steps: how warm is the room after each?"""
    heater = torch.randn(n, 4, generator=g).repeat_interleave(4, dim=1)
    outside = torch.randn(n, 1, generator=g) + 0.3 * torch.randn(n, 16, generator=g)
    room, rooms = torch.zeros(n), []
    for t in range(16):
        room = 0.75 * room + 0.45 * torch.tanh(1.5 * heater[:, t]) + 0.15 * outside[:, t]
        rooms.append(room)
    return torch.stack([heater, outside], -1), torch.stack(rooms, 1)[..., None] / 0.92, None


def _commands(n: int, g: torch.Generator, training: bool) -> Batch:
    """Ten words: a verb, its particle (on, off, up, down), and a description: what is wanted?"""
    y = torch.randint(0, _INTENTS, (n,), generator=g)
    x = torch.randint(12, 30, (n, 10), generator=g)
    x[:, 0] = torch.randint(4, 12, (n,), generator=g)
    x[:, 1] = y
    return x, y, None


def _ward(n: int, g: torch.Generator, training: bool) -> Batch:
    """Seven days: what was found on the first, and three readings a day; the ward of the finding, or with fever 3."""
    found = torch.randint(0, 3, (n,), generator=g)
    fever = torch.rand(n, generator=g) < 0.25
    x = torch.zeros(n, 7, 6)
    x[torch.arange(n), 0, found] = 2.0
    x[..., 3:] = 0.3 * torch.randn(n, 7, 3, generator=g)
    x[:, -1, 3] += 2.0 * fever
    return x, torch.where(fever, 3, found), None


@torch.no_grad()
def _next_words(model: Any, batch: Batch) -> float:
    """Share of the next words that are right, beyond the most frequent one's."""
    x, y, _ = batch
    out, _ = model(x.t(), None)
    if not out.isfinite().all():
        return 0.0
    base = float(y.flatten().bincount().max()) / y.numel()
    share = float((out.argmax(-1) == y.t()).float().mean())
    return (share - base) / (1 - base)


@torch.no_grad()
def _places(model: nn.Module, batch: Batch) -> float:
    """Share of the variance of all places."""
    x, y, _ = batch
    out = model(x)
    return 1 - float(F.mse_loss(out, y) / y.var()) if out.isfinite().all() else 0.0


TASKS = (
    Task(
        "electricity", UNTOUCHED, _electricity, 3, 1, 0.9, tokens=False, read="last", classes=False,
        network="lstm_model",
    ),
    Task(
        "messages", UNTOUCHED, _messages, 40, 1, 0.75, read="last", network="message_reader", embedding=12, padded=True,
        binary=True,
    ),
    Task("entities", UNTOUCHED, _entities, 40, len(LABELS), 0.95, network="tagger", embedding=16, padded=True),
    Task("glyphs", UNTOUCHED, _glyphs, _WORDS, _WORDS, 0.42, network="rnn_model", embedding=24, measure=_next_words),
    Task(
        "walkers", UNTOUCHED, _walkers, 2, 2, 0.7, tokens=False, classes=False, network="seq2seq", measure=_places
    ),
    Task("clock", UNTOUCHED, _clock, 29, 10, 0.55, network="attention_decoder", embedding=14),
    Task("shapes", UNTOUCHED, _shapes, 10, len(_FONT), 0.65, tokens=False, read="last", network="rows"),
    Task("thermostat", UNTOUCHED, _thermostat, 2, 1, 0.96, tokens=False, classes=False, network="from_scratch"),
    Task("commands", UNTOUCHED, _commands, 30, _INTENTS, 0.9, read="last", network="module", embedding=12, lag=8),
    Task("ward", UNTOUCHED, _ward, 6, 4, 0.9, tokens=False, read="last", network="patients", lag=6),
)  # fmt: skip
