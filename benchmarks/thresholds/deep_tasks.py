"""What is left of the gradient at the lowest of several layers of a language model, and which stacks learn late.

Command: python -m benchmarks.thresholds.deep_tasks (some ten minutes on one core; numbers of layers choose some).
The characters of the fault bench, 4 to 8 layers of 48 units at good rates. Printed are the depth gain of the run log
before the first update and at the 50th, the share of the loss that fell by then below what one answer to everything
gets (`loss_fall_informed`), and at which of 400 updates the task's target was reached (- if never). The number of
layers from which RD106 warns of what stays lost is read from this table.
"""

import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path

from benchmarks.faults import worker
from benchmarks.faults.setting import Setting
from rnn_doctor.derive.depth import depth_gain, depth_gain_start
from rnn_doctor.derive.losses import loss_fall_informed
from rnn_doctor.derive.view import View
from rnn_doctor.schema import reading
from rnn_doctor.schema.signals import Measurement

TASK = "characters"
UPDATES, HIDDEN = 400, 48
LAYERS = (4, 6, 8)


def looked_at(log: Path) -> str:
    """Both gains and the fall of the loss, as the log tells them."""
    view = View(reading.read(log))
    fall = loss_fall_informed(view)
    assert isinstance(fall, Measurement)
    told = [next(iter(gains.values())).value for gains in (depth_gain_start(view), depth_gain(view))]  # type: ignore[union-attr]
    gains = ", ".join("?" if gain is None else f"{gain:+.2f}" for gain in told)
    return f"gain {gains}; fall {fall.value:.2f}"


def main() -> None:
    """Prints the table."""
    worker.warm()
    layers = tuple(map(int, sys.argv[1:])) or LAYERS
    folder = Path(tempfile.mkdtemp())  # what removes itself at exit would be removed by the first fork
    log = folder / "run.jsonl"
    for depth, cell, optimizer in product(layers, ("LSTM", "GRU"), ("SGD", "Adam")):
        setting = Setting(TASK, cell=cell, hidden=HIDDEN, layers=depth, optimizer=optimizer, seed=3)
        log.unlink(missing_ok=True)
        worker.observe(setting, log)
        reached, _, _ = worker.learn(setting, UPDATES, log)
        print(
            f"{cell:4} {depth} {optimizer:4}: {looked_at(log)}; learned after {reached or '-'}",
            flush=True,
        )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
