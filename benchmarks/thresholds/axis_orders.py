"""How much farther all random orders of an axis reach than the few with which its test begins.

Command: python benchmarks/thresholds/axis_orders.py (a minute). Inputs and targets do not depend on each other: noise,
tokens, and random walks along the first axis, in batches of four shapes. The value is the largest statistic in 39
random orders over the largest in the first four. Beyond which score the few orders are enough (`_CERTAIN` of
axis_dependence.py) is read from this table.
"""

from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from rnn_doctor.capture.probe.sensors import axis_dependence
from rnn_doctor.capture.probe.sensors.axis_dependence import INPUTS, TARGETS, TIME, AxisDependence, Features

SHAPES = ((35, 20), (10, 32), (6, 8), (40, 16))
SEEDS = 40
DATA: dict[str, Callable[[int, int], tuple[Tensor, Tensor]]] = {
    "tokens": lambda t, b: (torch.randint(0, 20, (t, b)), torch.randint(0, 20, (t, b))),
    "noise": lambda t, b: (torch.randn(t, b, 3), torch.randn(t, b, 1)),
    "random walks": lambda t, b: (torch.randn(t, b, 3).cumsum(0), torch.randn(t, b, 1).cumsum(0)),
}


def reach(x: Tensor, y: Tensor) -> float | None:
    """The ratio along time; None where the few settle it. Shapes: (T, B) tokens or (T, B, F) numbers."""
    known = torch.ones(x.shape[:2], dtype=torch.bool)
    scores = []
    for certain in (0.0, float("inf")):  # the few orders decide always, and never
        axis_dependence._CERTAIN = certain
        test = AxisDependence()
        test.add(Features(x, INPUTS).of(x), Features(y, TARGETS, known).of(y), known)
        scores.append(test.told(TIME).score)
    few, every = scores
    return few / every if few > 1 else None


def main() -> None:
    """Print the table."""
    print(f"{'data':14}{'beyond 1':>10}{'median':>10}{'largest':>10}")
    for name, make in DATA.items():
        found: list[float] = []
        for time, batch in SHAPES:
            for seed in range(SEEDS):
                torch.manual_seed(seed)
                ratio = reach(*make(time, batch))
                found += [] if ratio is None else [ratio]
        print(f"{name:14}{len(found):10d}{median(found):10.2f}{max(found):10.2f}")


if __name__ == "__main__":
    main()
