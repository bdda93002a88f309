"""What tells loaded weights from fresh ones at the first update: their distribution, or the first loss.

Command: python benchmarks/thresholds/loaded_weights.py (some four minutes on one core). Four tasks by three cells:
fresh networks of usual initializations, fresh ones made ill (default weights scaled up, closed gates, inputs out of
scale), and networks trained by Adam at 3e-3 for 50, 200 and 1000 updates. Printed are, smallest to largest over
tasks and cells: the excess kurtosis of the recurrent weights (-1.2 uniform, 0 normal), the spread of the gates'
standard deviations (largest over smallest), the first loss over that of an answer that knows nothing, and the share
of the worst gate that is saturated on its harmful side; then how many RD201 takes for loaded, and how many it finds
saturated in spite of that. What RD201 abstains by is read from this table.
"""

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from tasks import CELLS, TASKS, Net, Task
from torch import Tensor, nn

from rnn_doctor.capture.probe.recurrence.gates import layers
from rnn_doctor.capture.probe.recurrence.kernel import kernel_of, rows_of
from rnn_doctor.capture.probe.recurrence.replay import replay
from rnn_doctor.capture.probe.sensors.recurrence import initial_weights
from rnn_doctor.derive.saturation import UNTRAINED, trained_before
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import InitialWeights, Module
from rnn_doctor.schema.reading import assemble
from rnn_doctor.schema.runlog import Header

BATCH, HIDDEN = 32, 32
LEARNING = (50, 200, 1000)
SATURATED = 0.1
HEADER = Header(
    record="header", schema_version=1, tool_version="0", script="", python="", torch="", platform="", started="",
    process=1,
)  # fmt: skip


def uninformed(task: Task, target: Tensor) -> float:
    """Loss of an answer that knows nothing: equal odds for all classes, or the mean of the targets."""
    return math.log(task.outputs) if task.tokens else float(target.var(unbiased=False))


def _blocks(fill: Callable[[Tensor], object]) -> Callable[[Net], None]:
    def apply(net: Net) -> None:
        for weight in (net.rnn.weight_hh_l0, net.rnn.weight_ih_l0):
            for block in weight.chunk(weight.shape[0] // HIDDEN):
                fill(block)

    return apply


def _scale(factor: float) -> Callable[[Net], None]:
    @torch.no_grad()
    def apply(net: Net) -> None:
        net.rnn.weight_hh_l0 *= factor
        net.rnn.weight_ih_l0 *= factor

    return apply


@torch.no_grad()
def _closed(net: Net) -> None:
    net.rnn.bias_ih_l0[: 2 * HIDDEN] -= 8


def _inputs(net: Net) -> None:
    net.scale = 100.0


FRESH: dict[str, Callable[[Net], None]] = {
    "default": lambda net: None,
    "xavier_uniform_": _blocks(nn.init.xavier_uniform_),
    "xavier_normal_": _blocks(nn.init.xavier_normal_),
    "orthogonal_": _blocks(nn.init.orthogonal_),
    "weights x 5": _scale(5),
    "weights x 20": _scale(20),
    "closed gates": _closed,
    "inputs x 100": _inputs,
}


def saturated(net: Net, x: Tensor) -> float:
    """Share of the worst gate of the first layer on its harmful side."""
    kernel = kernel_of(net.rnn)
    assert kernel is not None
    given = net.features(x[:2])
    rows = rows_of(net.rnn, kernel, given, None, net.rnn(given), 2)
    gates: dict[str, Any] = {g["name"]: g for g in layers(replay(kernel, rows, False), None)[0]["gates"]}
    shares = [g["low"] for name, g in gates.items() if name in "for"]
    shares += [g["low"] + g["high"] for name, g in gates.items() if name in "gnh"]
    if "i" in gates:
        shares.append(gates["i"]["low"] - gates["f"]["high"])
    return float(max(shares))


def measure(net: Net, task: Task, data: torch.Generator) -> list[float]:
    """Excess kurtosis, spread of the gates, loss ratio, whether RD201 abstains, saturation."""
    x, y = task.batch(BATCH, data)
    weights = initial_weights(net.rnn)[0]
    with torch.no_grad():
        loss = float(task.loss(net(x), y)) / uninformed(task, y)
        kind = type(net.rnn).__name__
        log = assemble([
            HEADER,
            Module(record="module", id=0, name="rnn", kind=kind, hidden_size=HIDDEN),  # type: ignore[arg-type]
            InitialWeights(record="initial_weights", module=0, **weights),
        ])  # fmt: skip
        by_weights = trained_before(View(log), 0) is not None
        return [
            weights["kurtosis"],
            weights["gate_spread"],
            loss,
            float(by_weights or loss < UNTRAINED),
            saturated(net, x),
        ]


def line(name: str, found: list[list[float]]) -> None:
    """Prints smallest, median and largest of each measure."""
    words = []
    for values in zip(*found, strict=True):
        ordered = sorted(values)
        words.append(f"{ordered[0]:6.2f} {ordered[len(ordered) // 2]:6.2f} {ordered[-1]:7.2f}")
    abstains = [each[3] for each in found]
    ill = [each for each in found if each[4] > SATURATED]
    print(
        f"{name:16s} {' | '.join(words[k] for k in (0, 1, 2, 4))} | abstains {sum(abstains):.0f} of {len(found)}; "
        f"saturated {len(ill)}, of which found {sum(not each[3] for each in ill)}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(f"{'':16s} {'kurtosis':>21s} | {'spread':>21s} | {'loss':>21s} | {'saturated':>21s}")
    for name, fill in FRESH.items():
        found = []
        for task, cell in product(TASKS, CELLS):
            torch.manual_seed(0)
            net = Net(task, cell, HIDDEN)
            fill(net)
            found.append(measure(net, task, torch.Generator().manual_seed(1)))
        line(name, found)
    trained: dict[int, list[list[float]]] = {updates: [] for updates in LEARNING}
    for task, cell in product(TASKS, CELLS):
        torch.manual_seed(0)
        net, data = Net(task, cell, HIDDEN), torch.Generator().manual_seed(1)
        optimizer = torch.optim.Adam(net.parameters(), 3e-3)
        for update in range(1, max(LEARNING) + 1):
            x, y = task.batch(BATCH, data)
            loss = task.loss(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            if update in trained:
                trained[update].append(measure(net, task, data))
    for updates, found in trained.items():
        line(f"after {updates}", found)


if __name__ == "__main__":
    main()
