"""What gates, units and ranks do in healthy networks, at the first update and after 50 and 300.

Command: python benchmarks/thresholds/gates.py (some three minutes on one core). Four tasks by three cells, each
trained by three optimizers. Printed are, smallest to largest over tasks and cells, the share of the worst gate that
is saturated on its harmful side at first (as RD201 takes it), and later the share of units stuck closed, of dead
units, and the effective rank of the states. The thresholds of RD201, RD202 and RD203 are read from this table.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from tasks import CELLS, TASKS, Net, Task
from torch import Tensor, nn

from rnn_doctor.capture.probe.recurrence.gates import layers
from rnn_doctor.capture.probe.recurrence.kernel import kernel_of, rows_of
from rnn_doctor.capture.probe.recurrence.replay import replay

BATCH, HIDDEN, LATER = 32, 32, (50, 300)
Optimizer = Callable[[Net], torch.optim.Optimizer]
OPTIMIZERS: dict[str, Optimizer] = {
    "Adam 3e-3": lambda net: torch.optim.Adam(net.parameters(), 3e-3),
    "Adam 1e-2": lambda net: torch.optim.Adam(net.parameters(), 1e-2),
    "SGD 0.1": lambda net: torch.optim.SGD(net.parameters(), 0.1),
}


def layer(net: Net, x: Tensor) -> dict[str, Any]:
    """The layer record of two rows, as the probe makes it."""
    kernel = kernel_of(net.rnn)
    assert kernel is not None
    given = net.features(x[:2])
    rows = rows_of(net.rnn, kernel, given, None, net.rnn(given), 2)
    return layers(replay(kernel, rows, False), None)[0]


def saturated(record: dict[str, Any]) -> float:
    """Share of the worst gate on its harmful side."""
    gates = {g["name"]: g for g in record["gates"]}
    shares = [g["low"] for name, g in gates.items() if name in "for"]
    shares += [g["low"] + g["high"] for name, g in gates.items() if name in "gnh"]
    if "i" in gates:
        shares.append(gates["i"]["low"] - gates["f"]["high"])
    return float(max(shares))


def stuck(record: dict[str, Any]) -> float:
    """Largest share of units stuck closed, of gates i, f, o, r; of input gates less what forget gates stay open."""
    gates = {g["name"]: g for g in record["gates"]}
    found = [g["stuck_low"] for name, g in gates.items() if name in "for"]
    if "i" in gates:
        found.append(gates["i"]["stuck_low"] - gates["f"]["stuck_high"])
    return float(max(found, default=0.0))


def run(task: Task, cell: str, optimize: Optimizer) -> list[dict[str, Any]]:
    """The records at first and later."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(task, cell, HIDDEN)
    optimizer = optimize(net)
    found = [layer(net, task.batch(BATCH, data)[0])]
    for update in range(1, max(LATER) + 1):
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if update in LATER:
            found.append(layer(net, task.batch(BATCH, data)[0]))
    return found


def line(name: str, runs: list[list[dict[str, Any]]]) -> None:
    """Prints what is seen of all runs of one kind."""
    starts = [saturated(records[0]) for records in runs]
    text = f"{name:15s} {len(runs):2d} runs: saturated at first {min(starts):.2f} .. {max(starts):.2f}"
    for k, updates in enumerate(LATER, 1):
        later = [records[k] for records in runs]
        closed = [stuck(record) for record in later]
        dead = [record["dead_share"] for record in later]
        ranks = [record["effective_rank"] or 0.0 for record in later]
        text += f"\n    after {updates:3d}: stuck closed {min(closed):.2f} .. {max(closed):.2f}, "
        text += f"dead {min(dead):.2f} .. {max(dead):.2f}, rank {min(ranks):.2f} .. {max(ranks):.2f}"
    print(text, flush=True)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for name, optimize in OPTIMIZERS.items():
        line(name, [run(task, cell, optimize) for task, cell in product(TASKS, CELLS)])


if __name__ == "__main__":
    main()
