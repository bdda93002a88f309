"""Runs the bench as far as it is not done, and examines what it recorded.

    python -m benchmarks.faults.run [--part blind] [--minutes M]   # labels, logs/, results.jsonl of what is not done
    python -m benchmarks.faults.run --labels [--share K/N]         # labels alone
    python -m benchmarks.faults.run --labels --doses gross         # the same of healthy runs and of these doses alone
    python -m benchmarks.faults.run --observe [--share K/N]        # logs/ anew of what has a label
    python -m benchmarks.faults.run --examine                      # results.jsonl anew from logs/, without training
    python -m benchmarks.faults.page                               # results.md and rules/calibration.json

A label is earned before anything is observed. A training without a fault is healthy if it reaches its task's target
within HEALTHY updates; otherwise it is left out. A training with a fault is ill if its twin is healthy and it has not
reached the target in PATIENCE times the updates that the twin took; otherwise it is left out, and so is what runs out
of time. In a part with twins of two seeds it has to do worse than both. A fault that happens at one update (a value
that is no number) counts only if the same training, without the probe, breaks within the worker.STEPS updates that are
observed: what is seen before is what its healthy twin does, and a report that calls that ill would be a false alarm.
"""

import argparse
import hashlib
import json
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from . import worker
from .examine import examine
from .faults import BY_NAME
from .form import DOSES
from .plan import Scenario, plan
from .task import PARTS

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
    parser.add_argument("--part", choices=PARTS, help="this part alone")
    parser.add_argument(
        "--share",
        default="0/1",
        metavar="K/N",
        help="for N processes: every Nth log from the Kth to observe; every Nth twin with its faults to label",
    )
    parser.add_argument(
        "--doses",
        nargs="+",
        choices=DOSES,
        default=DOSES,
        help="of the faults these; healthy runs are there always",
    )
    parser.add_argument(
        "--labels", action="store_true", help="labels alone: nothing is observed, nothing examined"
    )
    parser.add_argument("--observe", action="store_true", help="what has a label, anew, without examining it")
    parser.add_argument("--examine", action="store_true", help="all logs, without training")
    given = parser.parse_args()
    scenarios = plan(given.rounds)
    wanted = [s for s in scenarios if given.part in (None, s.part) and s.dose in (None, *given.doses)]
    first, processes = map(int, given.share.split("/"))
    LOGS.mkdir(exist_ok=True)
    if given.examine:
        examine_all(scenarios)
    elif given.observe:
        observe_all(wanted, first, processes)
    else:
        mine = [s for s in wanted if _group(s) % processes == first]
        train_all(mine, given.minutes, labels_alone=given.labels)


def _group(scenario: Scenario) -> int:
    """A number that a training with a fault has in common with its twins, which are to be labelled before it."""
    twin = (scenario.twin or scenario.setting).changed(seed=0)
    return int(hashlib.sha256(twin.key().encode()).hexdigest(), 16)


def train_all(scenarios: list[Scenario], minutes: float, *, labels_alone: bool) -> None:
    """Labels and observes what is not labelled yet, until it is done or the time is up."""
    worker.warm()
    labels = {row["key"]: row for row in rows(LABELS)}
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
        health = healthy(scenario, labels)
        if health is not None and not labels_alone and not log_of(scenario).exists():
            _observe(number, scenario, health)


def _observe(number: int, scenario: Scenario, health: bool) -> None:
    """Records it, and examines what was recorded."""
    log = log_of(scenario)
    worker.observe(scenario.setting, log)
    if log.exists():
        result = result_of(scenario, health)
        _append(RESULTS, result)
        said = " ".join(f"{f['rule']}:{f['severity'][0]}" for f in result["findings"]) or result["refused"]
        print(number, "healthy" if health else f"{scenario.fault} {scenario.dose}", "|", said, flush=True)


def observe_all(scenarios: list[Scenario], first: int, processes: int) -> None:
    """Records what has earned a label anew."""
    worker.warm()
    labels = {row["key"]: row for row in rows(LABELS)}
    counted = [s for s in scenarios if healthy(s, labels) is not None]
    for scenario in counted[first::processes]:
        log_of(scenario).unlink(missing_ok=True)
        worker.observe(scenario.setting, log_of(scenario))


def examine_all(scenarios: list[Scenario]) -> None:
    """Writes results.jsonl anew from the logs that there are."""
    labels = {row["key"]: row for row in rows(LABELS)}
    found = [(scenario, healthy(scenario, labels)) for scenario in scenarios]
    seen = [
        (scenario, health) for scenario, health in found if health is not None and log_of(scenario).exists()
    ]
    with ProcessPoolExecutor() as pool:
        results = pool.map(result_of, *zip(*seen, strict=True), chunksize=20)
        lines = [json.dumps(result) + "\n" for result in results]
    RESULTS.write_text("".join(lines), encoding="utf-8")


def healthy(scenario: Scenario, labels: dict[str, dict[str, Any]]) -> bool | None:
    """Whether the training has earned to be called healthy (True) or ill (False); None where neither."""
    row = labels.get(scenario.key)
    if row is None or row["ended"] == "out of time":
        return None
    if scenario.twin is None:
        return True if row["reached"] is not None else None
    slowest = _slowest_twin(scenario, labels)
    if slowest is None:
        return None
    if _sudden(scenario) and row.get("broke") is None:
        return None
    return False if row["reached"] is None or row["reached"] > PATIENCE * slowest else None


def _slowest_twin(scenario: Scenario, labels: dict[str, dict[str, Any]]) -> int | None:
    """The most updates that a twin took to its target; None if one did not reach it."""
    took = [labels.get(twin.key(), {}).get("reached") for twin in scenario.twins]
    reached = [updates for updates in took if updates is not None]
    return max(reached) if len(reached) == len(took) else None


def _sudden(scenario: Scenario) -> bool:
    return scenario.fault is not None and BY_NAME[scenario.fault].sudden


def _label(scenario: Scenario, labels: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    updates = HEALTHY
    if scenario.twin is not None:
        slowest = _slowest_twin(scenario, labels)
        if slowest is None:
            return None
        updates = int(PATIENCE * slowest)
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


def rows(path: Path) -> list[dict[str, Any]]:
    """What a file of JSON Lines holds; nothing where there is none."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _append(path: Path, row: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
