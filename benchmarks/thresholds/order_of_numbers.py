"""What targets in order cost a regression, held against the same samples in random order.

Command: python -m benchmarks.thresholds.order_of_numbers (two minutes on an idle core). The first task: the level
that the noise of 20 steps lies about; 1600 samples, two epochs of batches of 32 by Adam at 3e-3 or SGD at 0.05 with
momentum 0.9. The samples are sorted by their target and then cut into runs of so many, whose order is random: runs of
one are shuffled samples. The next tasks are one step ahead of a series: a slow wave, a walk, and a wave with a trend,
all with noise; windows of 20 steps that move along it by one step or lie side by side, in its order (`along`) or
shuffled. Printed are what rnn-doctor's sensor makes of the targets of the first 64 updates, and the error on fresh
samples after the last update as a share of their variance; means over the seeds. The least correlation within an
update of RD411 is read from this table, and why windows that overlap are not judged.
"""

from itertools import product
from statistics import mean

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.sensors.likeness import compared_levels, level

SAMPLES, TIME, BATCH, EPOCHS, SEEDS = 1600, 20, 32, 2, (0, 1, 2)
RUNS = (1, 8, 16, 32, 64, 320, 1600)
"""Samples of neighbouring targets in a row."""
SERIES, STRIDES = ("wave", "walk", "trend"), (1, TIME)
OPTIMIZERS = ("Adam", "SGD")
Data = tuple[Tensor, Tensor]


class Net(nn.Module):
    """One recurrent layer, a head on its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(1, 32, batch_first=True)
        self.head = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (n, T) -> (n)"""
        answer: Tensor = self.head(self.rnn(x.unsqueeze(2))[0][:, -1]).squeeze(1)
        return answer


def levels(n: int, g: torch.Generator) -> Data:
    """Shapes: (n, T), (n)"""
    y = torch.randn(n, generator=g)
    return y[:, None] + 1.5 * torch.randn(n, TIME, generator=g), y


def series(kind: str, n: int, stride: int, g: torch.Generator) -> Data:
    """Windows in the order of the series, and its next values; standardized. Shapes: (n, T), (n)"""
    length = n * stride + TIME
    t = torch.arange(length)
    values = torch.sin(6.28 * t / 365)
    if kind == "walk":
        values = torch.randn(length, generator=g).cumsum(0)
    if kind == "trend":
        values = values + 2 * t / length
    values = (values - values.mean()) / values.std() + 0.2 * torch.randn(length, generator=g)
    rows = stride * torch.arange(n)[:, None] + torch.arange(TIME)
    return values[rows], values[rows[:, -1] + 1]


def trained(data: Data, order: Tensor, fresh: Data, kind: str, seed: int) -> tuple[float, ...]:
    """`distance`, `alike`, `chance` and `within` of the targets, and the error on fresh samples."""
    torch.manual_seed(seed)
    net, (x, y) = Net(), data
    optimizer: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    if kind == "SGD":
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    updates = []
    for _ in range(EPOCHS):
        for rows in order.split(BATCH):
            updates.append(level(y[rows].tolist()))
            loss = F.mse_loss(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        error = float(F.mse_loss(net(fresh[0]), fresh[1]) / fresh[1].var())
    found = compared_levels(updates[:64])
    return found["distance"], found["alike"], found["chance"], found["within"], error


def in_runs(y: Tensor, run: int, g: torch.Generator) -> Tensor:
    """Rows by their target, cut into runs whose order is random."""
    pieces = list(y.argsort().split(run))
    return torch.cat([pieces[i] for i in torch.randperm(len(pieces), generator=g).tolist()])


def show(name: str, runs: dict[str, list[tuple[float, ...]]]) -> None:
    """Prints one line, means over the seeds."""
    distance, alike, chance, within, error = (mean(column) for column in zip(*runs["Adam"], strict=True))
    print(
        f"{name:24} {distance:9.2f} {alike:6.2f} {chance:7.3f} {within:7.2f} {error:12.3f} "
        f"{mean(s[4] for s in runs['SGD']):11.3f}",
        flush=True,
    )


def main() -> None:
    """Prints both tables."""
    torch.set_num_threads(1)
    print(
        f"{'':24} {'distance':>9} {'alike':>6} {'chance':>7} {'within':>7} {'error, Adam':>12} {'error, SGD':>11}"
    )
    for run in RUNS:
        runs: dict[str, list[tuple[float, ...]]] = {kind: [] for kind in OPTIMIZERS}
        for kind, seed in product(OPTIMIZERS, SEEDS):
            g = torch.Generator().manual_seed(seed + 1)
            data = levels(SAMPLES, g)
            runs[kind].append(trained(data, in_runs(data[1], run, g), levels(1000, g), kind, seed))
        show(f"levels, runs of {run}", runs)
    for name, stride, order in product(SERIES, STRIDES, ("along", "shuffled")):
        runs = {kind: [] for kind in OPTIMIZERS}
        for kind, seed in product(OPTIMIZERS, SEEDS):
            g = torch.Generator().manual_seed(seed + 1)
            # Every fifth block of a series is held out.
            x, y = series(name, SAMPLES * 5 // 4, stride, g)
            held = torch.arange(len(x)) // 100 % 5 == 4
            rows = torch.arange(SAMPLES)
            rows = rows if order == "along" else rows[torch.randperm(SAMPLES, generator=g)]
            runs[kind].append(trained((x[~held], y[~held]), rows, (x[held], y[held]), kind, seed))
        show(f"{name}, by {stride}, {order}", runs)


if __name__ == "__main__":
    main()
