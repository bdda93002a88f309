"""What the data tell of flattened targets that stand in another order than the outputs: RD423.

Command: python -m benchmarks.thresholds.target_orders (a minute on one core; names choose kinds of data). The data of
axes.py, tasks and those drawn to mislead: three batches of each, once with their targets in the order of the outputs,
once flattened batch first where the outputs are flattened time first. Nothing is trained. Printed are, over the sizes
T and B and two seeds of each: of the right order in how many runs the fault would be called, and the largest share of
the targets that the other order tells where the own order is silent; of the wrong order in how many it is called, the
largest share that the own order tells there, and the median of what the other tells.
"""

import sys
from collections.abc import Iterator
from statistics import median

import torch
from torch import Tensor

from benchmarks.thresholds.axes import SEEDS, SIZES, TASKS, TRAPS, Draw, Kind
from rnn_doctor.capture.probe.sensors.axis_dependence import (
    BATCH,
    INPUTS,
    MOST_PLACES,
    SILENT,
    TARGETS,
    TIME,
    AxisDependence,
    Features,
)
from rnn_doctor.capture.probe.sensors.target_orders import Place, told, turned
from rnn_doctor.derive.target_orders import in_another_order

_BATCHES = 3


def measured(kind: Kind, t: int, b: int, seed: int, wrong: bool) -> dict[str, float]:
    """What the sensor writes of three batches; shares of 0 where it would not look at the other order."""
    draw, dependence = Draw(seed), AxisDependence()
    orders: tuple[list[Place], ...] = ([], [], [])
    inputs = targets = None
    for _ in range(_BATCHES):
        x, y = (each.transpose(0, 1) for each in kind(draw, t, b))
        if wrong:  # the row is batch first, and is read time first
            y = y.transpose(0, 1).reshape(y.shape)
        each = [(y, _known(y)), *((v, _known(v)) for v in turned(y))]
        x = x[:MOST_PLACES, :MOST_PLACES]
        cut = [(v[:MOST_PLACES, :MOST_PLACES], k[:MOST_PLACES, :MOST_PLACES]) for v, k in each]
        inputs, targets = inputs or Features(x, INPUTS), targets or Features(cut[0][0], TARGETS, cut[0][1])
        dependence.add(inputs.of(x), targets.of(cut[0][0]), cut[0][1])
        for batches, (values, known) in zip(orders, cut, strict=True):
            batches.append(Place(x, values, known))
    assert inputs is not None
    assert targets is not None
    silent = max(dependence.told(TIME).score, dependence.told(BATCH).score) < SILENT
    own, *others = (told(batches, inputs, targets) if silent else 0.0 for batches in orders)
    return {"batches": _BATCHES, "own_share": own, "turned_share": max(others)}


def _known(y: Tensor) -> Tensor:
    return y >= 0 if y.dim() == len(("time", "batch")) else torch.ones(y.shape[:2], dtype=torch.bool)


def runs(kind: Kind, wrong: bool) -> Iterator[dict[str, float]]:
    """All sizes and seeds."""
    for t, b in SIZES:
        for seed in SEEDS:
            yield measured(kind, t, b, seed, wrong)


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    chosen = sys.argv[1:]
    print(f"{'':13}{'right order':>20}   {'wrong order':>28}")
    print(f"{'kind':13}{'called':>9}{'turned':>11}   {'called':>8}{'own':>10}{'turned':>10}")
    for kind in (*TASKS, None, *TRAPS):
        if kind is None:
            print("-" * 65)
        elif not chosen or kind.__name__ in chosen:
            right, wrong = list(runs(kind, False)), list(runs(kind, True))
            called = [sum(in_another_order(**r) for r in each) / len(each) for each in (right, wrong)]
            print(
                f"{kind.__name__:13}{called[0]:9.3f}{max(r['turned_share'] for r in right):11.3f}   "
                f"{called[1]:8.3f}{max(r['own_share'] for r in wrong):10.3f}"
                f"{median(r['turned_share'] for r in wrong):10.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
