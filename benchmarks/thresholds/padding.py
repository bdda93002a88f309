"""What padding that the last state has run over costs, held against the same network with packed sequences.

Command: python benchmarks/thresholds/padding.py (some six minutes on one core). The task: tokens of which some speak
for, some against; the answer is which are more, read from the last state. Every sequence of T steps ends in n steps of
padding, between n/2 and 3n/2 by the row; the run log counts what lies beyond the padding that all rows share, about
n/2. One network reads the state at the last index, as a zero vector or as an
embedded padding token has left it; its twin packs its sequences. Printed are, after 300 updates of Adam at 3e-3, the
errors on 1024 fresh sequences of both, and the harm: by how much the error lies above the twin's, in units of what the
twin's lies below chance. The thresholds of RD406 on the share of padding are read from this table.
"""

from itertools import product
from statistics import mean

import torch
from tasks import CELLS
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

BATCH, UPDATES, HIDDEN, WORDS, SEEDS = 32, 300, 32, 20, (0, 1)
SHARES = {40: (1, 2, 4, 8, 16, 24, 32), 12: (1, 2, 4, 8)}
"""Steps of padding by the length of the sequences."""


def batch(time: int, padding: int, n: int, g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, 0 where padded, their lengths, and the answers. Shapes: (n, T), (n), (n)."""
    x = torch.randint(1, WORDS + 1, (n, time), generator=g)
    least, most = max(1, padding // 2), min(time - 2, padding + padding // 2)
    lengths = time - torch.randint(least, most + 1, (n,), generator=g)
    x[torch.arange(time) >= lengths.unsqueeze(1)] = 0
    votes = ((x > 0) & (x <= 5)).sum(1) - ((x > 5) & (x <= 10)).sum(1)
    return x, lengths, (votes > 0).long()


class Net(nn.Module):
    """Embedding, one recurrent layer, a head on its last state."""

    def __init__(self, cell: str, packed: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(WORDS + 1, 16)
        self.rnn = CELLS[cell](16, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 2)
        self.packed = packed

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Logits. Shapes: (n, T), (n) -> (n, 2)."""
        given = self.embed(x)
        if not self.packed:
            answer: Tensor = self.head(self.rnn(given)[0][:, -1])
            return answer
        state = self.rnn(pack_padded_sequence(given, lengths, True, False))[1]
        answer = self.head((state[0] if isinstance(state, tuple) else state)[-1])
        return answer


def error(cell: str, time: int, padding: int, packed: bool, seed: int) -> float:
    """Share of fresh sequences that are told wrongly after the training."""
    torch.manual_seed(seed)
    data = torch.Generator().manual_seed(seed + 1)
    net = Net(cell, packed)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(UPDATES):
        x, lengths, y = batch(time, padding, BATCH, data)
        loss = F.cross_entropy(net(x, lengths), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    x, lengths, y = batch(time, padding, 1024, data)
    with torch.no_grad():
        return float((net(x, lengths).argmax(1) != y).float().mean())


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for time, cell in product(SHARES, CELLS):
        for padding in SHARES[time]:
            plain, packed = (mean(error(cell, time, padding, p, s) for s in SEEDS) for p in (False, True))
            harm = (plain - packed) / max(0.02, 0.5 - packed)
            print(
                f"{cell:4s} {padding:2d} of {time} steps ({padding / time:4.0%}): error {plain:.3f}, "
                f"packed {packed:.3f}, harm {harm:+.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
