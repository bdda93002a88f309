"""Tasks of the workshop's part: what is drawn, and what is asked for."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..task import GATED, WORKSHOP, Batch, Task

COUPON, EXPIRED = 4, 5
"""With which a visit may begin; 0 is padding."""
DELAY = 3
"""Steps that what flows into a pipe takes to its end."""
PLANS = 4
WINDOW = 12
"""Readings of what is cut out of a series."""


def _int(g: torch.Generator, low: int, high: int, *shape: int) -> Tensor:
    return torch.randint(low, high, shape, generator=g)


def _clicks(n: int, g: torch.Generator, training: bool) -> Batch:
    """Pages of a visit. Asked for: whether it began with a coupon that holds, or with one that has run out."""
    x, lengths = _int(g, 6, 10, n, 10), _int(g, 7, 11, n)
    y, rows = _int(g, 0, 2, n), torch.arange(n)
    x[rows, _int(g, 0, 2, n)] = torch.where(y == 1, COUPON, EXPIRED)
    x[torch.arange(10) >= lengths[:, None]] = 0
    return x, y, lengths


def _tickets(n: int, g: torch.Generator, training: bool) -> Batch:
    """Words of a ticket: three of its queue, one of another, after a word that says so ("not"), and many more."""
    lengths, y = _int(g, 7, 17, n), _int(g, 0, 4, n)
    x = torch.zeros(n, 16, dtype=torch.long)
    for row, (length, queue) in enumerate(zip(lengths.tolist(), y.tolist(), strict=True)):
        words = _int(g, 20, 44, length)
        places = torch.randperm(length - 1, generator=g) + 1
        words[places[:2]] = 4 * queue + 2 + _int(g, 0, 4, 2)
        other = (queue + int(_int(g, 1, 4, 1))) % 4
        words[places[2]] = 4 * other + 2 + _int(g, 0, 4, 1)[0]
        words[places[2] - 1] = 19
        x[row, :length] = words
    return x, y, lengths


def _meters(n: int, g: torch.Generator, training: bool) -> Batch:
    """Load with a shape of the day, temperature, and whether it is a day of work. Asked for: the next load."""
    hours = torch.arange(WINDOW + 1) + _int(g, 0, 8, n, 1)
    level, warm = 0.4 * torch.randn(n, 1, generator=g), torch.randn(n, 1, generator=g)
    work = _int(g, 0, 2, n, 1).float()
    noise = 0.2 * torch.randn(n, WINDOW + 1, generator=g)
    load = level + (0.5 + work) * torch.sin(hours * torch.pi / 4) - 0.3 * warm + noise
    temperature = warm + 0.2 * torch.randn(n, WINDOW + 1, generator=g)
    x = torch.stack([load, temperature, work.expand_as(load)], 2)[:, :WINDOW]
    return x, load[:, -1:] / 0.95, None


def _demand(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sales, prices, promotions. Asked for: the next sales, and how sure one may be."""
    price, promo = torch.randn(n, 10, generator=g), (torch.rand(n, 10, generator=g) < 0.4).float()
    sold = torch.zeros(n, 11)
    for week in range(10):
        pulled = promo[:, week] - (promo[:, week - 2] if week > 1 else 0.4)
        shock = torch.randn(n, generator=g) * (0.15 + 0.3 * promo[:, week])
        sold[:, week + 1] = 0.6 * sold[:, week] - 0.5 * price[:, week] + 0.9 * pulled + shock
    return torch.stack([sold[:, :10], price, promo], 2), sold[:, 10:] / 0.97, None


def _bearings(n: int, g: torch.Generator, training: bool) -> Batch:
    """Vibration in two axes: sound, out of balance, or knocking at one of two rates."""
    y, time = _int(g, 0, 4, n), torch.arange(20)
    phase, start = 6.3 * torch.rand(n, 1, generator=g), _int(g, 0, 6, n, 1)
    swing = torch.where(y == 1, 1.4, 0.5)[:, None] * torch.sin(time * 0.9 + phase)
    rate = torch.where(y == 2, 6, 3)[:, None]
    knock = (((time + start) % rate == 0) & (y[:, None] > 1)).float() * 1.5
    x = torch.stack([swing + 0.4 * knock, 0.5 * swing + knock], 2)
    return x + 0.25 * torch.randn(x.shape, generator=g), y, None


def _invoices(n: int, g: torch.Generator, training: bool) -> Batch:
    """Pieces of text. Asked for: which are a number (after a word), a date (likewise), an amount (before one)."""
    x, y = torch.zeros(n, 16, dtype=torch.long), torch.zeros(n, 16, dtype=torch.long)
    for row in range(n):
        words: list[int] = []
        fields: list[int] = []
        while len(words) < 14:
            kind, figures = int(_int(g, 0, 5, 1)), int(_int(g, 4, 10, 1))
            if kind == 0:
                words, fields = [*words, 1, figures], [*fields, 0, 1]
            elif kind == 1:
                words, fields = [*words, 2, 12, figures], [*fields, 0, 0, 2]
            elif kind < 4:
                words, fields = [*words, figures, 3], [*fields, 3, 0]
            else:
                words, fields = [*words, figures if figures > 7 else 10 + figures], [*fields, 0]
        x[row], y[row] = torch.tensor((words + [11] * 2)[:16]), torch.tensor((fields + [0] * 2)[:16])
    return x, y, None


def _loglines(n: int, g: torch.Generator, training: bool) -> Batch:
    """A log: a job of a worker starts, steps follow, it ends or fails. Windows of it, one after the other."""
    written: list[int] = []
    while len(written) <= 16 * n:
        worker, job, failed = (int(_int(g, 0, top, 1)) for top in (5, 4, 5))
        steps = [10 + job, 14 + job, 10 + job, 14 + (job + 1) % 4][: 2 + 2 * (job % 2)]
        written += [0, 1 + worker, 6 + job, *steps, 18 + (failed == 0), 1 + worker, 20]
    text = torch.tensor(written[: 16 * n + 1])
    return text[:-1].view(n, 16), text[1:].view(n, 16), None


def _alarms(n: int, g: torch.Generator, training: bool) -> Batch:
    """What flows into a pipe, out of it, and a pressure. Asked for at each step: whether less comes out."""
    x = torch.randn(n, 14, 3, generator=g)
    arrives = F.pad(x[:, :-DELAY, 0], (DELAY, 0))
    return x, (arrives - 0.7 * x[..., 1] > 0).long(), None


def _queues(n: int, g: torch.Generator, training: bool) -> Batch:
    """Who came and who could be served. Asked for at each step: how many wait."""
    came, served = torch.rand(n, 16, generator=g), torch.rand(n, 16, generator=g)
    waiting, lengths = torch.zeros(n), []
    for t in range(16):
        waiting = (waiting + came[:, t] - served[:, t]).clamp_min(0)
        lengths.append(waiting)
    x = torch.stack([came, served], 2) * 3.5 - 1.75
    return x, (torch.stack(lengths, 1)[..., None] - 0.78) / 0.69, None


def _churn(n: int, g: torch.Generator, training: bool) -> Batch:
    """By month: use, complaints, delays of payment; and the plan. Asked for: whether the customer leaves."""
    plan, x = _int(g, 0, PLANS, n), torch.randn(n, 10, 3, generator=g)
    trend = torch.randn(n, 1, generator=g)
    x[..., 0] = 0.5 * x[..., 0] - trend * torch.linspace(-1, 1, 10)
    anger = x[..., 1].mean(1) * 2.5
    risk = trend[:, 0] + torch.where(plan < 2, anger, -0.5 * anger)
    last = plan.float()[:, None, None].expand(-1, 10, 1)
    return torch.cat([x, last], 2), (risk > 0).long(), None


def _translit(n: int, g: torch.Generator, training: bool) -> Batch:
    """Letters of one script. Asked for: those of another; some hang on the letter before, or after a silent one."""
    x = _int(g, 0, 12, n, 7)
    before = F.pad(x, (1, 0), value=0)[:, :7]
    y = (5 * x + 3) % 12
    y = torch.where(before < 3, (y + 6) % 12, y)
    silent = (x == 5) & (before == 7)
    return x, torch.where(silent, 12, y), None


def _dispatch(n: int, g: torch.Generator, training: bool) -> Batch:
    """Reports as codes: what happened, where, how many are hurt. Asked for: how urgent it is."""
    x = _int(g, 6, 24, n, 12)
    places = torch.stack([torch.randperm(11, generator=g)[:2] for _ in range(n)]).sort(1).values
    first, second = _int(g, 0, 3, n), _int(g, 3, 6, n)
    rows = torch.arange(n)
    x[rows, places[:, 0]], x[rows, places[:, 1]] = first, second
    return x, (first + second) % 3, None


def chances_or_scores(model: nn.Module, batch: Batch) -> float:
    """The share that was learned of yes or no, whether the network says chances or scores."""
    x, y, lengths = batch
    with torch.no_grad():
        made: Any = model(x, lengths)
    out = made.reshape(-1)
    if not out.isfinite().all():
        return 0.0
    # Somebody whose network ends in a sigmoid asks for a half.
    limit = 0.5 if bool((out >= 0).all() and (out <= 1).all()) else 0.0
    right = y.reshape(-1)
    base = float(right.bincount().max()) / len(right)
    return (float(((out > limit).long() == right).float().mean()) - base) / (1 - base)


_YES: dict[str, Any] = {"measure": chances_or_scores, "binary": True}
TASKS = (
    Task("clicks", WORKSHOP, _clicks, 10, 1, 0.85, read="last", network="texts", padded=True, **_YES),
    Task("tickets", WORKSHOP, _tickets, 44, 4, 0.8, read="mean", network="texts", padded=True),
    Task("meters", WORKSHOP, _meters, 3, 1, 0.9, tokens=False, read="last", classes=False, network="windows"),
    Task(
        "demand", WORKSHOP, _demand, 3, 1, 0.75, tokens=False, read="last", classes=False, network="windows"
    ),
    Task("bearings", WORKSHOP, _bearings, 2, 4, 0.8, tokens=False, read="last", network="windows"),
    Task("invoices", WORKSHOP, _invoices, 20, 4, 0.96, network="tagger"),
    Task("loglines", WORKSHOP, _loglines, 21, 21, 0.64, network="stream"),
    Task("alarms", WORKSHOP, _alarms, 3, 1, 0.62, tokens=False, network="stepped", **_YES),
    Task("queues", WORKSHOP, _queues, 2, 1, 0.85, tokens=False, classes=False, network="stepped"),
    Task("churn", WORKSHOP, _churn, 4, 1, 0.6, tokens=False, read="last", network="scratch", **_YES),
    Task("translit", WORKSHOP, _translit, 12, 13, 0.75, network="translator"),
    Task("dispatch", WORKSHOP, _dispatch, 24, 3, 0.7, read="max", network="heads", cells=GATED),
)
