"""What inputs of growing scale do to the gates, and to learning.

Command: python benchmarks/thresholds/input_drive.py (about two minutes on one core). `drive` is the share of
gate entries whose input alone, W_ih x + b_ih, exceeds 4 in magnitude. `gain` is the loss after 200 Adam
updates over that of the same network on inputs of unit scale, median over tasks and cells. The thresholds of
RD403 are read from this table.
"""

from statistics import median

import torch
from tasks import CELLS, TASKS, Net, Task
from torch.nn import functional as F

SCALES = (1.0, 3.0, 10.0, 20.0, 30.0, 100.0, 1000.0)
UPDATES, BATCH = 200, 16


def run(task: Task, cell: str, scale: float) -> tuple[float, float, float]:
    """Drive and largest input at the start, loss at the end (median of 20)."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(task, cell, 32, scale)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    x, _ = task.batch(64, data)
    with torch.no_grad():
        features = net.features(x)
        pre = F.linear(features, net.rnn.weight_ih_l0, net.rnn.bias_ih_l0)
    losses = []
    for _ in range(UPDATES):
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return float((pre.abs() > 4).float().mean()), float(features.abs().max()), median(losses[-20:])


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    base = {(t.name, c): run(t, c, 1.0)[2] for t in TASKS for c in CELLS}
    for scale in SCALES:
        rows = [(t, c, *run(t, c, scale)) for t in TASKS for c in CELLS]
        drives = sorted(r[2] for r in rows)
        gains = sorted(r[4] / base[r[0].name, r[1]] for r in rows)
        print(
            f"scale {scale:6.0f}  drive {drives[0]:.2f} {median(drives):.2f} {drives[-1]:.2f}"
            f"  |x| {min(r[3] for r in rows):.0f}..{max(r[3] for r in rows):.0f}"
            f"  gain {gains[0]:.2f} {median(gains):.2f} {gains[-1]:.2f}"
        )
        for t, c, drive, largest, end in rows:
            print(
                f"   {t.name:7s} {c:5s} drive {drive:.2f} |x| {largest:.0f} gain {end / base[t.name, c]:.2f}"
            )


if __name__ == "__main__":
    main()
