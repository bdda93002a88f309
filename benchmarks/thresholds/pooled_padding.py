"""What a maximum or a mean costs that takes in padding, and how much of it stands there.

Command: python benchmarks/thresholds/pooled_padding.py (some twenty minutes on one core; names of tasks and cells
choose some of them). Two of the tasks of padding_left.py, read by both directions of one layer over all steps,
padding and all, and over the steps of each sequence alone, by Adam at 3e-3 and batches of 32. Printed are, by cell and
by how far the lengths differ: the share of what is pooled that the padding gives at update 50 (`pooled_share` of the
sensor), the errors of both on 512 fresh sequences after 280 to 300 updates, harm and delay as padding_left.py tells
them. One seed. The thresholds of RD422 are read from this table.
"""

import sys
from itertools import product
from statistics import mean

import torch
from padding_left import (
    BATCH,
    EVERY,
    HIDDEN,
    LOOK,
    TOKENS,
    UPDATES,
    Kind,
    Sizes,
    delay,
    drawn,
    means,
    texts,
)
from tasks import CELLS
from torch import Tensor, nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.sensors.padded import padding_of
from rnn_doctor.capture.probe.sensors.padding import pooled_over
from rnn_doctor.capture.probe.sensors.pooling import Pooling

KINDS: tuple[tuple[Kind, int, float], ...] = ((texts, 3, 2 / 3), (means, 3, 2 / 3))
LENGTHS: tuple[Sizes, ...] = ((20, 10, 20), (20, 4, 20), (40, 10, 20), (60, 10, 20))
"""The last two as where all are padded to a fixed length."""


class Net(nn.Module):
    """Embedding of tokens, one recurrent layer in both directions, a head on its steps taken together."""

    def __init__(self, cell: str, tokens: bool, classes: int, pooling: str, masked: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(TOKENS, 16) if tokens else None
        self.rnn = CELLS[cell](16 if tokens else 3, HIDDEN, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * HIDDEN, classes)
        self.pooling, self.masked = pooling, masked
        self.looks = False
        self.look: tuple[Tensor, Pooling] | None = None

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Logits. Shapes: (n, T) or (n, T, F), (n) -> (n, C)."""
        given = x if self.embed is None else self.embed(x)
        out, last = self.rnn(given)
        if self.looks:
            reading = Pooling(self.rnn, (out, last))
            reading.watch((out, last))
            self.look = given, reading
        beyond = (torch.arange(out.shape[1]) >= lengths[:, None])[..., None]
        if self.pooling == "maximum":
            pooled = (out.masked_fill(beyond, -torch.inf) if self.masked else out).amax(1)
        elif self.masked:
            pooled = out.masked_fill(beyond, 0.0).sum(1) / lengths[:, None]
        else:
            pooled = out.mean(1)
        answer: Tensor = self.head(pooled)
        return answer


def trained(
    kind: Kind, classes: int, cell: str, sizes: Sizes, pooling: str, masked: bool, seed: int
) -> tuple[list[float], float]:
    """The errors on fresh sequences at every EVERY-th update, and the share that stood in padding at LOOK."""
    torch.manual_seed(seed)
    data, fresh = torch.Generator().manual_seed(seed + 1), torch.Generator().manual_seed(99)
    tx, tl, ty = drawn(kind, 512, sizes, fresh)
    net = Net(cell, tx.dim() == 2, classes, pooling, masked)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    errors, share = [], float("nan")
    for update in range(1, UPDATES + 1):
        x, lengths, y = drawn(kind, BATCH, sizes, data)
        net.looks = update == LOOK
        loss = F.cross_entropy(net(x, lengths), y)
        optimizer.zero_grad()
        loss.backward()
        if net.look is not None:
            given, reading = net.look
            padded, net.look = padding_of(given, True), None
            over = None if padded is None else pooled_over(padded, reading)
            share = float("nan") if over is None else reading.taken_beyond(over) or 0.0
        optimizer.step()
        if update % EVERY == 0:
            net.looks = False
            with torch.no_grad():
                errors.append(float((net(tx, tl).argmax(1) != ty).float().mean()))
    return errors, share


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    chosen = set(sys.argv[1:])
    for (kind, classes, chance), cell, sizes, pooling in product(KINDS, CELLS, LENGTHS, ("maximum", "mean")):
        if (chosen and not {cell, kind.__name__} <= chosen) or (pooling, sizes[0] > sizes[2]) == (
            "maximum",
            True,
        ):
            continue
        runs = [[trained(kind, classes, cell, sizes, pooling, m, s) for m in (False, True)] for s in (0,)]
        share = mean(plain[1] for plain, _ in runs)
        ends = [mean(mean(run[k][0][-3:]) for run in runs) for k in (0, 1)]
        late = mean(delay(plain[0], masked[0], chance) for plain, masked in runs)
        harm = (ends[0] - ends[1]) / max(0.02, chance - ends[1])
        print(
            f"{kind.__name__:6} {cell:4} {pooling:7} lengths {sizes[1]:2d} to {sizes[2]:2d} of {sizes[0]}: share "
            f"{share:.2f}, error {ends[0]:.3f}, masked {ends[1]:.3f}, harm {harm:+.2f}, delay {late:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
