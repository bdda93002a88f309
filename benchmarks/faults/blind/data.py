"""Tasks of the blind part: what is drawn, and what is asked for."""

import torch

from ..task import GATED, Batch, Task

_MOTIFS = torch.tensor([[0, 2, 1, 3, 0], [3, 3, 0, 1, 2], [1, 0, 2, 2, 1]])
_CHORDS = torch.tensor([[0, 4, 7, 4], [7, 11, 14, 11], [9, 12, 16, 12], [5, 9, 12, 9]])
"""Four chords in turn, each broken into four notes of seventeen."""
_DICTIONARY = torch.tensor([3, 0, 5, 1, 4, 2, 8, 11, 6, 10, 7, 9])
"""The translation of each of six adjectives and six nouns."""
_FORMANTS = torch.tensor([[0.0, 5.0], [5.0, 0.0], [1.0, 1.0], [4.0, 2.0], [2.5, 5.0]])
"""In which of six bands a spoken digit begins and ends."""


def _motifs(n: int, g: torch.Generator, training: bool) -> Batch:
    """Eighteen bases: which of three motifs stands somewhere in them?"""
    x = torch.randint(0, 4, (n, 18), generator=g)
    y = torch.randint(0, 3, (n,), generator=g)
    places = torch.randint(0, 14, (n, 1), generator=g) + torch.arange(5)
    return x.scatter(1, places, _MOTIFS[y]), y, None


def _brackets(n: int, g: torch.Generator, training: bool) -> Batch:
    """Brackets among letters: how deep is each of sixteen places?"""
    x = torch.randint(2, 6, (n, 16), generator=g)
    kind = torch.rand(n, 16, generator=g)
    depth, depths = torch.zeros(n), []
    for t in range(16):
        opens, closes = kind[:, t] < 0.4, (kind[:, t] > 0.65) & (depth > 0)
        x[opens, t], x[closes, t] = 0, 1
        depth = depth + opens.float() - closes.float()
        depths.append(depth)
    return x, torch.stack(depths, 1)[..., None] / 2, None


def song(n: int, length: int, g: torch.Generator) -> torch.Tensor:
    """Melodies (n, length) that break four chords in turn, from anywhere on; one note in eight is another."""
    place = torch.randint(0, 16, (n, 1), generator=g) + torch.arange(length)
    notes = _CHORDS[place // 4 % 4, place % 4]
    other = torch.randint(0, 17, notes.shape, generator=g)
    return torch.where(torch.rand(notes.shape, generator=g) < 0.125, other, notes)


def _melody(n: int, g: torch.Generator, training: bool) -> Batch:
    """Fourteen notes, and at each the next."""
    notes = song(n, 15, g)
    return notes[:, :-1], notes[:, 1:], None


def _logs(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sessions of 6 to 18 events: in order, with an error (6) that no retry (7) follows, or with a deletion (8) by one
    who did not log in as administrator (2). 0 is padding."""  # fmt: skip
    y = torch.randint(0, 3, (n,), generator=g)
    lengths = torch.randint(6, 19, (n,), generator=g)
    row = torch.arange(n)
    x = torch.randint(3, 6, (n, 18), generator=g)
    administrator = (torch.rand(n, generator=g) < 0.5) & (y != 2)
    x[:, 0] = 1 + administrator.long()
    place = 1 + (torch.rand(n, generator=g) * (lengths - 4)).long()
    x[row, place] = torch.where((y == 1) | (torch.rand(n, generator=g) < 0.5), 6, 3)
    x[row, place + 1] = torch.where((x[row, place] == 6) & (y != 1), 7, 4)
    deletes = (y == 2) | (administrator & (torch.rand(n, generator=g) < 0.7))
    x[row, place + 2] = torch.where(deletes, 8, 5)
    x[torch.arange(18) >= lengths[:, None]] = 0
    return x, y, lengths


def _translate(n: int, g: torch.Generator, training: bool) -> Batch:
    """Three pairs of adjective and noun, to be written in another language with the noun first."""
    words = torch.stack(
        [torch.randint(0, 6, (n, 3), generator=g), torch.randint(6, 12, (n, 3), generator=g)], -1
    )
    return words.flatten(1), _DICTIONARY[words.flip(-1)].flatten(1), None


def _digits(n: int, g: torch.Generator, training: bool) -> Batch:
    """Six bands of a sound, 8 to 20 frames: which of five digits is spoken? The loud band moves."""
    y = torch.randint(0, 5, (n,), generator=g)
    lengths = torch.randint(8, 21, (n,), generator=g)
    t = torch.arange(20)
    way = (t / (lengths[:, None] - 1)).clamp(max=1)[..., None]
    begin, end = _FORMANTS[y].unsqueeze(1).unbind(-1)
    centre = begin[..., None] * (1 - way) + end[..., None] * way + 0.3 * torch.randn(n, 1, 1, generator=g)
    x = 2 * torch.exp(-((torch.arange(6) - centre) ** 2)) + 0.6 * torch.randn(n, 20, 6, generator=g) - 0.5
    x[t >= lengths[:, None]] = 0.0
    return x, y, lengths


def _sums(n: int, g: torch.Generator, training: bool) -> Batch:
    """Four digits with plus (10) and minus (11) between: a tenth of what comes out."""
    digits = torch.randint(0, 10, (n, 4), generator=g)
    signs = torch.randint(0, 2, (n, 3), generator=g)
    x = torch.empty(n, 7, dtype=torch.long)
    x[:, ::2], x[:, 1::2] = digits, 10 + signs
    total = digits[:, 0] + (digits[:, 1:] * (1 - 2 * signs)).sum(1)
    return x, total[:, None] / 10.0, None


def _agreement(n: int, g: torch.Generator, training: bool) -> Batch:
    """A subject, two phrases with nouns of either number, and the verb's place: is the subject a plural?"""
    x = torch.empty(n, 9, dtype=torch.long)
    x[:, 0] = torch.randint(8, 10, (n,), generator=g)
    x[:, [1, 4, 7]] = torch.randint(0, 8, (n, 3), generator=g)
    x[:, [2, 5]] = torch.randint(10, 14, (n, 2), generator=g)
    x[:, [3, 6]] = torch.randint(14, 18, (n, 2), generator=g)
    x[:, 8] = 18
    return x, (x[:, 1] >= 4).long(), None


TASKS = (
    Task("motifs", "blind", _motifs, 4, 3, 0.6, read="mean", network="pipeline", embedding=6, cells=GATED),
    Task("brackets", "blind", _brackets, 6, 1, 0.9, classes=False, network="pipeline", embedding=10),
    Task("melody", "blind", _melody, 17, 17, 0.75, network="loop", embedding=12),
    Task("logs", "blind", _logs, 9, 3, 0.75, read="last", network="packed", embedding=14, padded=True),
    Task("translate", "blind", _translate, 13, 12, 0.9, network="translator", embedding=20),
    Task("digits", "blind", _digits, 6, 5, 0.8, tokens=False, read="last", network="packed", padded=True),
    Task("sums", "blind", _sums, 12, 1, 0.85, read="last", classes=False, network="pipeline", embedding=12),
    Task(
        "agreement", "blind", _agreement, 19, 1, 0.9, read="last", network="pipeline", embedding=8, lag=7,
        binary=True,
    ),
)  # fmt: skip
