"""Tasks of the courses' part: data that are made in a cell of the notebook, or found in Python itself."""

import unicodedata
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..task import COURSES, GATED, Batch, Task

BITS = 11
"""Of which more are 1, or more are 0."""
ECHO, SYMBOLS = 7, 4
"""Steps after a first symbol, which is asked for at the end."""
BPTT = 14
"""Letters that are read at once."""
LETTERS = " ABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"
STRING = 13
"""Symbols of Reber's grammar that are read."""
THROWS = 14
LATIN, VOWELS, WORD = 6, 2, 3
"""Letters, of which the first are vowels, and how many a word has."""
MONTHS = 18
"""That a forecast of sunspots is made from."""
FRAMES, FILTERS = 12, 5
SWINGS = 14
_MORSE = (".-", "-...", "-.-.", "-..", "..-.", "--.", "....", ".---")
CODE = 9
"""Signs of two letters, with the gap between them, at most."""
_SECTIONS, _OWN, _COMMON = 4, 5, 18
HEADLINE = 9


def _majority(n: int, g: torch.Generator, training: bool) -> Batch:
    """Rows of bits: are there more ones?"""
    x = torch.randint(0, 2, (n, BITS), generator=g)
    return F.one_hot(x, 2).float(), (x.sum(1) > BITS // 2).long(), None


def _echoes(n: int, g: torch.Generator, training: bool) -> Batch:
    """A symbol, then noise: which was it?"""
    first = torch.randint(0, SYMBOLS, (n,), generator=g)
    x = 0.15 * torch.randn(n, ECHO, SYMBOLS, generator=g)
    x[:, 0] += F.one_hot(first, SYMBOLS)
    return x, first, None


@cache
def text(training: bool) -> Tensor:
    """Names of Unicode's characters as numbers; every tenth is kept to validate on."""
    names = [unicodedata.name(chr(code), "") for code in range(0x20, 0x3000)]
    kept = [name for name in names if name and not any(c.isdigit() for c in name)]
    mine = [name for n, name in enumerate(kept) if (n % 10 != 0) is training]
    order = torch.randperm(len(mine), generator=torch.Generator().manual_seed(11)).tolist()
    return torch.tensor([LETTERS.index(c) for i in order for c in mine[i] + "\n"])


def _charnames(n: int, g: torch.Generator, training: bool) -> Batch:
    """Pieces of such names, and the letters that follow."""
    codes = text(training)
    starts = torch.randint(0, len(codes) - BPTT - 1, (n, 1), generator=g)
    rows = codes[starts + torch.arange(BPTT + 1)]
    return rows[:, :-1], rows[:, 1:], None


_REBER = (
    (("T", 1), ("P", 2)), (("S", 1), ("X", 3)), (("T", 2), ("V", 4)), (("X", 2), ("S", 5)), (("P", 3), ("V", 5)),
    (("E", 6),), (("B", 0),),
)  # fmt: skip
_SIGNS = "BTPSXVE"


def _reber(n: int, g: torch.Generator, training: bool) -> Batch:
    """Words of Reber's grammar, one after the other: which sign follows?"""
    coins = torch.randint(0, 2, (n, STRING + 1), generator=g).tolist()
    rows = []
    for row in coins:
        node, signs = 6, []
        for coin in row:
            ways = _REBER[node]
            sign, node = ways[coin % len(ways)]
            signs.append(_SIGNS.index(sign))
        rows.append(signs)
    made = torch.tensor(rows)
    return made[:, :-1], made[:, 1:], None


def _casino(n: int, g: torch.Generator, training: bool) -> Batch:
    """Throws of a die that is changed for a loaded one now and then: which one was it?"""
    changes = torch.rand(n, THROWS, generator=g) < 0.12
    first = torch.randint(0, 2, (n, 1), generator=g)
    loaded = (first + changes.cumsum(1)) % 2
    fair = torch.randint(0, 6, (n, THROWS), generator=g)
    six = torch.rand(n, THROWS, generator=g) < 0.75
    return torch.where((loaded == 1) & six, 5, fair), loaded, None


def _piglatin(n: int, g: torch.Generator, training: bool) -> Batch:
    """A word; its first letter goes to the end, unless it is a vowel."""
    x = torch.randint(0, LATIN, (n, WORD), generator=g)
    y = torch.where(x[:, :1] < VOWELS, x, x.roll(-1, 1))
    ending = torch.where(x[:, :1] < VOWELS, LATIN, LATIN + 1)
    return x, torch.cat([y, ending], 1), None


def _sunspots(n: int, g: torch.Generator, training: bool) -> Batch:
    """Cycles of about eleven that differ in height and length, and how many there are two steps later."""
    period = 9 + 4 * torch.rand(n, 1, generator=g)
    phase, height = torch.rand(n, 1, generator=g), 0.6 + 0.9 * torch.rand(n, 1, generator=g)
    turns = (torch.arange(MONTHS + 2) / period + phase) * 6.2832
    spots = height * (torch.sin(turns) + 0.3 * torch.sin(2 * turns))
    seen = spots[:, :MONTHS] + 0.12 * torch.randn(n, MONTHS, generator=g)
    return seen[..., None], spots[:, -1:] / 0.8, None


def _vowels(n: int, g: torch.Generator, training: bool) -> Batch:
    """Five filters, frame by frame, while two vowels are said, the first of which is often the same: which two?"""
    kind = torch.randint(0, 6, (n,), generator=g)
    peaks = torch.tensor([[0, 2], [0, 3], [0, 4], [2, 0], [3, 0], [4, 0]])[kind]
    change = torch.randint(4, 8, (n, 1), generator=g)
    now = torch.where(torch.arange(FRAMES) < change, peaks[:, :1], peaks[:, 1:])
    loud = 0.8 + 0.6 * torch.rand(n, 1, 1, generator=g)
    x = loud * F.one_hot(now, FILTERS).float() + 0.45 * torch.randn(n, FRAMES, FILTERS, generator=g)
    return (x - 0.2) / 0.6, kind, None


def _pendulum(n: int, g: torch.Generator, training: bool) -> Batch:
    """Pushes on a damped pendulum, step by step: where is it?"""
    pushes = torch.randn(n, SWINGS, generator=g)
    at, speed = torch.zeros(n), torch.zeros(n)
    path = []
    for push in pushes.unbind(1):
        speed = 0.8 * speed - 0.35 * at + 0.6 * push
        at = at + speed
        path.append(at)
    angle = torch.stack(path, 1)
    x = torch.stack([pushes, pushes + 0.5 * torch.randn(n, SWINGS, generator=g)], -1)
    return x, angle[..., None] / 1.34, None


def _morse(n: int, g: torch.Generator, training: bool) -> Batch:
    """Two letters in code, with a gap: which is the first?"""
    picks = torch.randint(0, len(_MORSE), (n, 2), generator=g).tolist()
    x, lengths = torch.zeros(n, CODE, dtype=torch.long), []
    for row, (first, second) in enumerate(picks):
        signs = [1 + ".- ".index(c) for c in f"{_MORSE[first]} {_MORSE[second]}"]
        x[row, : len(signs)] = torch.tensor(signs)
        lengths.append(len(signs))
    return x, torch.tensor([first for first, _ in picks]), torch.tensor(lengths)


def _headlines(n: int, g: torch.Generator, training: bool) -> Batch:
    """Words of headlines, two of which are of a section, and one of another one: of which is it?"""
    lengths = torch.randint(5, HEADLINE + 1, (n,), generator=g)
    kind, other = (torch.randint(0, _SECTIONS, (n,), generator=g) for _ in range(2))
    x = torch.randint(1 + _SECTIONS * _OWN, 1 + _SECTIONS * _OWN + _COMMON, (n, HEADLINE), generator=g)
    places = torch.rand(n, 5, generator=g).argsort(1)[:, :3]
    words = torch.randint(0, _OWN, (n, 3), generator=g)
    x.scatter_(1, places, 1 + torch.stack([kind, kind, other], 1) * _OWN + words)
    x[torch.arange(HEADLINE) >= lengths[:, None]] = 0
    return x, kind, lengths


@torch.no_grad()
def _next(model: torch.nn.Module, batch: Batch) -> float:
    """Share of the next letters that are right, beyond the most frequent one's."""
    x, y, _ = batch
    out: Any = model(x)[0]
    if not out.isfinite().all():
        return 0.0
    base = float(y.flatten().bincount().max()) / y.numel()
    return (float((out.argmax(-1) == y).float().mean()) - base) / (1 - base)


_WORDS = 1 + _SECTIONS * _OWN + _COMMON
TASKS = (
    Task("majority", COURSES, _majority, 2, 2, 0.85, tokens=False, read="last", network="unrolled", lag=BITS - 1),
    Task("echoes", COURSES, _echoes, SYMBOLS, SYMBOLS, 0.8, tokens=False, read="last", network="unrolled",
         lag=ECHO - 1),
    Task("charnames", COURSES, _charnames, len(LETTERS), len(LETTERS), 0.22, network="letters", embedding=18,
         measure=_next),
    Task("reber", COURSES, _reber, len(_SIGNS), len(_SIGNS), 0.42, network="each_step", embedding=10),
    Task("casino", COURSES, _casino, 6, 2, 0.68, network="each_step", embedding=10),
    Task("piglatin", COURSES, _piglatin, LATIN, LATIN + 2, 0.75, network="translator", embedding=16, cells=GATED),
    Task("sunspots", COURSES, _sunspots, 1, 1, 0.85, tokens=False, read="last", classes=False, network="last_step"),
    Task("vowels", COURSES, _vowels, FILTERS, 6, 0.8, tokens=False, read="last", network="last_step", lag=7),
    Task("pendulum", COURSES, _pendulum, 2, 1, 0.9, tokens=False, classes=False, network="unrolled", lag=4),
    Task("morse", COURSES, _morse, 4, len(_MORSE), 0.7, read="last", network="ragged", embedding=10, padded=True),
    Task("headlines", COURSES, _headlines, _WORDS, _SECTIONS, 0.7, read="last", network="ragged", embedding=16,
         padded=True),
)  # fmt: skip
