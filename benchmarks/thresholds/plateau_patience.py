"""How patient a ReduceLROnPlateau has to be that is told the loss of every batch: RD314.

Command: python benchmarks/thresholds/plateau_patience.py (some minutes on one core). Adam at 3e-3 trains for 600
updates, and its scheduler is stepped after each with the loss of that batch, with each patience and factor; the same
network without a scheduler is the twin. Twins are left out whose loss does not come down to four fifths of that of an
answer that knows nothing. What a network learned is how far the mean loss of its last fifty updates lies below that.
Printed are the updates without a new lowest loss that leave a hundredth of the rate, at which update that was so, and
what share of what its twin learned the network lacks.
"""

import math
from itertools import product
from statistics import mean, median

import torch
from tasks import CELLS, TASKS, Net, Task
from torch.optim.lr_scheduler import ReduceLROnPlateau

UPDATES, LAST, LEARNED = 600, 50, 0.8
RATE, HIDDEN, BATCH = 3e-3, 32, 32
PLANS = (
    (0, 0.1), (0, 0.5), (2, 0.1), (2, 0.5), (5, 0.1), (10, 0.1), (5, 0.5), (20, 0.1), (10, 0.5), (50, 0.1),
    (20, 0.5), (50, 0.5), (10, 0.9), (100, 0.5),
)  # fmt: skip
GONE = 0.01


def train(task: Task, cell: str, plan: tuple[int, float] | None) -> tuple[float, float]:
    """The loss at the end over that of an answer that knows nothing, and the update by which the rate was gone."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(task, cell, HIDDEN)
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    scheduler = plan and ReduceLROnPlateau(optimizer, factor=plan[1], patience=plan[0])
    ratios, gone = [], math.inf
    for update in range(1, UPDATES + 1):
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y)
        uninformed = math.log(task.outputs) if task.tokens else float(y.var(unbiased=False))
        ratios.append(float(loss.detach()) / uninformed)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step(loss.detach())
            if optimizer.param_groups[0]["lr"] < GONE * RATE:
                gone = min(gone, update)
    return mean(ratios[-LAST:]), gone


def main() -> None:
    """Prints a line for each plan."""
    torch.set_num_threads(1)
    twins = {(task.name, cell): (task, train(task, cell, None)[0]) for task, cell in product(TASKS, CELLS)}
    for patience, factor in sorted(
        PLANS, key=lambda plan: (plan[0] + 1) * math.ceil(math.log(GONE) / math.log(plan[1]))
    ):
        lost, gone = [], []
        for (_, cell), (task, alone) in twins.items():
            if alone < LEARNED:
                end, when = train(task, cell, (patience, factor))
                lost.append(1 - (1 - end) / (1 - alone))
                gone.append(when)
        without = (patience + 1) * math.ceil(math.log(GONE) / math.log(factor))
        print(
            f"patience {patience:3d}, factor {factor}: a hundredth after {without:4d} without a new lowest; at update "
            f"{median(gone):g} ({min(gone):g} to {max(gone):g}); lacking {min(lost):+.2f} {median(lost):+.2f} "
            f"{max(lost):+.2f}, a tenth or more of it {sum(each > 0.1 for each in lost)} of {len(lost)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
