"""Runs the bench as far as it is not done, and examines what it recorded.

    python -m benchmarks.faults.run [--rounds N] [--minutes M] [--part held-back]   # labels, logs/, results
    python -m benchmarks.faults.run --examine                       # results.jsonl anew from logs/, without training
    python -m benchmarks.faults.page                                # results.md and rules/calibration.json

A label is earned before anything is observed. A training without a fault is healthy if it reaches its task's target
within HEALTHY updates; otherwise it is left out. A training with a fault is ill if its twin is healthy and it has not
reached the target in PATIENCE times the updates that the twin took; otherwise it is left out, and so is what runs out
of time. A fault that happens at one update (a value that is no number) counts only if the same training, without
the probe, breaks within the worker.STEPS updates that are observed: what is seen before is what its healthy twin does,
and a report that calls that ill would be a false alarm.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from . import worker
from .examine import examine
from .faults import BY_NAME, DEVELOPMENT, HELD_BACK
from .plan import Scenario, plan

HERE = Path(__file__).resolve().parent
LABELS, RESULTS, LOGS = HERE / "labels.jsonl", HERE / "results.jsonl", HERE / "logs"
HEALTHY = 400
"""Updates within which a healthy training reaches its target."""
PATIENCE = 1.5
"""Times as many updates as its twin took may an ill training take, and not reach the target."""


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--part", choices=(DEVELOPMENT, HELD_BACK), help="train this part alone")
    parser.add_argument("--examine", action="store_true")
    given = parser.parse_args()
    scenarios = plan(given.rounds)
    LOGS.mkdir(exist_ok=True)
    if given.examine:
        examine_all(scenarios)
    else:
        train_all([s for s in scenarios if given.part in (None, s.part)], given.minutes)


def train_all(scenarios: list[Scenario], minutes: float) -> None:
    """Labels and observes what is not labelled yet, until it is done or the time is up."""
    worker.warm()
    labels = {row["key"]: row for row in _rows(LABELS)}
    end = time.monotonic() + 60 * minutes
    for number, scenario in enumerate(scenarios):
        if time.monotonic() > end:
            break
        if scenario.key not in labels or (_sudden(scenario) and "broke" not in labels[scenario.key]):
            row = _label(scenario, labels)
            if row is None:
                continue
            labels[scenario.key] = row
            _append(LABELS, row)
        log = log_of(scenario)
        health = healthy(scenario, labels)
        if health is not None and not log.exists():
            worker.observe(scenario.setting, log)
            if log.exists():
                result = result_of(scenario, health)
                _append(RESULTS, result)
                said = (
                    " ".join(f"{f['rule']}:{f['severity'][0]}" for f in result["findings"])
                    or result["refused"]
                )
                print(
                    number,
                    "healthy" if health else f"{scenario.fault} {scenario.dose}",
                    "|",
                    said,
                    flush=True,
                )


def examine_all(scenarios: list[Scenario]) -> None:
    """Writes results.jsonl anew from the logs that there are."""
    labels = {row["key"]: row for row in _rows(LABELS)}
    lines = []
    for scenario in scenarios:
        health = healthy(scenario, labels)
        if health is not None and log_of(scenario).exists():
            lines.append(json.dumps(result_of(scenario, health)) + "\n")
    RESULTS.write_text("".join(lines), encoding="utf-8")


def healthy(scenario: Scenario, labels: dict[str, dict[str, Any]]) -> bool | None:
    """Whether the training has earned to be called healthy (True) or ill (False); None where neither."""
    row = labels.get(scenario.key)
    if row is None or row["ended"] == "out of time":
        return None
    if scenario.twin is None:
        return True if row["reached"] is not None else None
    twin = labels.get(scenario.twin.key())
    if twin is None or twin["reached"] is None:
        return None
    if _sudden(scenario) and row.get("broke") is None:
        return None
    return False if row["reached"] is None or row["reached"] > PATIENCE * twin["reached"] else None


def _sudden(scenario: Scenario) -> bool:
    return scenario.fault is not None and BY_NAME[scenario.fault].sudden


def _label(scenario: Scenario, labels: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    updates = HEALTHY
    if scenario.twin is not None:
        twin = labels.get(scenario.twin.key())
        if twin is None or twin["reached"] is None:
            return None
        updates = int(PATIENCE * twin["reached"])
    began = time.monotonic()
    reached, scores, ended = worker.learn(scenario.setting, updates, log_of(scenario))
    broke = {"broke": worker.breaks(scenario.setting, log_of(scenario))} if _sudden(scenario) else {}
    return {
        "key": scenario.key, "updates": updates, "reached": reached, "ended": ended,
        "seconds": round(time.monotonic() - began, 1), "scores": scores,
    } | broke  # fmt: skip


def result_of(scenario: Scenario, health: bool) -> dict[str, Any]:
    """What the report on the recorded run says, beside what is true."""
    about = {
        "key": scenario.key, "part": scenario.part, "healthy": health, "fault": scenario.fault,
        "form": scenario.form, "dose": scenario.dose,
    }  # fmt: skip
    return about | examine(scenario.setting, log_of(scenario))


def log_of(scenario: Scenario) -> Path:
    """Where its run log lies."""
    return LOGS / f"{hashlib.sha256(scenario.key.encode()).hexdigest()[:16]}.jsonl"


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _append(path: Path, row: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
