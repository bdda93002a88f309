"""Lines of the run log, and the files they go to."""

import json
import os
from pathlib import Path

import pytest

from rnn_doctor.capture.probe.schedule import sampled_steps
from rnn_doctor.capture.probe.writer import Writer

HEADER = {"rank": 0, "tool_version": "1"}


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_records_are_held_back_until_the_process_trains(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    writer = Writer(str(path))
    writer.write("module", id=0, name="lstm", location=None)
    assert not writer.is_open
    assert not path.exists()
    writer.open(HEADER)
    writer.write("stop", step=1)
    writer.open(HEADER)  # again: nothing
    header, *rest = lines(path)
    assert (header["record"], header["rank"]) == ("header", 0)
    assert rest == [{"record": "module", "id": 0, "name": "lstm"}, {"record": "stop", "step": 1}]


def test_values_are_those_of_json(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    writer = Writer(str(path))
    writer.open(HEADER)
    values = {
        "nan": float("nan"), "infinite": float("inf"), "negative": -float("inf"), "long": 0.1234567890123,
        "tiny": 1e-45, "large": -1.5e300, "integral": 3.0, "whole": 10**12, "true": True, "no": False,
        "text": 'a "quoted"\n\u00e9\\', "list": [1, float("nan"), None, "x"], "tuple": (0.5, (2,)),
        "nested": {"line": 3, "code": None}, "empty": [],
    }  # fmt: skip
    writer.write("step", **values)
    assert lines(path)[1] == {
        "record": "step", "nan": "NaN", "infinite": "Infinity", "negative": "-Infinity", "long": 0.1234568,
        "tiny": 1e-45, "large": -1.5e300, "integral": 3.0, "whole": 10**12, "true": True, "no": False,
        "text": 'a "quoted"\n\u00e9\\', "list": [1, "NaN", None, "x"], "tuple": [0.5, [2]],
        "nested": {"line": 3}, "empty": [],
    }  # fmt: skip


def test_every_record_stands_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    writer = Writer(str(path))
    writer.open(HEADER)
    for step in range(3):
        writer.write("step", step=step)
        assert lines(path)[-1] == {"record": "step", "step": step}


def test_steps_of_a_fast_script_go_out_together_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    clock = 100.0
    monkeypatch.setattr("rnn_doctor.capture.probe.writer.time.perf_counter", lambda: clock)
    writer = Writer(str(path))
    writer.open(HEADER)
    for step in range(200):
        writer.write("step", step=step)
    seen = len(lines(path))
    assert 100 <= seen < 201
    clock += 1.0
    writer.write("step", step=200)  # the others have waited long enough
    assert len(lines(path)) == 202
    writer.write("step", step=201)
    assert len(lines(path)) == 202
    writer.write("evaluation", step=201)  # whatever is rare is written at once, with all that came before
    assert [line.get("step") for line in lines(path)[1:]] == [*range(202), 201]
    writer.write("step", step=202)
    writer.close()
    assert lines(path)[-1] == {"record": "step", "step": 202}


def test_ranks_and_further_processes_have_files_beside(tmp_path: Path) -> None:
    path = tmp_path / "my.run.jsonl"
    writers = [Writer(str(path)) for _ in range(5)]
    for writer, rank in zip(writers, [0, 1, 0, 1, 0], strict=True):
        writer.open(HEADER | {"rank": rank})
        writer.write("stop", step=rank)
    process = os.getpid()
    expected = {
        "my.run.jsonl": 1,
        "my.run.rank1.jsonl": 1,
        f"my.run.process{process}.jsonl": 2,
        f"my.run.rank1.process{process}.jsonl": 1,
    }
    counts = {p.name: sum(r["record"] == "header" for r in lines(p)) for p in tmp_path.iterdir()}
    assert counts == expected


def test_what_is_written_after_the_end_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    writer = Writer(str(path))
    writer.open(HEADER)
    writer.close()
    writer.close()
    writer.write("step", step=1)
    assert len(lines(path)) == 1


def test_a_folder_that_is_gone_breaks_nothing(tmp_path: Path) -> None:
    writer = Writer(str(tmp_path / "gone" / "run.jsonl"))
    writer.write("module", id=0)
    writer.open(HEADER)
    writer.write("step", step=1)
    writer.open(HEADER)
    writer.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device on this system")
def test_a_full_disk_breaks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    writer = Writer(str(path))
    writer.open(HEADER)
    full = os.open("/dev/full", os.O_WRONLY)
    assert writer._file is not None
    os.dup2(full, writer._file)
    os.close(full)
    writer.write("step", step=1)
    assert writer.is_open  # no second file is begun
    writer.write("step", step=2)
    writer.open(HEADER)
    writer.close()
    assert [path] == list(tmp_path.iterdir())
    assert len(lines(path)) == 1


def test_the_schedule_thins_out_and_ends_with_the_last_step() -> None:
    assert sorted(sampled_steps(30)) == [1, 3, 8, 21, 30]
    assert sorted(sampled_steps(21)) == [1, 3, 8, 21]
    assert sorted(sampled_steps(1)) == [1]
    endless = sorted(sampled_steps(None))
    assert endless[:6] == [1, 3, 8, 21, 55, 144]
    assert 500_000 < endless[-1] <= 1_000_000
