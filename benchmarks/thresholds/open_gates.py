"""What an update gate costs that starts so far open that hardly anything of a sequence enters the state.

Command: python benchmarks/thresholds/open_gates.py (some five minutes on one core). A GRU of the development part of
the fault bench by task, bias of the update gate, and optimizer: the updates until the task's target is reached
(-: not within 600), and what of the state a sequence can replace, 1 - q^T: q is the sigmoid of the bias, T the length.
The threshold of RD602's update gate is read from this table.
"""

import math
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults import worker
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import DEVELOPMENT
from benchmarks.faults.tasks import TASKS, validation

BIASES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
UPDATES = 600


def main() -> None:
    """Prints the table."""
    worker.warm()
    place = Path(tempfile.mkdtemp()) / "run"
    tasks = [t for t in TASKS.values() if t.part == DEVELOPMENT and t.network == "layer" and "GRU" in t.cells]
    for task in tasks:
        length = validation(task)[0].shape[1]
        for optimizer in ("Adam", "momentum"):
            for bias in BIASES:
                setting = Setting(task.name, cell="GRU", hidden=32, optimizer=optimizer, seed=3)
                changed = setting.changed(gate="update", gate_bias=bias) if bias else setting
                reached, curve, _ = worker.learn(changed, UPDATES, place)
                enters = 1 - (1 / (1 + math.exp(-bias))) ** length
                print(
                    f"{task.name:10s} T={length:3d} {optimizer:8s} bias {bias:4.1f}: enters {enters:.3f}, "
                    f"after {reached or '-'}, score {curve[-1]:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
