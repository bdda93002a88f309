"""What labels in order cost a classifier, held against the same samples in random order.

Command: python benchmarks/thresholds/order.py (two minutes on an idle core). The task: which of four means the noise
of 20 steps has; 1600 samples, two epochs of batches of 32 by Adam at 3e-3 or SGD at 0.1 with momentum 0.9. The samples
are sorted by class and then cut into runs of so many, whose order is random: runs of one are shuffled samples, runs of
400 are four classes one after the other. Printed are, by length of the runs, what rnn-doctor's sensor makes of the
labels of the first 64 updates, and the error on fresh samples after the last update; means over two seeds. The
threshold of RD411 is read from this table.

A second table is of two of the means, one of them rare: in runs of one, in runs of 64, and in one run that comes last.
Its error is the share of pairs of fresh samples, one of each class, that the network puts the wrong way round, which
does not depend on how rare a class was. The least correlation within an update is read from it.
"""

from collections import Counter
from itertools import product
from statistics import mean

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.sensors.orders import compared

CLASSES, SAMPLES, TIME, BATCH, EPOCHS, SEEDS = 4, 1600, 20, 32, 2, (0, 1)
RUNS = (1, 16, 32, 64, 100, 200, 400)
"""Samples of one class in a row."""
RARE, RARE_RUNS = (0.5, 0.25, 0.12, 0.06, 0.03), (1, 64, SAMPLES)
"""Share of the second of two classes."""


def data(n: int, g: torch.Generator, rare: float | None = None) -> tuple[Tensor, Tensor]:
    """Noise about the mean of its class, and the classes, the rare one last. Shapes: (n, T, 4), (n)."""
    place = torch.arange(n) / n
    labels = (place * CLASSES).long() if rare is None else (place >= 1 - rare).long()
    return F.one_hot(labels, CLASSES).float().unsqueeze(1) * 0.5 + torch.randn(
        n, TIME, CLASSES, generator=g
    ), labels


class Net(nn.Module):
    """One recurrent layer, a head on its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(CLASSES, 32, batch_first=True)
        self.head = nn.Linear(32, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits. Shapes: (n, T, 4) -> (n, C)."""
        answer: Tensor = self.head(self.rnn(x)[0][:, -1])
        return answer


def trained(run: int, kind: str, seed: int, rare: float | None = None) -> tuple[float, ...]:
    """`distance`, `alike`, `chance` and `within` of the labels, and the error on fresh samples."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed + 1)
    x, y = data(SAMPLES, g, rare)
    pieces = list(torch.arange(SAMPLES).split(run))
    order = torch.cat([pieces[i] for i in torch.randperm(len(pieces), generator=g).tolist()])
    net = Net()
    optimizer: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    if kind == "SGD":
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    updates: list[Counter[float]] = []
    for _ in range(EPOCHS):
        for rows in order.split(BATCH):
            updates.append(Counter(y[rows].tolist()))
            loss = F.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    fresh, truth = data(1000, g, None if rare is None else 0.5)
    with torch.no_grad():
        scores = net(fresh)
    wrong = float((scores.argmax(1) != truth).float().mean())
    if rare is not None:
        lead = scores[:, 1] - scores[:, 0]
        wrong = float((lead[truth == 1].unsqueeze(1) <= lead[truth == 0]).float().mean())
    found = compared(updates[:64])
    return found["distance"], found["alike"], found["chance"], found["within"], wrong


def row(first: str, run: int, rare: float | None = None) -> None:
    """Prints one line, means over the seeds."""
    adam = [trained(run, "Adam", seed, rare) for seed in SEEDS]
    sgd = [trained(run, "SGD", seed, rare) for seed in SEEDS]
    distance, alike, chance, within, error = (mean(column) for column in zip(*adam, strict=True))
    print(
        f"{first} {run:4d} {distance:9.2f} {alike:6.2f} {chance:7.3f} {within:7.2f} {error:12.3f} "
        f"{mean(s[4] for s in sgd):11.3f}",
        flush=True,
    )


def main() -> None:
    """Prints both tables."""
    torch.set_num_threads(1)
    told = f"{'distance':>9} {'alike':>6} {'chance':>7} {'within':>7} {'error, Adam':>12} {'error, SGD':>11}"
    print(f"classes  run {told}")
    for run in RUNS:
        row(f"{CLASSES:7d}", run)
    print(f"   rare  run {told}")
    for rare, run in product(RARE, RARE_RUNS):
        row(f"{rare:7.2f}", run, rare)


if __name__ == "__main__":
    main()
