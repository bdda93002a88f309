"""What the signals cost as a log grows, in calls, which no other work on the machine changes."""

import json
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema import reading
from rnn_doctor.schema.runlog import RunLog

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "charlm_validated.jsonl"


def of_length(path: Path, steps: int) -> RunLog:
    """What that script built, with as many steps."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    rest = [line for line in lines if json.loads(line)["record"] not in ("step", "evaluation")]
    made = [
        {"record": "step", "step": k, "elapsed": k / 50, "loss": 1 + 1 / k, "grad_norm": 1.0, "lr": [0.01],
         "optimizers": [0], "backwards": 1}
        for k in range(1, steps + 1)
    ]  # fmt: skip
    path.write_text("\n".join([*rest[:-2], *map(json.dumps, made), *rest[-2:], ""]), encoding="utf-8")
    return reading.read(path)


def calls(log: RunLog) -> int:
    """Calls of Python functions that all signals make, generators' steps among them."""
    count = 0

    def seen(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        signals(log)
    finally:
        sys.setprofile(before)
    return count


def test_twice_the_steps_cost_no_more_than_about_twice(tmp_path: Path) -> None:
    short, long = (of_length(tmp_path / f"{n}.jsonl", n) for n in (1_000, 2_000))
    assert len(long.steps) == 2 * len(short.steps) == 2_000
    signals(short)  # what is imported when it is needed
    assert calls(long) < 2.5 * calls(short)
