"""What networks learn whose recurrent weights stay as they were drawn, and how far their loss falls at first.

Command: python -m benchmarks.thresholds.frozen (some four minutes on one core). Tasks of the unseen part of the fault
bench, over torch's own modules, at good rates: everything but the head is frozen, or the recurrence alone while an
embedding below it learns. Printed are the share by which the training loss fell within 50 updates (`loss_fall`; ? where
the loss is not positive), whether RD307 takes the recurrence for frozen as it was drawn, and after how many of 400
updates the task's target was reached (- if never), with that of the twin that learns as a whole. The limit of RD307
between a warning and a note is read from this table.
"""

import shutil
import tempfile
from itertools import product
from pathlib import Path

from benchmarks.faults import worker
from benchmarks.faults.setting import Setting
from rnn_doctor.derive.signals import signals
from rnn_doctor.schema import reading

TASKS = ("traffic", "phones", "orders", "sentences", "reviews")
UPDATES = 400
WAYS = {"all but the head": {"optimized": "frozen"}, "recurrence": {"frozen": "recurrence"}}


def looked_at(log: Path) -> str:
    """How far the loss fell, and what the frozen modules look like."""
    found = signals(reading.read(log)).signals
    fall = next(iter(found["loss_fall"].measurements.values())).value
    drawn = [m.value for m in found["recurrence_frozen_fresh"].measurements.values()]
    return f"fall {'?' if fall is None else format(fall, '5.2f')}  as drawn {'yes' if drawn and all(drawn) else 'no'}"


def main() -> None:
    """Prints the table."""
    worker.warm()
    folder = Path(tempfile.mkdtemp())  # what removes itself at exit would be removed by the first fork
    log = folder / "run.jsonl"
    for cell, task in product(("GRU", "LSTM"), TASKS):
        plain = Setting(task, cell=cell, hidden=40, seed=5)
        twin, _, _ = worker.learn(plain, UPDATES, log)
        for way, changes in WAYS.items():
            setting = plain.changed(**changes)
            log.unlink(missing_ok=True)
            worker.observe(setting, log)
            reached, _, _ = worker.learn(setting, UPDATES, log)
            told = looked_at(log) if log.exists() else "not seen"
            print(
                f"{task:11} {cell:4} {way:16}: {told}; learned after {reached or '-':>3}, twin {twin or '-':>3}",
                flush=True,
            )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
