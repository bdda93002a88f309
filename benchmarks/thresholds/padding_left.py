"""Whether a state that padding has run over still holds its sequence, and what it costs where it does not.

Command: python benchmarks/thresholds/padding_left.py (some twelve minutes on one core, and eight more for `short`;
names of tasks and cells choose some of them). Long padding is read by gated cells, `short` that of at most six steps by
all. Four tasks of padded sequences, each trained with the state read at the last index and packed, by Adam at
3e-3 and batches of 32: which text a piece is of; which mean noise has; which scale it has; whether more symbols speak
for than against. Printed are, by cell and by how far the lengths differ: `state_left` of the sensor at update 50 with
the padding read; the errors of both on 512 fresh sequences after 280 to 300 updates; the harm, by how much the error
lies above the packed twin's in units of what the twin's lies below chance; and the delay, how many times as many
updates as the twin it took to come half as far below chance as the twin came, 9 where it never did. Means of two seeds.
The threshold of RD406 on what is left is read from this table.
"""

import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import product
from pathlib import Path
from pydoc_data.topics import topics
from statistics import mean

import torch
from tasks import CELLS
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from rnn_doctor.capture.probe.sensors.padded import padding_of
from rnn_doctor.capture.probe.sensors.padding import state_left

BATCH, UPDATES, HIDDEN, TOKENS, SEEDS, LOOK, EVERY = 32, 300, 32, 45, (0, 1), 50, 10
Sizes = tuple[int, int, int]
"""T, and the least and greatest length."""
LONG: tuple[Sizes, ...] = ((30, 24, 30), (30, 15, 30), (30, 5, 30), (60, 15, 60))
SHORT: tuple[Sizes, ...] = ((12, 8, 12), (12, 4, 12), (18, 6, 18), (30, 22, 30))
"""At most six steps of padding on average, beyond what all rows share."""

Drawn = tuple[Tensor, Tensor, Tensor]
"""Tokens (n, T), 0 where padded, or numbers (n, T, F), 0.0 there; lengths (n); classes (n)."""


@cache
def sources() -> list[Tensor]:
    """Three texts that ship with Python, as numbers of their characters."""
    read = [
        Path(str(import_module(m).__file__)).read_text(encoding="utf-8")
        for m in ("argparse", "html.entities")
    ]
    three = ["\n".join(topics[name] for name in sorted(topics))[:200_000], *read]
    common = [c for c, _ in Counter("".join(three).lower()).most_common(TOKENS - 2)]
    return [torch.tensor([common.index(c) + 2 if c in common else 1 for c in text.lower()]) for text in three]


def texts(n: int, lengths: Tensor, time: int, g: torch.Generator) -> Drawn:
    """Which of three texts a piece is of."""
    y = torch.randint(0, 3, (n,), generator=g)
    starts = [int(torch.randint(0, len(sources()[k]) - time, (), generator=g)) for k in y.tolist()]
    x = torch.stack([sources()[k][s : s + time] for k, s in zip(y.tolist(), starts, strict=True)])
    return x, lengths, y


def means(n: int, lengths: Tensor, time: int, g: torch.Generator) -> Drawn:
    """Which of three means noise has."""
    y = torch.randint(0, 3, (n,), generator=g)
    return 0.4 * F.one_hot(y, 3)[:, None] + torch.randn(n, time, 3, generator=g), lengths, y


def spread(n: int, lengths: Tensor, time: int, g: torch.Generator) -> Drawn:
    """Which of three scales noise has."""
    y = torch.randint(0, 3, (n,), generator=g)
    return torch.randn(n, time, 3, generator=g) * torch.tensor([0.4, 0.8, 1.6])[y][:, None, None], lengths, y


def votes(n: int, lengths: Tensor, time: int, g: torch.Generator) -> Drawn:
    """Whether more symbols speak for than against."""
    x = torch.randint(1, 21, (n, time), generator=g)
    valid = torch.arange(time) < lengths[:, None]
    told = ((x <= 5) & valid).sum(1) - ((x > 5) & (x <= 10) & valid).sum(1)
    return x, lengths, (told > 0).long()


Kind = Callable[[int, Tensor, int, torch.Generator], Drawn]
KINDS: tuple[tuple[Kind, int, float], ...] = (
    (texts, 3, 2 / 3),
    (means, 3, 2 / 3),
    (spread, 3, 2 / 3),
    (votes, 2, 0.5),
)
"""The task, its classes, and the error of chance."""


def drawn(kind: Kind, n: int, sizes: Sizes, g: torch.Generator) -> Drawn:
    """A batch with its padding."""
    time, least, most = sizes
    lengths = torch.randint(least, most + 1, (n,), generator=g)
    x, lengths, y = kind(n, lengths, time, g)
    x[torch.arange(time) >= lengths[:, None]] = 0
    return x, lengths, y


class Net(nn.Module):
    """Embedding of tokens, one recurrent layer, a head on its last state."""

    def __init__(self, cell: str, tokens: bool, classes: int, packed: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(TOKENS, 16) if tokens else None
        self.rnn = CELLS[cell](16 if tokens else 3, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, classes)
        self.packed = packed
        self.left: float | None = None
        self.looks = False

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Logits. Shapes: (n, T) or (n, T, F), (n) -> (n, C)."""
        given = x if self.embed is None else self.embed(x)
        if self.packed:
            state = self.rnn(pack_padded_sequence(given, lengths, True, False))[1]
            answer: Tensor = self.head((state[0] if isinstance(state, tuple) else state)[-1])
            return answer
        out = self.rnn(given)[0]
        if self.looks:
            padded = padding_of(given, True)
            self.left = None if padded is None else state_left(padded, self.rnn, out)
        answer = self.head(out[:, -1])
        return answer


@cache
def trained(
    kind: Kind, classes: int, cell: str, sizes: Sizes, packed: bool, seed: int
) -> tuple[list[float], float]:
    """The errors on fresh sequences at every EVERY-th update, and what was left of the state at LOOK."""
    torch.manual_seed(seed)
    data, fresh = torch.Generator().manual_seed(seed + 1), torch.Generator().manual_seed(99)
    tx, tl, ty = drawn(kind, 512, sizes, fresh)
    net = Net(cell, tx.dim() == 2, classes, packed)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    errors = []
    for update in range(1, UPDATES + 1):
        x, lengths, y = drawn(kind, BATCH, sizes, data)
        net.looks = update == LOOK
        loss = F.cross_entropy(net(x, lengths), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update % EVERY == 0:
            net.looks = False
            with torch.no_grad():
                errors.append(float((net(tx, tl).argmax(1) != ty).float().mean()))
    return errors, net.left if net.left is not None else float("nan")


def delay(plain: list[float], packed: list[float], chance: float) -> float:
    """How many times as many updates it takes to come half as far as the twin came."""
    goal = chance - 0.5 * (chance - min(packed))
    reached = [next((k for k, e in enumerate(curve, 1) if e <= goal), None) for curve in (plain, packed)]
    if reached[1] is None:
        return 1.0
    return 9.0 if reached[0] is None else reached[0] / reached[1]


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    chosen = set(sys.argv[1:]) - {"short"}
    short = "short" in sys.argv[1:]
    cells, lengths = (tuple(CELLS), SHORT) if short else (("LSTM", "GRU"), LONG)
    for (kind, classes, chance), cell, sizes in product(KINDS, cells, lengths):
        if chosen and not {cell, kind.__name__} <= chosen:
            continue
        runs = [[trained(kind, classes, cell, sizes, p, s) for p in (False, True)] for s in SEEDS]
        left = mean(plain[1] for plain, _ in runs)
        ends = [mean(mean(run[k][0][-3:]) for run in runs) for k in (0, 1)]
        late = mean(delay(plain[0], packed[0], chance) for plain, packed in runs)
        harm = (ends[0] - ends[1]) / max(0.02, chance - ends[1])
        print(
            f"{kind.__name__:6} {cell:4} lengths {sizes[1]:2d} to {sizes[2]:2d} of {sizes[0]}: left {left:.2f}, "
            f"error {ends[0]:.3f}, packed {ends[1]:.3f}, harm {harm:+.2f}, delay {late:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
