"""Tasks of the studies' part: what is drawn, and what is asked for. Names are those of HTML's characters."""

from functools import cache
from html.entities import html5
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..task import GATED, STUDIES, Batch, Task
from . import corpora

INTENTS, SLOTS = 4, 4
"""Intents of an utterance, and kinds of its slots: none, from, to, time."""
LONGEST = 10
"""Words of an utterance: 0 is padding, 1 what no vocabulary knows."""
_VERBS, _FROM, _TO, _AT = range(2, 14), 14, 15, 16
_CITIES, _TIMES, _FILLERS = range(17, 25), range(25, 31), range(31, 42)
NAME = 9
"""Letters of a name that are read; 0 begins and ends it."""
BASES = 14
_DONOR, _ACCEPTOR = (2, 2, 3, 0, 2), (3, 1, 0, 2, 2)
"""What stands around a splice site, as A, C, G, T."""
HOURS = 10
READINGS = 12
_FAULTS = 5
"""A sensor that is right, is stuck, drifts, jumps, or loses single readings."""
STEPS = 5
"""Of a calculation, with its end."""


def _slots(n: int, g: torch.Generator, training: bool) -> Batch:
    """4 to 10 words: what is wanted, and which of them say from where, to where, when. Targets: (B, 1 + T)."""
    lengths = torch.randint(4, LONGEST + 1, (n,), generator=g)
    x, y = torch.zeros(n, LONGEST, dtype=torch.long), torch.full((n, 1 + LONGEST), -100)
    for row, length in enumerate(lengths.tolist()):
        words, slots = _utterance(length, g)
        intent = _pick(range(INTENTS), g)
        at = _pick([i for i, slot in enumerate(slots) if slot < 0], g)
        words[at] = _VERBS[3 * intent + _pick(range(3), g)]
        x[row, :length] = torch.tensor(words)
        y[row, 0] = intent
        y[row, 1 : 1 + length] = torch.tensor(slots).clamp_min(0)
    return x, y, lengths


def _utterance(length: int, g: torch.Generator) -> tuple[list[int], list[int]]:
    """Words and slots; -1 where a verb may stand instead."""
    words, slots = [_pick(_FILLERS, g)], [-1]
    while len(words) < length:
        kind = _pick((_FROM, _TO, _AT, 0), g)
        if kind == 0 or len(words) + 2 > length:
            # A city or a time that nothing is said of fills no slot.
            words.append(_pick(_CITIES if _pick(range(2), g) else _FILLERS, g))
            slots.append(0)
            continue
        words += [kind, _pick(_TIMES if kind == _AT else _CITIES, g)]
        slots += [0, 1 + (_FROM, _TO, _AT).index(kind)]
    return words, slots


def _pick(of: Any, g: torch.Generator) -> int:
    return int(of[int(torch.randint(0, len(of), (), generator=g))])


def _turbine(n: int, g: torch.Generator, training: bool) -> Batch:
    """Twelve readings of four sensors that follow one load: what is wrong with the first of them, if anything?"""
    kind = torch.randint(0, _FAULTS, (n,), generator=g)
    t, rows = torch.arange(READINGS), torch.arange(n)
    phase, speed = 6.2832 * torch.rand(n, 1, generator=g), 0.5 + 0.4 * torch.rand(n, 1, generator=g)
    load = torch.sin(speed * t + phase)
    x = load[..., None] + 0.25 * torch.randn(n, READINGS, 4, generator=g)
    begin = torch.randint(2, 6, (n,), generator=g)
    since = (t - begin[:, None]).clamp_min(0).float()
    first = x[:, :, 0]
    stuck = torch.where(since > 0, first[rows, begin][:, None], first)
    lost = torch.where(torch.rand(n, READINGS, generator=g) < 0.35, -2.0, first)
    changed = torch.stack([first, stuck, first + 0.35 * since, first + 1.6 * (since > 0), lost])
    x[:, :, 0] = changed[kind, rows]
    return x / 0.85, kind, None


@cache
def _names(training: bool) -> Tensor:
    """Shapes: -> (N, NAME + 1); every sixth is kept to validate."""
    names = sorted({name.rstrip(";").lower() for name in html5 if name.rstrip(";").isalpha()})
    names = [name for name in names if 4 <= len(name) < NAME + 2]
    rows = []
    for index, name in enumerate(names):
        if (index % 6 == 0) is not training:
            letters = [0, *(ord(c) - 96 for c in name), 0]
            rows.append((letters + [-100] * NAME)[: NAME + 1])
    return torch.tensor(rows)


def _naming(n: int, g: torch.Generator, training: bool) -> Batch:
    """Letters of a name, and after each the next; where it has ended, none is asked for."""
    names = _names(training)
    rows = names[torch.randint(0, len(names), (n,), generator=g)]
    return rows[:, :-1].clamp_min(0), rows[:, 1:], None


def _splice(n: int, g: torch.Generator, training: bool) -> Batch:
    """Fourteen bases, one in a column each: is there a donor site, an acceptor site, or neither?"""
    kind = torch.randint(0, 3, (n,), generator=g)
    bases = torch.randint(0, 4, (n, BASES), generator=g)
    for row, (site, at) in enumerate(
        zip(kind.tolist(), torch.randint(1, BASES - 6, (n,), generator=g).tolist(), strict=True)
    ):
        if site:
            bases[row, at : at + 5] = torch.tensor(_DONOR if site == 1 else _ACCEPTOR)
    return (F.one_hot(bases, 4) - 0.25) / 0.43, kind, None


def _bikes(n: int, g: torch.Generator, training: bool) -> Batch:
    """Ten hours of rented bikes, the warmth, the hour and whether people work: how many in the hour that follows?"""
    hour = torch.randint(0, 24, (n, 1), generator=g) + torch.arange(HOURS + 1)
    works = torch.randint(0, 2, (n, 1), generator=g).float()
    angle = 6.2832 * hour / 24
    commuting = torch.cos(2 * angle - 1.0) * works - torch.cos(angle - 0.5) * (1.2 - works)
    warmth = torch.randn(n, 1, generator=g).expand(-1, HOURS + 1)
    level = 0.5 * torch.randn(n, 1, generator=g)
    noise = torch.zeros(n, HOURS + 1)
    for t in range(1, HOURS + 1):
        noise[:, t] = 0.7 * noise[:, t - 1] + 0.15 * torch.randn(n, generator=g)
    rented = commuting * (1 + 0.3 * warmth) + level + 0.3 * warmth + noise
    calendar = [torch.sin(angle), torch.cos(angle), works.expand_as(rented) - 0.5]
    x = torch.stack([rented / 1.05, warmth, *calendar], -1)[:, :HOURS]
    return x, rented[:, HOURS:] / 1.05, None


def _calculator(n: int, g: torch.Generator, training: bool) -> Batch:
    """Numbers to be added or taken off: what is left after each of them, no less than 0 and no more than 6.

    0 and 1 stand for -1 and -2, 2 and 3 for 1 and 2; 4 ends it.
    """
    steps = torch.randint(0, 4, (n, STEPS - 1), generator=g)
    left, results = torch.full((n,), 3), []
    for change in torch.tensor([-1, -2, 1, 2])[steps].unbind(1):
        left = (left + change).clamp(0, 6)
        results.append(left)
    return torch.cat([steps, torch.full((n, 1), 4)], 1), torch.stack(results, 1), None


@torch.no_grad()
def _understood(model: Any, batch: Batch) -> float:
    """The mean of what is right of intents and of slots, each beyond the most frequent answer."""
    x, y, lengths = batch
    slots, intents = model(x, lengths)
    if not (slots.isfinite().all() and intents.isfinite().all()):
        return 0.0
    there = y[:, 1:] >= 0
    parts = (intents.argmax(-1), y[:, 0]), (slots.argmax(-1)[there], y[:, 1:][there])
    return sum(_beyond(answer, right) for answer, right in parts) / 2


def _beyond(answer: Tensor, right: Tensor) -> float:
    base = float(right.bincount().max()) / len(right)
    return (float((answer == right).float().mean()) - base) / (1 - base)


TASKS = (
    Task(
        "slots", STUDIES, _slots, 42, SLOTS, 0.985, network="two_heads", embedding=16, padded=True, measure=_understood
    ),
    Task("turbine", STUDIES, _turbine, 4, _FAULTS, 0.7, tokens=False, read="last", network="front"),
    Task("naming", STUDIES, _naming, 27, 27, 0.12, network="speller", embedding=14),
    Task("splice", STUDIES, _splice, 4, 3, 0.75, tokens=False, read="last", network="both_ways"),
    Task("bikes", STUDIES, _bikes, 5, 1, 0.9, tokens=False, read="last", classes=False, network="forecaster"),
    Task("calculator", STUDIES, _calculator, 5, 7, 0.75, network="translator", embedding=16, cells=GATED),
    *corpora.TASKS,
)  # fmt: skip
