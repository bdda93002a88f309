"""What stacks of many layers show within 50 updates, and whether they learn as soon as a layer or two: RD106.

Command: python -m benchmarks.thresholds.deep_labels (a few minutes). The stacks in the labels of the fault bench,
healthy ones of three and four layers and all that were planted: healthy ones reached their target, late ones did not in
1.5 times the updates that their twins of one or two layers took, those in time did and count for nothing in the bench.
What has no log is observed. `begins`: decades that the lowest layer's gradient had lost before the first update.
"""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.faults import run, worker
from benchmarks.faults.plan import Scenario, plan
from rnn_doctor.derive.depth import BEGINS, BEGINS_LESS
from rnn_doctor.derive.signals import signals
from rnn_doctor.schema import reading

ROUNDS = 12
GROUPS = ((3, 3), (4, 4), (5, 6), (7, 9), (10, 99))


def shown(scenario: Scenario, folder: Path) -> tuple[str, str]:
    """What its gradient begins with, and whether its loss has begun to fall."""
    log = run.log_of(scenario)
    if not log.exists():
        log = folder / log.name
        worker.observe(scenario.setting, log)
    found = signals(reading.read(log), lag=None).signals
    values = {
        name: next((m.value for m in found[name].measurements.values()), None)
        for name in ("depth_gain_start", "stack_learns")
    }
    begins = values["depth_gain_start"]
    assert begins is None or isinstance(begins, float)
    return _size(begins), "begun" if values["stack_learns"] else "not begun"


def _size(begins: float | None) -> str:
    if begins is None:
        return "not seen"
    return next((f"below {line}" for line in (BEGINS_LESS, BEGINS) if begins < line), "above")


def main() -> None:
    """Prints the table."""
    worker.warm()
    labels = {row["key"]: row for row in run.rows(run.LABELS)}
    counts: Counter[tuple[str, str, str, str]] = Counter()
    folder = Path(tempfile.mkdtemp())  # a TemporaryDirectory would go with the first fork that ends
    try:
        for scenario in plan(ROUNDS):
            label, layers = run.healthy(scenario, labels), scenario.setting.layers
            healthy = scenario.fault is None and label is True
            if scenario.key not in labels or layers < 3 or not (healthy or scenario.fault == "deep-stack"):
                continue
            outcome = "healthy" if healthy else "late" if label is False else "in time"
            if outcome == "in time" and not labels[scenario.key]["reached"]:
                continue  # its twin is not healthy
            group = next(f"{low:2d} to {high:2d}" for low, high in GROUPS if low <= layers <= high)
            counts[(group, *shown(scenario, folder), outcome)] += 1
    finally:
        shutil.rmtree(folder)
    for (group, begins, learns, outcome), count in sorted(counts.items()):
        print(f"{group} layers, begins {begins:10}, by the 50th update {learns:9}: {outcome:8} {count:4d}")


if __name__ == "__main__":
    main()
