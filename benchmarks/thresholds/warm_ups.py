"""How long a warm-up may be, and what the steps of RAdam, which warms up by itself, are to be judged by.

Command: python benchmarks/thresholds/warm_ups.py (some six minutes on one core). First Adam at 3e-3, whose rate rises
to there over so many updates: how many updates networks take until the loss of twenty in a row has a median of four
fifths of that of an answer that knows nothing, over those that the same network takes without a warm-up, which of those
without are left out that do not get there within 1000 updates. RD302's LONGEST is read from this table.

Then RAdam at a good rate and at shares of it. The length of its updates among the first fifty, over the weights' own
size, is told as it will be after so many updates, by RAdam's own factor; beside it stands whether the network got
there within 400. Counted is what RD302's threshold would misjudge: healthy ones found, ill ones not. `_HORIZON` is read
from this table.
"""

import math
from itertools import product
from statistics import median

import torch
from tasks import CELLS, TASKS, Net, Task
from torch import Tensor

from rnn_doctor.derive.warm_up import _rectification

WARM_UPS = (400, 4_000, 40_000, 400_000)
MOST, ALONE, LEARNED, AGREED = 4_000, 1_000, 0.8, 20
HORIZONS = (50, 100, 200, 400, 800, 1_600, 100_000)
SHARES = (1.0, 0.25, 1 / 12, 1 / 80)
LOOKS, WITHIN, SMALL, BETA = (8, 21, 50), 400, 1.1e-3, 0.999
RADAM, ADAM, HIDDEN, BATCH = 5e-3, 3e-3, 32, 32


def uninformed(task: Task, target: Tensor) -> float:
    """Loss of an answer that knows nothing: equal odds for all classes, or the mean of the targets."""
    return math.log(task.outputs) if task.tokens else float(target.var(unbiased=False))


def size(weights: list[Tensor]) -> float:
    """Norm of them all."""
    return math.hypot(*(float(w.norm()) for w in weights))


def train(
    task: Task, cell: str, optimizer: str, rate: float, warm_up: int, most: int
) -> tuple[int | None, list[float]]:
    """The update by which it had learned (None: not within `most`), and the lengths of the updates of LOOKS."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(task, cell, HIDDEN)
    kind = torch.optim.RAdam if optimizer == "radam" else torch.optim.Adam
    made = kind(net.parameters(), rate)
    watched = [p for name, p in net.named_parameters() if p.dim() > 1 and not name.startswith("embed")]
    first = size([p.detach() for p in watched])
    ratios: list[float] = []
    lengths: list[float] = []
    for update in range(1, most + 1):
        made.param_groups[0]["lr"] = rate * (min(1.0, update / warm_up) if warm_up else 1.0)
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y)
        ratios.append(float(loss.detach()) / uninformed(task, y))
        made.zero_grad()
        loss.backward()
        before = [p.detach().clone() for p in watched] if update in LOOKS else []
        made.step()
        if before:
            lengths.append(size([p.detach() - b for p, b in zip(watched, before, strict=True)]) / first)
        if update >= max(AGREED, LOOKS[-1]) and median(ratios[-AGREED:]) < LEARNED:
            return update, lengths
    return None, lengths


def warm_ups() -> None:
    """The first table."""
    alone = {
        (task.name, cell): (task, train(task, cell, "adam", ADAM, 0, ALONE)[0])
        for task, cell in product(TASKS, CELLS)
    }
    for warm_up in WARM_UPS:
        times = []
        for (_, cell), (task, without) in alone.items():
            if without is not None:
                took, _ = train(task, cell, "adam", ADAM, warm_up, MOST)
                times.append((took or math.inf) / without)
        times.sort()
        print(
            f"warm-up of {warm_up:6d}: {len(times)} networks took {times[0]:.1f} {median(times):.1f} {times[-1]:.1f} "
            f"times as long, {sum(map(math.isinf, times))} had not learned after {MOST}",
            flush=True,
        )


def radam() -> None:
    """The second table."""
    runs = []
    for task, cell in product(TASKS, CELLS):
        found = {share: train(task, cell, "radam", RADAM * share, 0, WITHIN) for share in SHARES}
        if found[1.0][0] is not None:
            runs += [(share, learned is not None, lengths) for share, (learned, lengths) in found.items()]
    for share in SHARES:
        learned = [fine for each, fine, _ in runs if each == share]
        print(f"RAdam at {share:.3f} of {RADAM}: {sum(learned)} of {len(learned)} learned within {WITHIN}")
    for horizon in HORIZONS:
        paths = [
            (fine, median(at * _rectification(horizon, BETA) / _rectification(look, BETA)
                          for at, look in zip(lengths, LOOKS, strict=True)))
            for _, fine, lengths in runs
        ]  # fmt: skip
        healthy = [path for fine, path in paths if fine]
        ill = [path for fine, path in paths if not fine]
        print(
            f"as after {horizon:6d}: learned {min(healthy):.2g} or more, not {max(ill, default=math.nan):.2g} or less; "
            f"at {SMALL:g} found {sum(p < SMALL for p in healthy)} of {len(healthy)} that learned, "
            f"{sum(p < SMALL for p in ill)} of {len(ill)} that did not",
            flush=True,
        )


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    radam()
    warm_ups()


if __name__ == "__main__":
    main()
