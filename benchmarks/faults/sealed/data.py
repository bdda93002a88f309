"""Tasks of the sealed part: what is drawn, and what is asked for.

Words and names are those of Python's standard library; the other data are drawn.
"""

import re
import sysconfig
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ..task import SEALED, Batch, Task

_FILES = (
    "argparse ast bdb calendar cmd code configparser copy csv difflib doctest ftplib getopt gettext imaplib inspect"
    " ipaddress locale mailbox mimetypes numbers optparse os pdb pickle platform plistlib poplib pprint pydoc queue"
    " random sched selectors shelve shlex shutil smtplib socket socketserver ssl statistics string subprocess tarfile"
    " tempfile textwrap threading timeit trace traceback types typing uuid warnings wave weakref webbrowser"
)
_LETTERS = 16
"""Of the longest word; longer ones are cut."""
_FORMATS = (
    ("day", "of", "month", "year"),
    ("month", "day", "comma", "year"),
    ("year", "slash", "month", "day"),
)
_MONTH, _OF, _COMMA, _SLASH = 10, 22, 23, 24
"""Tokens of a date: digits, then the twelve names of months, then what stands between."""
_NEXT = torch.tensor(
    [
        [1, 0, 0, 0, 0, 0],
        [1, 2, 1, 4, 0, 4],
        [2, 2, 3, 4, 0, 2],
        [3, 3, 3, 4, 0, 2],
        [4, 4, 4, 0, 0, 0],
    ]
)
"""The state of a connection (closed, opening, idle, busy, closing) after open, accept, data, close, reset, timeout."""
_SYLLABLES = torch.tensor([[[1.0, 4.0], [6.0, 4.0]], [[3.0, 6.0], [2.0, 6.0]], [[5.0, 2.0], [0.0, 6.5]]])
"""In which two of eight bands each of three syllables is loud, at its begin and at its end."""
_PAIRS = torch.tensor([[0, 1], [1, 0], [0, 2], [2, 0], [1, 2], [2, 1]])


@cache
def _text() -> str:
    folder = Path(sysconfig.get_path("stdlib"))
    return "\n".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in _FILES.split())


def _letters(name: str) -> list[int]:
    """1 for whatever is no letter; 0 is padding, or an end."""
    return [ord(c) - 95 if "a" <= c <= "z" else 1 for c in name]


@cache
def _words(training: bool) -> tuple[Tensor, Tensor]:
    """The letters (N, T) and lengths (N) of all words of four letters or more; every fifth is held out."""
    words = sorted(set(re.findall(r"[a-z]{4,}", _text().lower())))
    codes = [_letters(word[:_LETTERS]) for i, word in enumerate(words) if (i % 5 > 0) == training]
    rows = [row + [0] * (_LETTERS - len(row)) for row in codes]
    return torch.tensor(rows), torch.tensor([len(row) for row in codes])


def _gibberish(n: int, g: torch.Generator, training: bool) -> Batch:
    """Letters: are they a word, or has a cat walked over the keyboard (1)?"""
    y = torch.randint(0, 2, (n,), generator=g)
    words, lengths = _words(training)
    rows = torch.randint(0, len(words), (n,), generator=g)
    x, lengths = words[rows], lengths[rows]
    struck = torch.randint(2, 28, x.shape, generator=g) * (x > 0)
    return torch.where(y[:, None] == 1, struck, x), y, lengths


@cache
def identifiers(training: bool) -> Tensor:
    """Names of functions one after another, as numbers of their letters: 0 ends each."""
    names = {name.lower() for name in re.findall(r"^ *def (\w{3,})", _text(), re.MULTILINE)}
    shuffled = sorted(names, key=lambda name: (sum(ord(c) * (i + 7) for i, c in enumerate(name)) % 997, name))
    cut = len(shuffled) * 9 // 10
    mine = shuffled[:cut] if training else shuffled[cut:]
    return torch.tensor([code for name in mine for code in [*_letters(name.strip("_")), 0]])


def _identifiers(n: int, g: torch.Generator, training: bool) -> Batch:
    """Twelve letters of names, and at each the next."""
    codes = identifiers(training)
    starts = torch.randint(0, len(codes) - 13, (n, 1), generator=g)
    x = codes[starts + torch.arange(13)]
    return x[:, :-1], x[:, 1:], None


def _dates(n: int, g: torch.Generator, training: bool) -> Batch:
    """Dates in three ways to write them, to be written as eight digits: year, month, day."""
    year, month, day = (
        torch.randint(low, high, (n,), generator=g) for low, high in ((1950, 2050), (1, 13), (1, 29))
    )
    way = torch.randint(0, len(_FORMATS), (n,), generator=g)
    digits = torch.stack([year // 1000, year // 100 % 10, year // 10 % 10, year % 10], 1)
    days = torch.stack([day // 10, day % 10], 1)
    parts = {
        "year": digits,
        "month": (_MONTH + month - 1)[:, None],
        "day": days,
        "of": torch.full((n, 1), _OF),
        "comma": torch.full((n, 1), _COMMA),
        "slash": torch.full((n, 1), _SLASH),
    }
    written = torch.stack([torch.cat([parts[part] for part in parts_of], 1) for parts_of in _FORMATS])
    x = written[way, torch.arange(n)]
    return x, torch.cat([digits, torch.stack([month // 10, month % 10], 1), days], 1), None


def _events(n: int, g: torch.Generator, training: bool) -> Batch:
    """Fourteen events: a mark of six and the logarithm of the time that went by; which mark comes next?

    After a short time the next mark, after a long one that before; one in eight is another.
    """
    gaps = torch.randn(n, 15, generator=g)
    other = torch.rand(n, 15, generator=g) < 0.125
    marks = torch.randint(0, 6, (n, 15), generator=g)
    for t in range(2, 15):
        follows = torch.where(gaps[:, t - 1] < 0, (marks[:, t - 1] + 1) % 6, marks[:, t - 2])
        marks[:, t] = torch.where(other[:, t], marks[:, t], follows)
    return torch.stack([marks[:, :-1].float(), gaps[:, :-1]], -1), marks[:, 1:], None


def _oscillators(n: int, g: torch.Generator, training: bool) -> Batch:
    """Thirty-two samples of a damped oscillator, seen by two noisy sensors: its frequency, standardized."""
    frequency = 0.2 + 0.6 * torch.rand(n, 1, generator=g)
    damping = 0.04 * torch.rand(n, 1, generator=g)
    t = torch.arange(32)
    phase = 6.28 * torch.rand(n, 1, generator=g)
    wave = torch.exp(-damping * t)[..., None] * torch.stack(
        [torch.sin(frequency * t + phase), torch.cos(frequency * t + phase)], -1
    )
    return wave + 0.3 * torch.randn(n, 32, 2, generator=g), (frequency - 0.5) / 0.173, None


def _syllables(n: int, g: torch.Generator, training: bool) -> Batch:
    """Eight bands of a sound, 10 to 20 frames: which two of three syllables are spoken, in which order?"""
    y = torch.randint(0, 6, (n,), generator=g)
    lengths = torch.randint(10, 21, (n,), generator=g)
    t = torch.arange(20)
    half = lengths[:, None] / 2
    second = (t >= half).long()
    way = ((t - second * half) / (half - 1)).clamp(0, 1)[..., None]
    spoken = _SYLLABLES[_PAIRS[y].gather(1, second)]
    bands = spoken[..., 0] * (1 - way) + spoken[..., 1] * way + 0.3 * torch.randn(n, 1, 2, generator=g)
    loud = torch.exp(-((torch.arange(8) - bands[..., None]) ** 2)).sum(2)
    x = 2 * loud + 1.3 * torch.randn(n, 20, 8, generator=g) - 0.6
    x[t >= lengths[:, None]] = 0.0
    return x, y, lengths


def _protocol(n: int, g: torch.Generator, training: bool) -> Batch:
    """Twelve events of a connection that begins closed: its state after each."""
    x = torch.multinomial(torch.tensor([0.25, 0.25, 0.25, 0.12, 0.03, 0.1]), n * 12, True, generator=g)
    x = x.view(n, 12)
    state, states = torch.zeros(n, dtype=torch.long), []
    for event in x.unbind(1):
        state = _NEXT[state, event]
        states.append(state)
    return x, torch.stack(states, 1), None


def _cue(n: int, g: torch.Generator, training: bool) -> Batch:
    """Three noisy channels, one with a pulse at the second of eleven steps; a fourth asks at the last: which?"""
    y = torch.randint(0, 3, (n,), generator=g)
    x = 0.4 * torch.randn(n, 11, 4, generator=g)
    x[torch.arange(n), 1, y] += 2.0
    x[:, -1, 3] += 1.0
    return x, y, None


TASKS = (
    Task(
        "gibberish", SEALED, _gibberish, 28, 1, 0.65, read="last", network="pooled", embedding=12, padded=True,
        binary=True,
    ),
    Task("identifiers", SEALED, _identifiers, 28, 28, 0.16, network="speller", embedding=18),
    Task("dates", SEALED, _dates, 25, 10, 0.75, network="normalizer", embedding=16),
    Task("events", SEALED, _events, 6, 6, 0.65, tokens=False, network="marked", embedding=8),
    Task(
        "oscillators", SEALED, _oscillators, 2, 1, 0.85, tokens=False, read="last", classes=False, network="front"
    ),
    Task("syllables", SEALED, _syllables, 8, 6, 0.8, tokens=False, read="max", network="pooled", padded=True),
    Task("protocol", SEALED, _protocol, 6, 5, 0.8, network="handmade", embedding=10),
    Task("cue", SEALED, _cue, 4, 3, 0.9, tokens=False, read="last", network="residual", lag=9),
)  # fmt: skip
