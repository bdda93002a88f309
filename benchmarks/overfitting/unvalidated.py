"""What few updates tell of the trainings where their validation is taken out: benchmarks/overfitting/unvalidated.md.

    python -m benchmarks.overfitting.unvalidated           # twenty minutes on one core; takes up what is not done
    python -m benchmarks.overfitting.unvalidated --judge   # the page anew from what was recorded

Each training of trainings.py that has at most 16 batches a pass is observed as `rnn-doctor check` does it, for 50 and
for 200 updates, and does not validate. Copies of its network learn without a quarter of the examples each
(rnn_doctor/capture/probe/trials/withheld.py), and RD502 judges by these. Held against the same labels as there:
whether the loss on 1,500 samples of its own ends more than 5 % above its lowest, and whether it does by then. Larger
data get no copies. Copies may wait for the machine as long as it takes: what they compute is limited, not the clock.
"""

import hashlib
import json
import os
import runpy
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.faults.worker import fork
from rnn_doctor import pipeline
from rnn_doctor.capture.probe.trials.withholding import MOST_BATCHES
from rnn_doctor.derive.view import View
from rnn_doctor.derive.withheld import copied, memorizing_parting, withheld_gap, withheld_lost
from rnn_doctor.schema import reading
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.settings import Settings

from . import trainings
from .judge import ABOVE, EVERY, FEW, LAST
from .trainings import Training

HERE = Path(__file__).resolve().parent
LABELS, LOGS, PAGE = HERE / "labels.jsonl", HERE / "logs", HERE / "unvalidated.md"


@dataclass(frozen=True)
class Seen:
    """One training, its outcome, and what was said of its first updates."""

    training: Training
    truth: list[float]
    steps: int
    said: list[str]
    """Findings of the condition; notes in brackets."""
    copy: str
    """What the copy showed, or why there was none."""
    made: bool

    @property
    def overfits(self) -> bool | None:
        """The earned label; None where the last losses jump from one side to the other."""
        above = [loss > ABOVE * min(self.truth) for loss in self.truth[-LAST:]]
        return all(above) if len(set(above)) == 1 else None

    @property
    def already(self) -> bool:
        """Whether it has overfitted by then."""
        low = [k for k, loss in enumerate(self.truth) if loss <= ABOVE * min(self.truth)]
        return bool(self.overfits) and (low[-1] + 2) * EVERY <= self.steps


def main() -> None:
    """Observes what is not observed yet, and writes the page."""
    LOGS.mkdir(exist_ok=True)
    labels = {row["key"]: row["losses"] for row in map(json.loads, LABELS.read_text("utf-8").splitlines())}
    if "--judge" not in sys.argv:
        import_module("torch._dynamo")  # every optimizer imports it; the forks need not
        for steps in FEW:
            for training in (*_small(trainings.plan()), *_small(trainings.fresh())):
                if not _log_of(training, steps).exists():
                    _observe(training, steps)
                    print(steps, training.key, flush=True)
    parts = (_small(trainings.plan()), _small(trainings.fresh()))
    seen = [
        [_seen(t, labels[t.key], k) for t in part for k in FEW if _log_of(t, k).exists()] for part in parts
    ]
    PAGE.write_text("\n".join(_page(*seen)), encoding="utf-8")


def _small(part: list[Training]) -> list[Training]:
    """Those that copies are made of."""
    return [each for each in part if each.samples <= MOST_BATCHES * each.batch]


def _log_of(training: Training, steps: int) -> Path:
    return LOGS / f"{hashlib.sha256(training.key.encode()).hexdigest()[:16]}.unvalidated{steps}.jsonl"


def _observe(training: Training, steps: int) -> None:
    log = _log_of(training, steps)
    part = log.with_suffix(".part")
    part.unlink(missing_ok=True)
    config: dict[str, Any] = {
        "log": str(part), "steps": steps, "time_limit": 1e9, "validate": True, "tool_version": "",
        "arguments": [], "script": "-m benchmarks.overfitting.trainings", "parent": os.getpid(),
    }  # fmt: skip

    def child() -> None:
        # Of the clock: the machine may be busy, and what the copies compute is what is judged.
        import_module("rnn_doctor.capture.probe.trials.withholding")._PATIENCE = 1000.0
        os.environ["RNN_DOCTOR_PROBE"] = json.dumps(config)
        import_module("rnn_doctor.capture.probe.arming").arm()
        sys.argv = ["trainings", training.key, "unvalidated"]
        runpy.run_module("benchmarks.overfitting.trainings", run_name="__main__", alter_sys=True)

    fork(child)
    part.rename(log)


def _seen(training: Training, truth: list[float], steps: int) -> Seen:
    log = reading.read(_log_of(training, steps))
    report = pipeline.examine(log, Settings())
    said = sorted(
        {
            f"({f.rule})" if f.severity == "note" else f.rule
            for f in report.findings
            if f.condition == "overfitting"
        }
    )
    view = View(log)
    copy = view.once(copied)
    return Seen(
        training,
        truth,
        steps,
        said,
        copy if isinstance(copy, str) else _numbers(view),
        not isinstance(copy, str),
    )


def _numbers(view: View) -> str:
    def number(measured: Measurement | dict[str, Measurement]) -> str:
        assert isinstance(measured, Measurement)
        return "?" if measured.value is None else f"{measured.value:.2f}"

    made = view.log.withheld
    assert made is not None
    return (
        f"{made.examples} examples, {made.looks[-1].step} updates: gap {number(withheld_gap(view))}, "
        f"grown {number(memorizing_parting(view))}, above its lowest {number(withheld_lost(view))}"
    )


def _page(known: list[Seen], fresh: list[Seen]) -> list[str]:
    return [
        "# Overfitting without a validation: copies that learn without some of the examples",
        "",
        "Command: `python -m benchmarks.overfitting.unvalidated`. What is done: its first lines. What was not observed",
        "yet is left out: after 200 updates those that overfit. A note stands in brackets.",
        "",
        *_set("The trainings whose labels the rules were mended with", known),
        *_set("Others", fresh),
    ]


def _set(title: str, seen: list[Seen]) -> list[str]:
    return [
        f"## {title}",
        "",
        "| after | trainings | copies were made | RD502 warns | RD502, a note |",
        "|---|---|---|---|---|",
        *(_row(steps, name, group) for steps in FEW for name, group in _groups(seen, steps).items()),
        "",
        "| training | last over lowest | after | said | copy |",
        "|---|---|---|---|---|",
        *(
            f"| {each.training.key.replace('_', chr(92) + '_')} | {each.truth[-1] / min(each.truth):.2f}"
            f"{'?' if each.overfits is None else ''} | {each.steps} | {' '.join(each.said) or '-'} | {each.copy} |"
            for each in seen
        ),
        "",
    ]


def _groups(seen: list[Seen], steps: int) -> dict[str, list[Seen]]:
    then = [each for each in seen if each.steps == steps]
    return {
        "that will overfit": [each for each in then if each.overfits],
        "that do by then": [each for each in then if each.already],
        "that will not": [each for each in then if each.overfits is False],
    }


def _row(steps: int, name: str, group: list[Seen]) -> str:
    made = sum(each.made for each in group)
    warned, noted = (sum(word in each.said for each in group) for word in ("RD502", "(RD502)"))
    return f"| {steps} updates | {len(group)} {name} | {made} | {warned} | {noted} |"


if __name__ == "__main__":
    main()
