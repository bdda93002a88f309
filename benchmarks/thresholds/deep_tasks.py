"""What is left of the gradient at the lowest of several layers in tasks of the fault bench, and which of them learn.

Command: python -m benchmarks.thresholds.deep_tasks (some twenty minutes on one core; numbers of layers choose some).
Tasks of the development part and of the held-back one whose network is a stack of torch's layers, with 3 to 6 layers
of 48 units at good rates. Printed are the depth gain of the run log before the first update and at the 50th, the share
of the loss that fell by then below what one answer to everything gets (`loss_fall_informed`), and at which of 400
updates the task's target was reached (- if never). The thresholds of RD106 on what stays lost are held against this
table: no stack that learns may have lost so much at both looks while its loss stood.
"""

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

TASKS = ("lines", "characters", "forecast", "activity", "tagging", "sensors")
UPDATES, HIDDEN = 400, 48
LAYERS = (3, 4, 5, 6)


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
    with tempfile.TemporaryDirectory() as folder:
        for depth, cell, task, optimizer in product(layers, ("LSTM", "GRU", "RNN"), TASKS, ("SGD", "Adam")):
            setting = Setting(task, cell=cell, hidden=HIDDEN, layers=depth, optimizer=optimizer, seed=3)
            log = Path(folder) / "run.jsonl"
            log.unlink(missing_ok=True)
            worker.observe(setting, log)
            reached, _, _ = worker.learn(setting, UPDATES, log)
            print(
                f"{cell:4} {depth} {task:10} {optimizer:4}: {looked_at(log)}; learned after {reached or '-'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
