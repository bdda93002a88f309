"""Small steps on untrained and on trained networks: what tells a fault from fine-tuning.

Command: python benchmarks/thresholds/small_steps.py (about three minutes on one core). Each network is trained
by Adam at 3e-3 for as many updates as its line says (0: untrained), then 45 updates are made with the small rate
of the line. Printed are, over tasks and cells, smallest, median and largest displacement an update, fall of the
loss, and loss over that of an answer that knows nothing, and how many of the runs RD302 would call errors by
displacement and fall alone, and with the loss held against that answer; then each run that only this clears or
that has learned nothing in spite of its training. The threshold of RD302 on this ratio is read from this table.
"""

import math
from itertools import product
from statistics import median

import torch
from step_size import BATCH, UPDATES
from tasks import CELLS, TASKS, Net, Task
from torch import Tensor

LEARNING = (0, 100, 800)
RATES: dict[str, tuple[str, float]] = {
    "sgd 1e-3": ("sgd", 1e-3),
    "sgd 1e-4": ("sgd", 1e-4),
    "adam 1e-5": ("adam", 1e-5),
    "adam 1e-6": ("adam", 1e-6),
}
SMALL, FALL, LEARNED = 8.8e-5, 0.1, 0.9


def uninformed(task: Task, target: Tensor) -> float:
    """Loss of an answer that knows nothing: equal odds for all classes, or the mean of the targets."""
    return math.log(task.outputs) if task.tokens else float(target.var(unbiased=False))


def train(
    net: Net, task: Task, optimizer: torch.optim.Optimizer, updates: int, data: torch.Generator
) -> Tensor:
    """Losses, and losses over the uninformed answer's, of every update. Shapes: (updates, 2)"""
    seen = []
    for _ in range(updates):
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append((float(loss.detach()), float(loss.detach()) / uninformed(task, y)))
    return torch.tensor(seen)


def run(task: Task, cell: str, learning: int, rate: str) -> tuple[float, float, float]:
    """Displacement an update, fall of the loss, and loss over the uninformed answer's, of the small steps."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(task, cell, 32)
    train(net, task, torch.optim.Adam(net.parameters(), 3e-3), learning, data)
    kind, lr = RATES[rate]
    optimizer: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), lr)
    if kind == "sgd":
        optimizer = torch.optim.SGD(net.parameters(), lr)
    watched = [p for name, p in net.named_parameters() if p.dim() > 1 and not name.startswith("embed")]
    start = [p.detach().clone() for p in watched]
    losses, ratios = train(net, task, optimizer, UPDATES, data).unbind(1)
    moved = sum(float((p.detach() - s).norm()) ** 2 for p, s in zip(watched, start, strict=True))
    size = sum(float(s.norm()) ** 2 for s in start)
    quarter = UPDATES // 4
    fall = 1 - float(losses[-quarter:].median() / losses[:quarter].median())
    return (moved / size) ** 0.5 / UPDATES, fall, float(ratios.median())


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for rate, learning in product(RATES, LEARNING):
        runs = {(task.name, cell): run(task, cell, learning, rate) for task in TASKS for cell in CELLS}
        spread = [
            " ".join(f"{v:.3g}" for v in (min(c), median(c), max(c)))
            for c in zip(*runs.values(), strict=True)
        ]
        small = {name: r[2] for name, r in runs.items() if r[0] < SMALL and r[1] < FALL}
        errors = [name for name, ratio in small.items() if ratio > LEARNED]
        print(
            f"{rate} after {learning}: displacement {spread[0]} | fall {spread[1]} | over uninformed {spread[2]} "
            f"| errors {len(small)}, with the uninformed answer {len(errors)} of {len(runs)}"
        )
        if learning:
            print("    " + ", ".join(f"{' '.join(name)} {v:.2f}" for name, v in small.items()), flush=True)


if __name__ == "__main__":
    main()
