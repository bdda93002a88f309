"""How long healthy networks stand on a plateau before they learn, beside networks that have nothing to learn.

Command: python benchmarks/thresholds/plateaus.py (some ten minutes on one core). Adding and delayed recall have a
plateau, sine and text have none; "nothing" are the same two with the targets of other sequences. Each network is
trained for up to 1000 updates of Adam at 3e-3. Printed are the update at which the mean of 50 losses first falls
below 0.9 of an answer that knows nothing, and after 200, 500 and 1000 updates the median loss of the last
quarter over that of such an answer, with * where the second half of the losses does not fall (Mann-Kendall Z of
-1.64 and above). The last lines count which runs RD701 would call by each number of updates, of those that learn
later on and of those that never do. Its thresholds are read from this table.
"""

from dataclasses import dataclass
from statistics import fmean, median

import torch
from small_steps import uninformed
from tasks import CELLS, TASKS, Net, Task

from rnn_doctor.derive.trends import mann_kendall

UPDATES, BATCH, HIDDEN, SEEDS = 1000, 16, 32, (0, 1)
MARKS = (200, 500, 1000)
LEVELS = (0.9, 0.95, 0.98)
ENOUGH, BARREN = 200, 500
"""Updates of tasks without a plateau, and of those with nothing to learn."""


@dataclass(frozen=True)
class Run:
    """Losses over that of an answer that knows nothing, by update."""

    name: str
    losses: tuple[float, ...]

    @property
    def learns(self) -> int | None:
        """The update at which it has left its plateau; None if it never does."""
        means = (fmean(self.losses[k - 50 : k]) for k in range(50, len(self.losses) + 1))
        return next((k for k, mean in enumerate(means, 50) if mean < 0.9), None)

    def end(self, updates: int) -> float:
        """Median of the last quarter, so far."""
        return median(self.losses[updates - updates // 4 : updates])

    def stands(self, updates: int) -> bool:
        """Whether the second half does not fall, so far."""
        return mann_kendall(self.losses[updates // 2 : updates]) >= -1.64


def run(task: Task, cell: str, seed: int, nothing: bool) -> Run:
    """Trains one network."""
    torch.manual_seed(seed)
    data = torch.Generator().manual_seed(seed + 1)
    net = Net(task, cell, HIDDEN)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    losses = []
    for _ in range(ENOUGH if not task.last else BARREN if nothing else UPDATES):
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y[torch.randperm(BATCH, generator=data)] if nothing else y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()) / uninformed(task, y))
    return Run(f"{'nothing ' * nothing}{task.name} {cell}", tuple(losses))


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    runs = []
    for nothing in (False, True):
        for task in TASKS:
            for cell in CELLS:
                for seed in SEEDS[: 1 if nothing or not task.last else len(SEEDS)]:
                    if task.last or not nothing:
                        runs.append(run(task, cell, seed, nothing))
                        _show(runs[-1])
    for updates in MARKS:
        for level in LEVELS:
            long = [r for r in runs if len(r.losses) >= updates]
            called = [r for r in long if r.end(updates) > level and r.stands(updates)]
            late = [r for r in long if (r.learns or 0) > updates]
            never = [r for r in long if r.learns is None]
            print(
                f"after {updates} above {level}: {sum(r in called for r in never)} of {len(never)} that never learn, "
                f"{sum(r in called for r in late)} of {len(late)} that learn later, "
                f"{sum(r not in never and r not in late for r in called)} that have learned"
            )


def _show(of: Run) -> None:
    marks = [u for u in MARKS if u <= len(of.losses)]
    columns = " ".join(f"{of.end(u):.3f}{'*' * of.stands(u)}" for u in marks)
    print(f"{of.name:20s} learns at {of.learns}: {columns}", flush=True)


if __name__ == "__main__":
    main()
