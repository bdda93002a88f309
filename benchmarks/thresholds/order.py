"""What labels in order cost a classifier, held against the same samples in random order.

Command: python benchmarks/thresholds/order.py (about a minute on an idle core). The task: which of four means the noise
of 20 steps has; 1600 samples, two epochs of batches of 32 by Adam at 3e-3 or SGD at 0.1 with momentum 0.9. The samples
are sorted by class and then cut into runs of so many, whose order is random: runs of one are shuffled samples, runs of
400 are four classes one after the other. Printed are, by length of the runs, what rnn-doctor's sensor makes of the
labels of the first 64 updates, and the error on fresh samples after the last update; means over two seeds. The
threshold of RD411 is read from this table.
"""

from collections import Counter
from statistics import mean

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.sensors.orders import compared

CLASSES, SAMPLES, TIME, BATCH, EPOCHS, SEEDS = 4, 1600, 20, 32, 2, (0, 1)
RUNS = (1, 16, 32, 64, 100, 200, 400)
"""Samples of one class in a row."""


def data(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Noise about the mean of its class, and the classes. Shapes: (n, T, 4), (n)."""
    labels = torch.arange(n) * CLASSES // n
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


def trained(run: int, kind: str, seed: int) -> tuple[float, float, float, float]:
    """`distance`, `alike` and `chance` of the labels, and the error on fresh samples."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed + 1)
    x, y = data(SAMPLES, g)
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
    fresh, truth = data(1000, g)
    with torch.no_grad():
        wrong = float((net(fresh).argmax(1) != truth).float().mean())
    found = compared(updates[:64])
    return found["distance"], found["alike"], found["chance"], wrong


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    print(f"{'run':>4} {'distance':>9} {'alike':>6} {'chance':>7} {'error, Adam':>12} {'error, SGD':>11}")
    for run in RUNS:
        adam = [trained(run, "Adam", seed) for seed in SEEDS]
        sgd = [trained(run, "SGD", seed) for seed in SEEDS]
        distance, alike, chance, error = (mean(column) for column in zip(*adam, strict=True))
        print(
            f"{run:4d} {distance:9.2f} {alike:6.2f} {chance:7.3f} {error:12.3f} {mean(s[3] for s in sgd):11.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
