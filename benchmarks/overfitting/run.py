"""Trains, earns the labels, watches, and writes how rules and baselines judged: benchmarks/overfitting/results.md.

    python -m benchmarks.overfitting.run             # some twenty minutes on an idle core; takes up what is not done
    python -m benchmarks.overfitting.run --observe   # the logs anew, after a change of the probe
    python -m benchmarks.overfitting.run --judge     # results.md anew from what was recorded

Each training runs twice. Unobserved, with its loss on 1,500 samples of its own after each evaluation: it overfits if
each of the last three of these losses lies more than 5 % above the lowest, and does not if none does. The onset is the
first evaluation from which on all of them do. Observed, as `rnn-doctor record --steps all` does: what is judged is this
log, up to the update after each of its evaluations.
"""

import argparse
import hashlib
import json
import math
import os
import runpy
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.faults.worker import fork

from . import ordinary, trainings
from .page import page
from .trainings import Training

HERE = Path(__file__).resolve().parent
LABELS, LOGS = HERE / "labels.jsonl", HERE / "logs"
SETS = {
    "first": trainings.plan,
    "second": trainings.fresh,
    "third": trainings.unseen,
    "fourth": trainings.later,
    "fifth": ordinary.ordinary,
}


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--judge", action="store_true", help="from what was recorded alone")
    parser.add_argument("--part", default="0/1", help="K/N: every Nth training from the Kth, for N processes")
    parser.add_argument("--observe", action="store_true", help="the logs anew, also where there are some")
    parser.add_argument("--set", choices=SETS, help="the trainings of one set alone")
    given = parser.parse_args()
    LOGS.mkdir(exist_ok=True)
    plan = [training for name in ([given.set] if given.set else SETS) for training in SETS[name]()]
    known = labels()
    if not given.judge:
        import_module("torch._dynamo")  # every optimizer imports it; the forks need not
        part, parts = map(int, given.part.split("/"))
        for number, training in list(enumerate(plan))[part::parts]:
            log = log_of(training)
            if training.key not in known:
                known[training.key] = _earn(training)
            if given.observe or not log.exists():
                _observe(training, log)
            print(number, training.key, flush=True)
    known = labels()  # those too that another process has earned meanwhile
    judged = {
        name: [(t, known[t.key], log_of(t)) for t in made() if t.key in known and log_of(t).exists()]
        for name, made in SETS.items()
    }
    (HERE / "results.md").write_text(page(judged), encoding="utf-8")


def log_of(training: Training) -> Path:
    """Where the run log of a training is."""
    return LOGS / f"{hashlib.sha256(training.key.encode()).hexdigest()[:16]}.jsonl"


def labels() -> dict[str, list[float]]:
    """The losses on samples of their own that were earned, by the key of the training."""
    if not LABELS.exists():
        return {}
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    return {row["key"]: row["losses"] for row in rows}


def _earn(training: Training) -> list[float]:
    """The loss on samples of its own after each evaluation."""
    out = LOGS / f"label.{os.getpid()}.part"

    def child() -> None:
        task = trainings.TASKS[training.task]
        data = trainings.outcome_data(task, training)
        losses: list[float] = []
        trainings.run(training, lambda _, model: losses.append(trainings.validate(task, model, data)))
        out.write_text(json.dumps(losses), encoding="utf-8")

    out.unlink(missing_ok=True)
    fork(child)
    losses: list[float] = json.loads(out.read_text(encoding="utf-8"))
    out.unlink()
    with LABELS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": training.key, "losses": [round(v, 5) for v in losses]}) + "\n")
    return losses


def _observe(training: Training, log: Path) -> None:
    """The run log of the whole training, by the real probe."""
    part = log.with_suffix(".part")
    part.unlink(missing_ok=True)
    config: dict[str, Any] = {
        "log": str(part), "steps": None, "time_limit": math.inf, "tool_version": "", "arguments": [],
        "script": "-m benchmarks.overfitting.trainings", "parent": os.getpid(),
    }  # fmt: skip

    def child() -> None:
        os.environ["RNN_DOCTOR_PROBE"] = json.dumps(config)
        import_module("rnn_doctor.capture.probe.arming").arm()
        sys.argv = ["trainings", training.key]
        runpy.run_module("benchmarks.overfitting.trainings", run_name="__main__", alter_sys=True)

    fork(child)
    part.rename(log)


if __name__ == "__main__":
    main()
