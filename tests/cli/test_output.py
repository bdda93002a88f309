"""Where reports go, and in which form."""

import io
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rnn_doctor.cli import output
from rnn_doctor.errors import DoctorError
from tests.cli.conftest import Run
from tests.recorded import BUILT, CRASH, HEADER, exited, steps, stop, write

HEALTHY = (*BUILT, *steps(30), stop("steps"), exited(0))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with three runs: a healthy one, one that crashed late, one that never trained."""
    write(tmp_path / "healthy.jsonl", HEALTHY)
    write(tmp_path / "late.jsonl", [*BUILT, *steps(20), CRASH, stop("crash"), exited(1)])
    write(tmp_path / "early.jsonl", [*BUILT, *steps(7), CRASH, stop("crash"), exited(1)])
    write(tmp_path / "idle.jsonl", [*BUILT, stop("script_end"), exited(0)])
    return tmp_path


def test_the_report_alone_is_on_stdout(run: Run, logs: Path) -> None:
    result = run("diagnose", "healthy.jsonl")
    assert result.code == 0
    assert "train.py" in result.out
    assert result.err == ""


def test_json_keeps_its_published_schema(run: Run, logs: Path) -> None:
    report = json.loads(run("diagnose", "-f", "json", "healthy.jsonl").out)
    schema = json.loads(run("schema", "report").out)
    Draft202012Validator(schema).validate(report)
    assert (report["subject"]["script"], report["observation"]["steps"]) == ("train.py", 30)
    assert set(report) == set(schema["properties"])


def test_several_runs_are_reported_one_after_another(run: Run, logs: Path) -> None:
    result = run("diagnose", "healthy.jsonl", "late.jsonl")
    assert result.out.count("vanishing gradients") == 2
    reports = json.loads(run("diagnose", "-f", "json", "healthy.jsonl", "late.jsonl").out)
    assert [report["observation"]["steps"] for report in reports] == [30, 20]


def test_one_unreadable_run_does_not_hide_the_others(run: Run, logs: Path) -> None:
    result = run("diagnose", "-f", "json", "nowhere.jsonl", "idle.jsonl", "healthy.jsonl")
    assert result.code == 2
    assert [report["observation"]["steps"] for report in json.loads(result.out)] == [30]
    assert "nowhere.jsonl: No such file" in result.err
    assert "made no update" in result.err
    assert run("diagnose", "idle.jsonl", "healthy.jsonl").code == 3


def test_a_late_crash_is_judged_and_an_early_one_ends_in_3(run: Run, logs: Path) -> None:
    late = run("diagnose", "late.jsonl")
    assert late.code == 0
    assert "failed after 20 updates: it raised ValueError: no such batch at train.py:40" in late.err
    early = run("diagnose", "early.jsonl")
    assert early.code == 3
    assert "failed after 7 updates" in early.err
    assert "too few" in early.err
    assert early.out, "what was seen is reported all the same"


def test_few_steps_of_a_script_that_ended_are_judged_and_said(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "run.jsonl", [*BUILT, *steps(2), stop("script_end"), exited(0)])
    result = run("diagnose", "run.jsonl")
    assert result.code == 0
    assert "only 2 updates seen" in result.err
    assert "2 updates were seen" in " ".join(result.out.split())
    assert run("diagnose", "-q", "run.jsonl").err == ""


def test_one_update_without_findings_is_no_healthy_run(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "run.jsonl", [*BUILT, *steps(1), stop("script_end"), exited(0)])
    result = run("diagnose", "run.jsonl")
    assert result.code == 3
    assert "have the script train longer" in result.err


def test_a_script_that_never_updates_need_not_train_longer(run: Run, tmp_path: Path) -> None:
    never = {**stop("script_end"), "backwards": 99}
    write(tmp_path / "run.jsonl", [*BUILT, never, exited(0)])
    result = run("diagnose", "run.jsonl")
    assert result.code == 1
    assert "RD311" in result.out
    assert result.err == ""


def test_verbose_says_how_it_was_observed(run: Run, logs: Path) -> None:
    err = run("diagnose", "-v", "healthy.jsonl").err
    assert "observed 30 updates; the requested number of steps was reached; 2.0% of the time" in " ".join(
        err.split()
    ).replace(", 2.0%", "; 2.0%")


def test_a_file_is_written_whole_and_readable(run: Run, logs: Path) -> None:
    result = run("diagnose", "-f", "json", "-o", "report.json", "healthy.jsonl")
    assert (result.code, result.out) == (0, "")
    assert json.loads((logs / "report.json").read_text(encoding="utf-8"))["findings"] == []
    mask = os.umask(0)
    os.umask(mask)
    assert (logs / "report.json").stat().st_mode & 0o777 == 0o666 & ~mask
    assert [path.name for path in logs.iterdir() if path.name.startswith(".")] == []


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old", encoding="utf-8")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DoctorError, match="No space left on device"):
        output.to_file("new", path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.txt"]
    assert path.read_text(encoding="utf-8") == "old"


def test_a_dash_is_no_file(run: Run, logs: Path) -> None:
    result = run("diagnose", "-o", "-", "healthy.jsonl")
    assert (result.code, "without -o" in result.err, (logs / "-").exists()) == (2, True, False)


def test_a_link_leads_where_it_led(run: Run, logs: Path) -> None:
    (logs / "kept").mkdir()
    (logs / "kept" / "report.json").write_text("old", encoding="utf-8")
    (logs / "latest.json").symlink_to(Path("kept") / "report.json")
    assert run("diagnose", "-o", "latest.json", "healthy.jsonl").code == 0
    assert (logs / "latest.json").is_symlink()
    assert json.loads((logs / "kept" / "report.json").read_text(encoding="utf-8"))["findings"] == []


def test_a_pipe_is_written_to_and_stays_one(run: Run, logs: Path) -> None:
    """As /dev/stdout, /dev/fd/63 of `>(...)` and devices: a file in their place would be the machine's loss."""
    os.mkfifo(logs / "pipe")
    with ThreadPoolExecutor() as readers:
        read = readers.submit((logs / "pipe").read_text, encoding="utf-8")
        assert run("diagnose", "-f", "json", "-o", "pipe", "healthy.jsonl").code == 0
        assert json.loads(read.result(timeout=30))["findings"] == []
    assert (logs / "pipe").is_fifo()


def test_the_streams_of_a_process_are_written_to_even_where_they_are_files(tmp_path: Path) -> None:
    with (tmp_path / "all.txt").open("a+", encoding="utf-8") as file:
        file.write("before")
        file.flush()
        output.to_file("report", Path(f"/proc/self/fd/{file.fileno()}"))
    assert "report" in (tmp_path / "all.txt").read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["all.txt"]


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("rnn_doctor.cli.output.tempfile.mkstemp", refused)
    with pytest.raises(DoctorError, match=r"report\.txt: cannot be written: Read-only file system"):
        output.to_file("new", tmp_path / "report.txt")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_under_stdout_is_no_bug_of_ours(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        result = run("rule", "RD103")
    assert result.code == 2
    assert "stdout: cannot be written: No space left on device" in result.err
    assert "bug" not in result.err


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "café ≥ 3 → ok"), ("ascii", "caf? >= 3 -> ok"), ("latin-1", "café >= 3 -> ok")],
)
def test_what_stdout_cannot_print_is_replaced(
    encoding: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    output.to_stdout("café ≥ 3 → ok")
    stdout.flush()
    assert stdout.buffer.getvalue().decode(encoding) == expected + "\n"


def test_json_is_utf8_in_every_locale(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "run.jsonl", [HEADER | {"script": "übung.py"}, *BUILT[1:], *steps(30), stop("steps")])
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        run("diagnose", "-f", "json", "run.jsonl")
    assert json.loads(stdout.buffer.getvalue())["subject"]["script"] == "übung.py"


@pytest.mark.parametrize(("severity", "limits"), [("note", {"note"}), ("warning", {"note", "warning"})])
def test_fail_on_decides_which_findings_count(severity: str, limits: set[str]) -> None:
    from rnn_doctor import expectations

    for fail_on in ("error", "warning", "note", "never"):
        assert expectations.severe(severity, fail_on) == (fail_on in limits)
