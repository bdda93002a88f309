"""Tasks of the unseen part: what is drawn, and what is asked for. All data are drawn; nothing is read."""

import random
from functools import cache
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..task import UNSEEN, Batch, Task

_PREFIXES = torch.tensor([[ord(c) - 96 for c in word] for word in ("mac", "van", "del", "ben")])
_VOWELS, _CONSONANTS = (torch.tensor([ord(c) - 96 for c in text]) for text in ("aeiou", "bcdfglmnrstv"))
_PAIRS = 7
"""Of words in the longest review."""
_SUFFIXES = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
"""Letters that end a word of each of three kinds."""
_WAVE = 0.864
"""Deviation of the traffic before it is standardized."""
_WRITERS = torch.tensor([[0.45, 1.0], [0.75, 0.5], [1.05, 1.3], [1.35, 0.8], [1.65, 0.3]])
"""How fast the pen of each of five writers goes round, and how far out."""
_SPOKEN = torch.tensor(
    [[2.0, 0, 0, 1, 0, 0], [0, 2, 0, 0, 1, 0], [0, 0, 2, 0, 0, 1], [1, 0, 0, 0, 2, 0], [0, 1, 0, 2, 0, 0]]
)
"""Six features of each of five phones."""
_ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
_LEXICON = {
    "the": "the a this",
    "adjective": "small red old quiet young",
    "noun": "dog bird child train river teacher",
    "nouns": "dogs birds children trains rivers teachers",
    "verb": "sees hears follows leaves finds",
    "verbs": "see hear follow leave find",
    "adverb": "often never always",
    "in": "near behind without",
    ".": ".",
}
WORDS = [word for words in _LEXICON.values() for word in words.split()]


def _surnames(n: int, g: torch.Generator, training: bool) -> Batch:
    """Nine letters: three of a prefix that tells where the name is from, then consonants and vowels in turn."""
    y = torch.randint(0, 4, (n,), generator=g)
    rest = torch.where(
        torch.arange(6) % 2 == 1,
        _VOWELS[torch.randint(0, len(_VOWELS), (n, 6), generator=g)],
        _CONSONANTS[torch.randint(0, len(_CONSONANTS), (n, 6), generator=g)],
    )
    typed = torch.rand(n, 3, generator=g) < 0.1
    prefix = torch.where(typed, torch.randint(1, 27, (n, 3), generator=g), _PREFIXES[y])
    return torch.cat([prefix, rest], dim=1), y, None


def _reviews(n: int, g: torch.Generator, training: bool) -> Batch:
    """Pairs of words; in three of them the second praises or blames, and the first may negate it: which prevails?"""
    x = torch.randint(16, 40, (n, _PAIRS, 2), generator=g)
    where = torch.rand(n, _PAIRS, generator=g).argsort(1)[:, :3]
    praise = torch.randint(0, 2, (n, 3), generator=g)
    negated = (torch.rand(n, 3, generator=g) < 0.25).long()
    rows = torch.arange(n)[:, None]
    x[rows, where, 1] = 4 + 6 * (1 - praise) + torch.randint(0, 6, (n, 3), generator=g)
    negators = torch.randint(1, 4, (n, 3), generator=g)
    x[rows, where, 0] = torch.where(negated == 1, negators, x[rows, where, 0])
    shortest = 2 * (where.amax(1) + 1)
    lengths = shortest + (torch.rand(n, generator=g) * (2 * _PAIRS + 1 - shortest)).long()
    flat = x.flatten(1)
    flat[torch.arange(2 * _PAIRS) >= lengths[:, None]] = 0
    return flat, ((praise ^ negated).sum(1) >= 2).long(), lengths


def _inflections(n: int, g: torch.Generator, training: bool) -> Batch:
    """Four to nine words of five letters; the last tells a word's kind, for the third kind with the next word's."""
    lengths = torch.randint(4, 10, (n,), generator=g)
    kinds = torch.randint(0, 3, (n, 10), generator=g)
    x = torch.randint(1, 13, (n, 9, 5), generator=g)
    x[..., 4] = _SUFFIXES[kinds[:, :9], torch.randint(0, 4, (n, 9), generator=g)]
    beyond = torch.arange(10) >= lengths[:, None]
    kinds[beyond] = 1
    y = torch.where(kinds[:, :9] < 2, kinds[:, :9], torch.where(kinds[:, 1:] == 0, 2, 3))
    x[beyond[:, :9]] = 0
    return x, y.masked_fill(beyond[:, :9], -1), lengths


def _traffic(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sixteen hours of a day of eight, one in five missing: value, whether it is there, hours since the last one."""
    size = 0.8 + 0.8 * torch.rand(n, 1, generator=g)
    phase = 6.28 * torch.rand(n, 1, generator=g)
    wave = size * torch.sin(6.2832 / 8 * torch.arange(17) + phase) / _WAVE
    seen = torch.rand(n, 16, generator=g) > 0.2
    values = (wave[:, :16] + 0.2 * torch.randn(n, 16, generator=g)) * seen
    gaps, waited = [], torch.zeros(n)
    for t in range(16):
        waited = torch.where(seen[:, t], 0.0, waited + 1)
        gaps.append(waited)
    return torch.stack([values, seen.float(), torch.stack(gaps, 1) / 2], -1), wave[:, 16:], None


def _signatures(n: int, g: torch.Generator, training: bool) -> Batch:
    """Two strokes of a pen, twelve points each: are they of one writer (1)?"""
    y = torch.randint(0, 2, (n,), generator=g)
    one = torch.randint(0, 5, (n,), generator=g)
    other = (one + torch.randint(1, 5, (n,), generator=g) * (1 - y)) % 5
    fast, wide = _WRITERS[torch.stack([one, other], 1)].unbind(-1)
    angle = fast[..., None] * torch.arange(12) + torch.rand(n, 2, 1, generator=g)
    strokes = torch.stack([torch.cos(angle), torch.sin(angle)], -1) * wide[..., None, None]
    return strokes + 0.1 * torch.randn(n, 2, 12, 2, generator=g), y, None


def _heartbeats(n: int, g: torch.Generator, training: bool) -> Batch:
    """Twelve samples around a beat: a high wave and a low one after it; to be written again from four numbers."""
    t = torch.arange(12)
    at = 2 + 5 * torch.rand(n, 1, generator=g)
    high, low = (0.6 + 0.8 * torch.rand(n, 1, generator=g) for _ in range(2))
    beat = high * torch.exp(-((t - at) ** 2) / 2) - 0.6 * low * torch.exp(-((t - at - 3) ** 2) / 4)
    x = (2.2 * beat + 0.05 * torch.randn(n, 12, generator=g))[..., None]
    return x, x, None


def _corridor(n: int, g: torch.Generator, training: bool) -> Batch:
    """A sign at the entrance, seven noisy steps, then a junction: which of three ways?"""
    y = torch.randint(0, 3, (n,), generator=g)
    x = 0.2 * torch.randn(n, 8, 4, generator=g)
    x[:, 0, :3] += 2 * F.one_hot(y, 3)
    x[:, -1, 3] += 1.0
    return x, y, None


@cache
def _numbers(training: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Roman letters (N, 11), lengths, and digits (N, 3) of the numbers below four hundred; one in five is held out."""
    rows, digits = [], []
    for number in range(1, 400):
        if ((number * 37 + 11) % 100 >= 20) != training:
            continue
        left, text = number, ""
        for value, letters in _ROMAN:
            text += letters * (left // value)
            left %= value
        rows.append(["IVXLC".index(c) + 1 for c in text])
        digits.append([number // 100, number // 10 % 10, number % 10])
    lengths = torch.tensor([len(row) for row in rows])
    return torch.tensor([row + [0] * (12 - len(row)) for row in rows]), lengths, torch.tensor(digits)


def _numerals(n: int, g: torch.Generator, training: bool) -> Batch:
    """Roman numbers, to be written in three digits."""
    letters, lengths, digits = _numbers(training)
    rows = torch.randint(0, len(letters), (n,), generator=g)
    return letters[rows], digits[rows], lengths[rows]


@cache
def sentences(training: bool) -> Tensor:
    """Simple sentences one after another, as numbers of their words."""
    draw, number = random.Random(5 if training else 6), {word: i for i, word in enumerate(WORDS)}
    said: list[str] = []

    def say(kind: str) -> None:
        said.append(draw.choice(_LEXICON[kind].split()))

    while len(said) < (40_000 if training else 8000):
        many = draw.choice(["", "s"])
        say("the")
        if draw.random() < 0.4:
            say("adjective")
        say("noun" + many)
        if draw.random() < 0.3:
            for kind in ("in", "the", "noun"):
                say(kind)
        if draw.random() < 0.25:
            say("adverb")
        for kind in ("verb" + many, "the", "noun", "."):
            say(kind)
    return torch.tensor([number[word] for word in said])


def _sentences(n: int, g: torch.Generator, training: bool) -> Batch:
    """Ten words, and after each the next."""
    codes = sentences(training)
    starts = torch.randint(0, len(codes) - 11, (n, 1), generator=g)
    rows = codes[starts + torch.arange(11)]
    return rows[:, :-1], rows[:, 1:], None


def _phones(n: int, g: torch.Generator, training: bool) -> Batch:
    """Three of five phones, each for three to five frames of fifteen: which, in which order (1 to 5; 0 is blank)?"""
    first = torch.randint(0, 5, (n, 1), generator=g)
    steps = torch.randint(1, 5, (n, 2), generator=g)
    y = torch.cat([first, (first + steps.cumsum(1)) % 5], dim=1)
    ends = torch.randint(3, 6, (n, 3), generator=g).cumsum(1)
    which = (torch.arange(15) >= ends[:, :2, None]).sum(1)
    said = _SPOKEN[y.gather(1, which)] * (torch.arange(15) < ends[:, 2:])[..., None]
    return said + 0.3 * torch.randn(n, 15, 6, generator=g), y + 1, None


def _orders(n: int, g: torch.Generator, training: bool) -> Batch:
    """Seven orders of a customer: article, price, customer. Next shelf: that of the first, for some the one after?"""
    articles = torch.randint(0, 8, (n, 7), generator=g)
    customers = torch.randint(0, 8, (n, 1), generator=g)
    prices = torch.randn(n, 7, generator=g)
    prices[:, 0] += 2  # those who begin buy more
    y = (articles[:, 0] // 2 + (customers[:, 0] >= 6)) % 4
    return torch.stack([articles.float(), customers.expand(n, 7).float(), prices], -1), y, None


@torch.no_grad()
def _time_first(model: Any, batch: Batch) -> float:
    """Share of the next words that are right, beyond the most frequent one's."""
    x, y, _ = batch
    out, _ = model(x.t())
    if not out.isfinite().all():
        return 0.0
    right = y.t()
    base = float(right.flatten().bincount().max()) / right.numel()
    share: float = (out.argmax(-1) == right).float().mean().item()
    return (share - base) / (1 - base)


@torch.no_grad()
def _rebuilt(model: nn.Module, batch: Batch) -> float:
    """Share of the variance that is written again, the noise of the code left out."""
    x, y, _ = batch
    out = model(x)[0]
    return 1 - float(F.mse_loss(out, y) / (y - y.mean(0)).pow(2).mean()) if out.isfinite().all() else 0.0


@torch.no_grad()
def _transcribed(model: nn.Module, batch: Batch) -> float:
    """Share of the sequences whose phones are all right: the best of each frame, repeats and blanks left out."""
    x, y, _ = batch
    said: list[list[int]] = model(x).argmax(-1).tolist()
    right: list[list[int]] = y.tolist()
    found = [[phone for phone, _ in groupby(row) if phone] for row in said]
    return sum(a == b for a, b in zip(found, right, strict=True)) / len(right)


TASKS = (
    Task("surnames", UNSEEN, _surnames, 27, 4, 0.75, read="last", network="spelled", lag=6),
    Task(
        "reviews", UNSEEN, _reviews, 40, 1, 0.5, read="pooled", network="pooling", embedding=12, padded=True,
        binary=True,
    ),
    Task("inflections", UNSEEN, _inflections, 13, 4, 0.85, network="letters", embedding=8, padded=True),
    Task(
        "traffic", UNSEEN, _traffic, 3, 1, 0.8, tokens=False, read="last", classes=False, network="forecaster"
    ),
    Task("signatures", UNSEEN, _signatures, 2, 1, 0.65, tokens=False, read="last", network="siamese", binary=True),
    Task(
        "heartbeats", UNSEEN, _heartbeats, 1, 1, 0.5, tokens=False, read="last", classes=False,
        network="autoencoder", measure=_rebuilt,
    ),
    Task("corridor", UNSEEN, _corridor, 4, 3, 0.8, tokens=False, read="last", network="agent", lag=7),
    Task("numerals", UNSEEN, _numerals, 6, 10, 0.3, network="teacher", embedding=10, padded=True),
    Task(
        "sentences", UNSEEN, _sentences, len(WORDS), len(WORDS), 0.15, network="words", embedding=20,
        measure=_time_first,
    ),
    Task("phones", UNSEEN, _phones, 6, 6, 0.6, tokens=False, network="speech", measure=_transcribed),
    Task("orders", UNSEEN, _orders, 8, 4, 0.6, tokens=False, read="last", network="customers", embedding=8, lag=6),
)  # fmt: skip
