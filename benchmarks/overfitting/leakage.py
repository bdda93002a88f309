"""How many validation examples may stand in the training data before overfitting is no longer seen.

Command: python -m benchmarks.overfitting.leakage (some three minutes on an idle core). Eight trainings of the kind that
overfit, with seeds of their own; of the examples that they validate on, a share is exchanged for training examples.
RD501 and RD502 judge the run log after 400 updates. Told besides: how far the last validation loss lies above the
lowest, and the share that `validation_seen_share` finds after 50 updates and after 400. The threshold of RD505 is read
from this table.
"""

import json
import math
import os
import runpy
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.faults.worker import fork
from rnn_doctor import pipeline
from rnn_doctor.derive.signals import signals
from rnn_doctor.schema import reading
from rnn_doctor.schema.report import Report
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.signals import RUN
from rnn_doctor.settings import Settings

from .judge import Recorded
from .trainings import Training

SHARES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
TRAININGS = tuple(
    Training(task, cell, samples, hidden=64, rate=5e-3, seed=900 + k)
    for k, (task, cell, samples) in enumerate(
        (
            ("lines", "GRU", 48), ("words", "LSTM", 48), ("tagging", "GRU", 96), ("activity", "LSTM", 48),
            ("policy", "GRU", 48), ("characters", "LSTM", 32), ("lines", "LSTM", 96), ("words", "RNN", 32),
        )
    )
)  # fmt: skip


def observed(training: Training, leaked: float, log: Path) -> RunLog:
    """The run log of the training, by the real probe."""
    config: dict[str, Any] = {
        "log": str(log), "steps": None, "time_limit": math.inf, "tool_version": "", "arguments": [],
        "script": "trainings", "parent": os.getpid(),
    }  # fmt: skip

    def child() -> None:
        os.environ["RNN_DOCTOR_PROBE"] = json.dumps(config)
        import_module("rnn_doctor.capture.probe.arming").arm()
        sys.argv = ["trainings", training.key, str(leaked)]
        runpy.run_module("benchmarks.overfitting.trainings", run_name="__main__", alter_sys=True)

    fork(child)
    return reading.read(log)


def found(report: Report, rule: str) -> bool:
    """Whether a rule found more than a note."""
    return any(f.rule == rule and f.severity != "note" for f in report.findings)


def main() -> None:
    """Prints the table."""
    import_module("torch._dynamo")  # every optimizer imports it; the forks need not
    print(
        "share leaked | RD501 | RD502 | last over lowest, median | share found, lowest to highest: after 50 | after 400"
    )
    folder = tempfile.mkdtemp()  # not one that removes itself at exit: the forks exit, too
    try:
        for leaked in SHARES:
            rows: list[tuple[bool, bool]] = []
            ratios: list[float] = []
            shares: list[list[float]] = []
            for training in TRAININGS:
                log = observed(training, leaked, Path(folder, f"{training.seed}-{leaked}.jsonl"))
                recorded = Recorded(training, (), log)
                report = pipeline.examine(log, Settings())
                losses = recorded.validation
                measured = [
                    signals(each).signals["validation_seen_share"].measurements[RUN].value
                    for each in (recorded.until(50), log)
                ]
                rows.append((found(report, "RD501"), found(report, "RD502")))
                ratios.append(losses[-1] / min(losses))
                shares.append([float(value or 0) for value in measured])
            count = len(rows)
            early, late = zip(*shares, strict=True)
            print(
                f"{leaked:4.0%} | {sum(row[0] for row in rows)} of {count} | {sum(row[1] for row in rows)} of {count} "
                f"| {median(ratios):.2f} | {min(early):.3f} to {max(early):.3f} | {min(late):.3f} to {max(late):.3f}",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
