"""Displacement, loss and update ratio of healthy and ill learning rates after 45 updates.

Command: python benchmarks/thresholds/step_size.py (about three minutes on one core). It prints one line a
setting: smallest, median and largest value over tasks and cells. The thresholds of RD301, RD302 and RD303
are read from this table.
"""

import math
from statistics import median

import torch
from tasks import CELLS, TASKS, Net, Task
from torch import nn

UPDATES, BATCH = 45, 16
# name: (optimizer, lr, hidden, clip)
SETTINGS: dict[str, tuple[str, float, int, float | None]] = {
    "healthy adam 1e-3": ("adam", 1e-3, 32, None),
    "healthy adam 3e-3": ("adam", 3e-3, 32, None),
    "healthy adam 1e-2": ("adam", 1e-2, 32, None),
    "healthy adam 1e-3 H=128": ("adam", 1e-3, 128, None),
    "healthy adam 1e-3 H=512": ("adam", 1e-3, 512, None),
    "healthy sgd 0.1 clip 1": ("sgd", 0.1, 32, 1.0),
    "healthy sgd 0.1": ("sgd", 0.1, 32, None),
    "adam 3e-2": ("adam", 3e-2, 32, None),
    "adam 1e-1": ("adam", 1e-1, 32, None),
    "adam 3e-1": ("adam", 3e-1, 32, None),
    "sgd 1": ("sgd", 1.0, 32, None),
    "sgd 10": ("sgd", 10.0, 32, None),
    "adam 3e-5": ("adam", 3e-5, 32, None),
    "adam 1e-5": ("adam", 1e-5, 32, None),
    "adam 3e-6": ("adam", 3e-6, 32, None),
    "sgd 1e-4": ("sgd", 1e-4, 32, None),
    "sgd 0.1 clip 1e-4": ("sgd", 0.1, 32, 1e-4),
}


def run(task: Task, cell: str, setting: tuple[str, float, int, float | None]) -> dict[str, float]:
    """Displacement D, last and largest loss over the first, update ratio, clip ratio."""
    kind, lr, hidden, clip = setting
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(task, cell, hidden)
    maker = torch.optim.Adam(net.parameters(), lr) if kind == "adam" else None
    optimizer = maker or torch.optim.SGD(net.parameters(), lr, momentum=0.9)
    watched = [p for name, p in net.named_parameters() if p.dim() > 1 and not name.startswith("embed")]
    start = [p.detach().clone() for p in watched]
    losses, ratios, clips = [], [], [1.0]
    for _ in range(UPDATES):
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y)
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]):
            break
        optimizer.zero_grad()
        loss.backward()
        if clip:
            clips.append(clip / max(clip, float(nn.utils.clip_grad_norm_(net.parameters(), clip))))
        before = [p.detach().clone() for p in watched]
        optimizer.step()
        ratios += [float((p.detach() - b).norm() / b.norm()) for p, b in zip(watched, before, strict=True)]
    moved = sum(float((p.detach() - s).norm()) ** 2 for p, s in zip(watched, start, strict=True))
    size = sum(float(s.norm()) ** 2 for s in start)
    finite = [v for v in losses if math.isfinite(v)]
    first = median(finite[:3])
    return {
        "log10 D": 0.5 * math.log10(moved / size) if math.isfinite(moved) else math.inf,
        "loss end/start": median(finite[-8:]) / first if len(finite) == UPDATES else math.inf,
        "loss max/first": max(finite) / finite[0],
        "log10 update": math.log10(median(ratios)),
        "log10 clip": math.log10(median(clips)),
    }


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for name, setting in SETTINGS.items():
        rows = [run(task, cell, setting) for task in TASKS for cell in CELLS]
        cells = []
        for key in rows[0]:
            values = sorted(r[key] for r in rows)
            cells.append(f"{key} {values[0]:.2f} {median(values):.2f} {values[-1]:.2f}")
        print(f"{name:26s} " + " | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
