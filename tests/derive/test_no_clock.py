"""No signal looks at a clock: what runs beside a script, and how fast its machine is, change no verdict."""

import json
from pathlib import Path

import pytest

from rnn_doctor import pipeline
from rnn_doctor.schema import reading
from rnn_doctor.settings import Settings
from tests.sample_logs import FOLDER

TIMES = {"elapsed", "seconds", "probe_seconds"}


@pytest.mark.parametrize("name", ["charlm_exploding", "classifier_frozen_encoder"])
def test_a_machine_ten_times_slower_gives_the_same_findings(name: str, tmp_path: Path) -> None:
    records = [
        json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    slow = tmp_path / f"{name}.jsonl"
    changed = 0
    with slow.open("w", encoding="utf-8") as file:
        for record in records:
            times = {key: 10 * value for key, value in record.items() if key in TIMES}
            changed += len(times)
            file.write(json.dumps(record | times) + "\n")
    assert changed > len(records) / 4, "the log holds times"
    fast_report, slow_report = (
        pipeline.examine(reading.read(path), Settings()) for path in (FOLDER / f"{name}.jsonl", slow)
    )
    assert slow_report.observation != fast_report.observation
    assert slow_report.model_copy(update={"observation": fast_report.observation}) == fast_report
