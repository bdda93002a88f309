"""Tasks of the reported part: what is drawn, and what is asked for. Texts are Python's own sources."""

import re
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..task import GATED, REPORTED, Batch, Task

_SOURCES = ("statistics", "fractions", "textwrap", "shelve", "sched", "calendar", "string", "queue", "bisect")
_CHARACTERS, _WORDS = 40, 90
"""Of the vocabularies; 0 is any other."""
CHUNK, BPTT = 16, 12
"""Characters and words that are read at once."""
_GOOD, _BAD, _NOT = range(2, 6), range(6, 10), (10, 11)
"""Words of a review: 0 is padding, 1 what no vocabulary knows."""
_LETTERS, _LANGUAGES = 26, 4
_DET, _ADJ, _NOUN, _BOTH, _VERB, _ADV = (
    range(2, 5),
    range(5, 10),
    range(10, 18),
    range(18, 28),
    range(28, 34),
    (34, 35),
)
"""Words of a sentence; some are nouns or verbs as what stands before them has it."""
TAGS = ("DET", "ADJ", "NOUN", "VERB", "ADV")
SYMBOLS = 12
"""Words of the language that is translated, which are 2 to 13; 0 is padding and 1 begins a sentence."""
_RECALLED, _GAP = 3, 3


@cache
def _text() -> str:
    paths = [Path(str(spec.origin)) for name in _SOURCES if (spec := find_spec(name)) is not None]
    return re.sub(r"\s+", " ", " ".join(path.read_text(encoding="utf-8") for path in paths))


@cache
def _codes(words: bool, training: bool) -> Tensor:
    """The text as numbers: the first nine tenths to train on, the rest to validate."""
    units = re.findall(r"\w+|[^\w\s]", _text()) if words else list(_text().lower())
    most = Counter(units).most_common((_WORDS if words else _CHARACTERS) - 1)
    known = {unit: number for number, (unit, _) in enumerate(most, 1)}
    codes = torch.tensor([known.get(unit, 0) for unit in units])
    edge = len(codes) * 9 // 10
    return codes[:edge] if training else codes[edge:]


def code_of_words() -> Tensor:
    """What the model of words is trained on, in one piece."""
    return _codes(True, True)


def code_of_characters() -> Tensor:
    """What the model of characters is trained on, in one piece."""
    return _codes(False, True)


def _chunks(codes: Tensor, length: int, n: int, g: torch.Generator) -> Batch:
    starts = torch.randint(0, len(codes) - length - 1, (n, 1), generator=g)
    rows = codes[starts + torch.arange(length + 1)]
    return rows[:, :-1], rows[:, 1:], None


def _generation(n: int, g: torch.Generator, training: bool) -> Batch:
    """Chunks of a text, and after each character the next."""
    return _chunks(_codes(False, training), CHUNK, n, g)


def _nextword(n: int, g: torch.Generator, training: bool) -> Batch:
    """Chunks of a text, and after each word the next."""
    return _chunks(_codes(True, training), BPTT, n, g)


def _sentiment(n: int, g: torch.Generator, training: bool) -> Batch:
    """Reviews of 4 to 10 words with one opinion, good (1) or bad (0); the word before it may turn it round."""
    lengths = torch.randint(4, 11, (n,), generator=g)
    x = torch.randint(12, 40, (n, 10), generator=g)
    rows = torch.arange(n)
    good = torch.randint(0, 2, (n,), generator=g)
    turned = (torch.rand(n, generator=g) < 0.3).long()
    word = torch.randint(0, 4, (n,), generator=g)
    at = 1 + (torch.rand(n, generator=g) * (lengths - 1)).long()
    x[rows, at] = torch.where(good == 1, _GOOD[0] + word, _BAD[0] + word)
    x[rows, at - 1] = torch.where(
        turned == 1, torch.randint(_NOT[0], _NOT[1] + 1, (n,), generator=g), x[rows, at - 1]
    )
    x[torch.arange(10) >= lengths[:, None]] = 0
    return x, good ^ turned, lengths


def _origins(n: int, g: torch.Generator, training: bool) -> Batch:
    """Names of seven letters, one-hot: the first two tell the language, whichever letters follow."""
    y = torch.randint(0, _LANGUAGES, (n,), generator=g)
    letters = torch.randint(0, _LETTERS, (n, 7), generator=g)
    letters[:, 0] = (letters[:, 0] // _LANGUAGES * _LANGUAGES % 24) + y
    return F.one_hot(letters, _LETTERS).float(), y, None


def _pos(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sentences of 4 to 11 words, and the kind of each."""
    x, y = torch.zeros(n, 11, dtype=torch.long), torch.full((n, 11), -100)
    lengths = torch.randint(4, 12, (n,), generator=g)
    for row in range(n):
        words, tags = _sentence(int(lengths[row]), g)
        x[row, : len(words)], y[row, : len(tags)] = torch.tensor(words), torch.tensor(tags)
    return x, y, lengths


def _sentence(length: int, g: torch.Generator) -> tuple[list[int], list[int]]:
    def one(words: Any) -> int:
        return int(words[int(torch.randint(0, len(words), (), generator=g))])

    words: list[int] = []
    tags: list[int] = []
    kind = 0  # what comes next
    while len(words) < length:
        chance = float(torch.rand((), generator=g))
        choices = {0: (_DET,), 1: (_ADJ,), 2: (_NOUN, _BOTH, _BOTH), 3: (_VERB, _BOTH, _BOTH), 4: (_ADV,)}[
            kind
        ]
        words.append(one(choices[int(torch.randint(0, len(choices), (), generator=g))]))
        tags.append(kind)
        after = {0: (1, 2), 1: (1, 2), 2: (3, 3), 3: (4, 0), 4: (0, 0)}[kind]
        kind = after[int(chance > 0.4)]
    return words, tags


def _translation(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sentences of five words, to be said in another language, which puts the second word at the end."""
    x = torch.randint(2, 2 + SYMBOLS, (n, 5), generator=g)
    told = (x * 5 + 3) % SYMBOLS
    return x, told[:, [0, 2, 3, 4, 1]], None


def _passengers(n: int, g: torch.Generator, training: bool) -> Batch:
    """Twelve months of a series with a season and a trend: the month that follows."""
    t = torch.arange(13)
    season = 6.2832 * torch.rand(n, 1, generator=g)
    slope = 0.06 * torch.randn(n, 1, generator=g)
    size = 0.7 + 0.6 * torch.rand(n, 1, generator=g)
    series = (
        size * torch.sin(6.2832 * t / 8 + season) + slope * (t - 6) + 0.15 * torch.randn(n, 13, generator=g)
    )
    return series[:, :12, None] / 0.8, series[:, 12:] / 0.83, None


def _adder(n: int, g: torch.Generator, training: bool) -> Batch:
    """Six numbers from 0 to 1, two of them marked: their sum, with mean 0 and variance 1."""
    value, mark, row = torch.rand(n, 6, generator=g), torch.zeros(n, 6), torch.arange(n)
    mark[row, torch.randint(0, 3, (n,), generator=g)] = 1
    mark[row, torch.randint(3, 6, (n,), generator=g)] = 1
    total = (value * mark).sum(1, keepdim=True)
    return torch.stack([2 * value - 1, mark], -1), (total - 1) / 0.408, None


def _copying(n: int, g: torch.Generator, training: bool) -> Batch:
    """Three symbols, a gap, and markers, at which the symbols are asked for again."""
    symbols = torch.randint(2, 8, (n, _RECALLED), generator=g)
    steps = 2 * _RECALLED + _GAP
    x = torch.zeros(n, steps, dtype=torch.long)
    x[:, :_RECALLED] = symbols
    x[:, -_RECALLED:] = 1
    y = torch.full((n, steps), -100)
    y[:, -_RECALLED:] = symbols - 2
    return x, y, None


def _waves(n: int, g: torch.Generator, training: bool) -> Batch:
    """Waves of different speed: the next value at each of fourteen steps."""
    speed = 0.4 + 0.7 * torch.rand(n, 1, generator=g)
    t = torch.arange(15) + 20 * torch.rand(n, 1, generator=g)
    wave = 1.414 * torch.sin(speed * t) + 0.1 * torch.randn(n, 15, generator=g)
    return wave[:, :-1, None], wave[:, 1:, None], None


def _gestures(n: int, g: torch.Generator, training: bool) -> Batch:
    """Eight readings of three sensors: which of them moved first, and which way?"""
    y = torch.randint(0, 6, (n,), generator=g)
    x = 0.35 * torch.randn(n, 8, 3, generator=g)
    row, way = torch.arange(n), 1 - 2 * (y % 2)
    x[row, 1, y // 2] += 2.5 * way
    x[row, 2, y // 2] += 2.0 * way
    other = torch.randint(0, 3, (n,), generator=g)
    x[row, torch.randint(4, 7, (n,), generator=g), other] += 1.5 * (
        1 - 2 * torch.randint(0, 2, (n,), generator=g)
    )
    return x, y, None


@torch.no_grad()
def _next_words(model: Any, batch: Batch) -> float:
    """Share of the next words that are right, beyond the most frequent one's."""
    x, y, _ = batch
    out, _ = model(x, None)
    if not out.isfinite().all():
        return 0.0
    base = float(y.flatten().bincount().max()) / y.numel()
    return (float((out.argmax(-1) == y).float().mean()) - base) / (1 - base)


@torch.no_grad()
def _tags(model: nn.Module, batch: Batch) -> float:
    """Share of the kinds of words that are right, beyond the most frequent one's."""
    x, y, _ = batch
    out = model(x.t()).transpose(0, 1)
    if not out.isfinite().all():
        return 0.0
    there = y >= 0
    base = float(y[there].bincount().max()) / int(there.sum())
    return (float((out.argmax(-1) == y)[there].float().mean()) - base) / (1 - base)


TASKS = (
    Task(
        "generation", REPORTED, _generation, _CHARACTERS, _CHARACTERS, 0.14, network="char_rnn", embedding=24,
        measure=_next_words,
    ),
    Task(
        "nextword", REPORTED, _nextword, _WORDS, _WORDS, 0.08, network="word_rnn", embedding=28, measure=_next_words
    ),
    Task(
        "sentiment", REPORTED, _sentiment, 40, 1, 0.8, read="last", network="reviews", embedding=16, padded=True,
        binary=True,
    ),
    Task("origins", REPORTED, _origins, _LETTERS, _LANGUAGES, 0.8, tokens=False, read="last", network="names", lag=6),
    Task(
        "pos", REPORTED, _pos, 36, len(TAGS), 0.98, network="pos_tagger", embedding=16, padded=True, measure=_tags
    ),
    Task("translation", REPORTED, _translation, 2 + SYMBOLS, SYMBOLS, 0.75, network="translator", embedding=20),
    Task(
        "passengers", REPORTED, _passengers, 1, 1, 0.8, tokens=False, read="last", classes=False, network="windows"
    ),
    Task("adder", REPORTED, _adder, 2, 1, 0.85, tokens=False, read="last", classes=False, network="sums", cells=GATED),
    Task("copying", REPORTED, _copying, 8, 6, 0.8, network="memory", embedding=10, lag=6),
    Task("waves", REPORTED, _waves, 1, 1, 0.87, tokens=False, classes=False, network="cell_loop"),
    Task("gestures", REPORTED, _gestures, 3, 6, 0.9, tokens=False, read="last", network="many_to_one", lag=6),
)  # fmt: skip
