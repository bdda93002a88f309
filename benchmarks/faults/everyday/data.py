"""Tasks of the everyday part: what scripts of students, of colleagues and of small repositories are given to learn."""

import random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..parts_common.losses import PADDED
from ..task import EVERYDAY, GATED, Batch, Task
from . import texts

LOOKBACK, AHEAD = 14, 3
"""Hours that a forecast is made from, and how far ahead."""
CYCLE = 16
"""Minutes of a battery's charge that are followed."""
RIDE = 18
"""Readings of a manoeuvre."""
MARKED = 11
"""Symbols in a row, of which two count."""
LETTERS, STRING = 14, 10
"""Letters of three languages, and how many are read."""
DIGITS, ROW = 6, 5
"""What is sorted."""
CODES, MESSAGE = 8, 5
"""Letters of a cipher; a message has so many."""
_TOPICS, _EACH, _BUT, _AND, _OTHER = 4, 4, 2, 3, 20
"""Of complaints: words 4 to 19 belong to four departments; 20 and above say nothing."""
TICKET, TICKET_WORDS = 10, 44


def _complaints(n: int, g: torch.Generator, training: bool) -> Batch:
    """5 to 10 words: a first trouble, and often a second one, which counts if "but" is before it: whose is it?"""
    lengths = torch.randint(6, TICKET + 1, (n,), generator=g)
    x = torch.randint(_OTHER, TICKET_WORDS, (n, TICKET), generator=g)
    rows = torch.arange(n)
    one, two = (torch.randint(0, _TOPICS, (n,), generator=g) for _ in range(2))
    words = torch.randint(0, _EACH, (n, 2), generator=g)
    first, later = torch.randint(0, 2, (n,), generator=g), torch.randint(0, 2, (n,), generator=g)
    but = torch.rand(n, generator=g) < 0.5
    x[rows, first] = 4 + one * _EACH + words[:, 0]
    x[rows, 2 + later] = torch.where(but, _BUT, _AND)
    x[rows, 4 + later] = 4 + two * _EACH + words[:, 1]
    x[torch.arange(TICKET) >= lengths[:, None]] = 0
    return x, torch.where(but, two, one), lengths


_LEXICON = {
    "determiner": range(1, 4), "adjective": range(4, 9), "noun": range(9, 14), "verb": range(14, 19),
    "pronoun": range(19, 22), "adverb": range(22, 25), "preposition": range(25, 28), "either": range(28, 40),
}  # fmt: skip
_TAGS = {"determiner": 0, "adjective": 1, "noun": 2, "verb": 3, "pronoun": 4, "adverb": 5, "preposition": 6}
CLAUSE = 12
"""Words of a sentence at most."""


def _wordclasses(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sentences, whose words are named by their class. Many may be noun, verb or adjective: what is around tells."""
    chance = random.Random(int(torch.randint(0, 2**31, (1,), generator=g)))

    def phrase() -> list[str]:
        if chance.random() < 0.25:
            return ["pronoun"]
        return ["determiner", *(["adjective"] * (chance.random() < 0.5)), "noun"]

    x, y = torch.zeros(n, CLAUSE, dtype=torch.long), torch.full((n, CLAUSE), PADDED)
    lengths = []
    for row in range(n):
        kinds = [*phrase(), *(["adverb"] * (chance.random() < 0.3)), "verb"]
        kinds += phrase() if chance.random() < 0.6 else []
        kinds += ["preposition", *phrase()] if chance.random() < 0.5 else []
        kinds = kinds[:CLAUSE]
        for t, kind in enumerate(kinds):
            any_of = kind in ("noun", "verb", "adjective") and chance.random() < 0.85
            x[row, t], y[row, t] = chance.choice(_LEXICON["either" if any_of else kind]), _TAGS[kind]
        lengths.append(len(kinds))
    return x, y, torch.tensor(lengths)


def _sorting(n: int, g: torch.Generator, training: bool) -> Batch:
    """Five digits of six, and the same in order."""
    x = torch.randint(0, DIGITS, (n, ROW), generator=g)
    return x, x.sort(1).values, None


def _cipher(n: int, g: torch.Generator, training: bool) -> Batch:
    """A key of two, and a message, each letter of which is moved on by the key."""
    key = torch.randint(0, 2, (n, 1), generator=g)
    letters = torch.randint(0, CODES, (n, MESSAGE), generator=g)
    return torch.cat([CODES + key, letters], 1), (letters + 1 + 2 * key) % CODES, None


def _series(length: int, g: torch.Generator) -> Tensor:
    """Temperature, humidity and pressure, hour by hour, (length, 3), as they are after a scaler."""
    hours = torch.arange(length)
    noise = torch.randn(length, 3, generator=g)
    slow: Any = torch.zeros(3)
    wander = []
    for row in noise.tolist():
        slow = [0.97 * a + 0.24 * b for a, b in zip(slow, row, strict=True)]
        wander.append(slow)
    walk = torch.tensor(wander)
    day = torch.sin(6.2832 * hours / 24)
    temperature = 1.1 * day + 0.6 * walk[:, 0] + 0.15 * torch.randn(length, generator=g)
    humidity = -0.8 * torch.sin(6.2832 * (hours - 3) / 24) + 0.6 * walk[:, 1]
    table = torch.stack([temperature, humidity, walk[:, 2]], 1)
    return (table - table.mean(0)) / table.std(0)


def _weather(n: int, g: torch.Generator, training: bool) -> Batch:
    """Windows that slide over one table, and the temperature some hours later."""
    table = _series(n + LOOKBACK + AHEAD, g)
    starts = torch.arange(n)[:, None]
    return table[starts + torch.arange(LOOKBACK)], table[torch.arange(n) + LOOKBACK + AHEAD - 1, :1], None


def _battery(n: int, g: torch.Generator, training: bool) -> Batch:
    """Current and warmth, minute by minute; what voltage is there, after all that was drawn and loaded?"""
    change = torch.rand(n, CYCLE, generator=g) < 0.25
    levels = torch.randn(n, CYCLE, generator=g)
    current = [levels[:, 0]]
    for t in range(1, CYCLE):
        current.append(torch.where(change[:, t], levels[:, t], current[-1]))
    amperes = torch.stack(current, 1)
    warmth = torch.randn(n, 1, generator=g).expand(-1, CYCLE)
    charge = torch.tanh(0.35 * amperes.cumsum(1))
    volts = 1.15 * charge + 0.3 * amperes + 0.2 * warmth
    x = torch.stack([amperes, warmth], -1) + 0.05 * torch.randn(n, CYCLE, 2, generator=g)
    return x, volts[..., None] / 1.12, None


def _drivers(n: int, g: torch.Generator, training: bool) -> Batch:
    """Acceleration forwards and sideways, and speed: braking and then off, the other way round, left or right first?"""
    kind = torch.randint(0, 4, (n,), generator=g)
    t = torch.arange(RIDE)
    one = torch.randint(2, 6, (n, 1), generator=g)
    two = one + torch.randint(5, 9, (n, 1), generator=g)
    size = 1.2 + 0.5 * torch.rand(n, 2, generator=g)
    pulse = size[:, :1] * torch.exp(-(((t - one) / 1.2) ** 2)) - size[:, 1:] * torch.exp(
        -(((t - two) / 1.2) ** 2)
    )
    event = pulse * torch.where(kind % 2 == 0, 1.0, -1.0)[:, None]
    forwards = torch.where(kind[:, None] < 2, event, 0.0)
    sideways = torch.where(kind[:, None] < 2, 0.0, event)
    speed = 0.3 * forwards.cumsum(1) + 0.5 * torch.randn(n, 1, generator=g)
    x = torch.stack([forwards, sideways, speed], -1) + 0.25 * torch.randn(n, RIDE, 3, generator=g)
    return x / torch.tensor([0.47, 0.47, 0.8]), kind, None


def _markers(n: int, g: torch.Generator, training: bool) -> Batch:
    """A row of symbols, one in a column each, in which X or Y stands at two places: in which order?"""
    x = torch.randint(0, 4, (n, MARKED), generator=g)
    first, second = (torch.randint(0, 2, (n,), generator=g) for _ in range(2))
    rows = torch.arange(n)
    x[rows, torch.randint(1, 4, (n,), generator=g)] = 4 + first
    x[rows, torch.randint(6, 9, (n,), generator=g)] = 4 + second
    return F.one_hot(x, 6).float(), 2 * first + second, None


_FOLLOWS = torch.stack(
    [torch.randperm(LETTERS, generator=torch.Generator().manual_seed(k)) for k in (5, 6, 7)]
)


def _tongues(n: int, g: torch.Generator, training: bool) -> Batch:
    """Ten letters of one of three languages, which differ in what letters follow each other."""
    kind = torch.randint(0, len(_FOLLOWS), (n,), generator=g)
    letters = [torch.randint(0, LETTERS, (n,), generator=g)]
    for _ in range(STRING - 1):
        usual = torch.rand(n, generator=g) < 0.6
        any_one = torch.randint(0, LETTERS, (n,), generator=g)
        letters.append(torch.where(usual, _FOLLOWS[kind, letters[-1]], any_one))
    return torch.stack(letters, 1), kind, None


@torch.no_grad()
def _next(model: torch.nn.Module, batch: Batch) -> float:
    """Share of the next characters that are right, beyond the most frequent one's."""
    x, y, _ = batch
    out = model(x)[0]
    if not out.isfinite().all():
        return 0.0
    base = float(y.flatten().bincount().max()) / y.numel()
    return (float((out.argmax(-1) == y).float().mean()) - base) / (1 - base)


TASKS = (
    Task("manual", EVERYDAY, texts.manual, len(texts.CHARACTERS), len(texts.CHARACTERS), 0.16, network="characters",
         embedding=24, measure=_next),
    Task("glossary", EVERYDAY, texts.glossary, texts.WORDS, texts.WORDS, 0.06, network="sentences", embedding=32),
    Task("complaints", EVERYDAY, _complaints, TICKET_WORDS, _TOPICS, 0.8, read="last", network="packed_texts",
         embedding=20, padded=True),
    Task("wordclasses", EVERYDAY, _wordclasses, 40, len(_TAGS), 0.97, network="bilstm_tagger", embedding=16,
         padded=True),
    Task("sorting", EVERYDAY, _sorting, DIGITS, DIGITS, 0.95, network="translator", embedding=16, cells=GATED),
    Task("cipher", EVERYDAY, _cipher, CODES + 2, CODES, 0.7, network="attention", embedding=16, cells=GATED),
    Task("weather", EVERYDAY, _weather, 3, 1, 0.82, tokens=False, read="last", classes=False, network="windows"),
    Task("battery", EVERYDAY, _battery, 2, 1, 0.95, tokens=False, classes=False, network="lstm_cells", lag=4),
    Task("drivers", EVERYDAY, _drivers, 3, 4, 0.9, tokens=False, read="last", network="many_to_one", lag=5),
    Task("markers", EVERYDAY, _markers, 6, 4, 0.9, tokens=False, read="last", network="by_hand", lag=6),
    Task("tongues", EVERYDAY, _tongues, LETTERS, 3, 0.82, read="last", network="both_ends", embedding=12),
)  # fmt: skip
