"""Weight decay from harmless to fatal: how fast it shrinks the recurrent weights, and what becomes of the network.

Command: python benchmarks/thresholds/decay.py (some ten minutes on one core). It prints one line a setting: what is
left of the norm of the recurrent weights after 50 updates, the factor by which the decay alone would have shrunk it,
the share of the shrinking that the decay accounts for, each as smallest, median and largest value over tasks and
cells, and the harm after 250 updates: by how much the loss lies above that of the twin without decay, in units of what
the twin's lies below an answer that knows nothing (1: nothing but that answer is learned). Twins that learn nothing
themselves by then are left out of the harm, and their ill twins end after 50 updates. The last lines list every run
that shrank by 3 %, by what was left. With the name of an optimizer setting it prints the lines of that one alone
(decay_adamw.txt: "AdamW 5e-3", whose decay acts fast). The thresholds of RD305 are read from these tables.
"""

import math
import sys
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

import torch
from small_steps import uninformed
from tasks import CELLS, TASKS, Net, Task

EARLY, UPDATES, BATCH, HIDDEN = 50, 250, 16, 32
SAMPLED = (1, 3, 8, 21, EARLY)
FAST = "AdamW 5e-3"
LEARNED = 0.9
"""A twin above it has learned nothing that decay could take away."""
OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, float], tuple[float, ...]]] = {
    FAST: (torch.optim.AdamW, {"lr": 5e-3}, (0.01, 0.2, 1.0, 2.0, 4.0, 8.0, 30.0)),
    "AdamW 1e-3": (torch.optim.AdamW, {"lr": 1e-3}, (0.01, 1.0, 10.0, 100.0)),
    "AdamW 1e-2": (torch.optim.AdamW, {"lr": 1e-2}, (0.01, 1.0, 10.0)),
    "Adam 3e-3": (torch.optim.Adam, {"lr": 3e-3}, (1e-4, 1e-3, 1e-2, 0.1, 1.0)),
    "SGD 0.1": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}, (1e-4, 1e-3, 1e-2, 0.1, 1.0)),
}


@dataclass(frozen=True)
class Run:
    """What one training shows early, and where it ends."""

    remaining: float
    factor: float
    end: float
    """Loss over that of an answer that knows nothing, mean of the last 50 updates."""

    @property
    def accounts(self) -> float:
        """Share of the shrinking, in logarithms, that the decay accounts for; 0 where nothing shrank."""
        return math.log(self.factor) / math.log(self.remaining) if self.remaining < 1 else 0.0


def run(
    task: Task,
    cell: str,
    kind: type[torch.optim.Optimizer],
    options: dict[str, float],
    decay: float,
    updates: int = UPDATES,
) -> Run:
    """Trains one network; the shrinking is worked out from what a run log holds: norms at sampled steps."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(task, cell, HIDDEN)
    optimizer = kind(net.parameters(), **options, weight_decay=decay)
    watched = [p for p in net.rnn.parameters() if p.dim() > 1]
    size = [_norm(watched)]
    logarithm, ends = 0.0, []
    sampled = dict(zip(SAMPLED, (*(b - a for a, b in pairwise(SAMPLED)), 1), strict=True))
    for step in range(1, updates + 1):
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        gradient = _norm([p.grad for p in watched if p.grad is not None])
        before = [p.detach().clone() for p in watched]
        optimizer.step()
        ends.append(float(loss.detach()) / uninformed(task, y))
        if step in sampled:
            moved = _norm([p.detach() - b for p, b in zip(watched, before, strict=True)])
            size.append(_norm(before))
            pull = decay * size[-1]
            rate = options["lr"] * decay / (1 - options.get("momentum", 0.0))
            if kind in (torch.optim.Adam, torch.optim.RMSprop):
                rate = moved / size[-1] * pull / math.hypot(pull, gradient) if pull else 0.0
            logarithm -= sampled[step] * rate
    return Run(size[-1] / size[0], math.exp(max(-700.0, logarithm)), fmean(ends[-50:]))


def _norm(tensors: list[torch.Tensor]) -> float:
    return float(torch.stack([t.detach().norm() for t in tensors]).norm())


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    every: list[tuple[float, float, float, str]] = []
    wanted = sys.argv[1:]
    for name, (kind, options, decays) in OPTIMIZERS.items():
        if (wanted and name not in wanted) or (not wanted and name == FAST):
            continue
        twins = {(t.name, cell): run(t, cell, kind, options, 0.0) for t in TASKS for cell in CELLS}
        for decay in (0.0, *decays):
            runs = twins
            if decay:
                runs = {
                    (t.name, c): run(
                        t, c, kind, options, decay, UPDATES if twins[t.name, c].end < LEARNED else EARLY
                    )
                    for t in TASKS
                    for c in CELLS
                }
            harms = {
                key: (r.end - twins[key].end) / (1 - twins[key].end)
                for key, r in runs.items()
                if twins[key].end < LEARNED
            }
            label = f"{name} decay {decay:g}"
            every += [
                (r.remaining, r.accounts, harms.get(k, math.nan), f"{label} {' '.join(k)}")
                for k, r in runs.items()
            ]
            columns = {
                "left": [r.remaining for r in runs.values()],
                "decay alone": [r.factor for r in runs.values()],
                "accounts": [r.accounts for r in runs.values()],
                f"harm of {len(harms)}": list(harms.values()),
            }
            print(f"{label:24s} " + " | ".join(_spread(*column) for column in columns.items()), flush=True)
    if wanted:
        return
    print("\nleft, share that the decay accounts for, harm (nan: the twin had not learned either)")
    for remaining, accounts, harm, label in sorted(every):
        if remaining < 0.97:
            print(f"{remaining:.3g} {accounts:.2f} {harm:.2f} {label}")


def _spread(name: str, values: list[float]) -> str:
    if not values:
        return f"{name} none"
    return f"{name} {min(values):.2g} {median(values):.2g} {max(values):.2g}"


if __name__ == "__main__":
    main()
