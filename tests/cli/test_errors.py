"""Whatever is wrong ends in one clear sentence with what to do, and in the right exit code."""

import re
from pathlib import Path

import pytest

from rnn_doctor import pipeline
from tests.cli.conftest import Run
from tests.recorded import BUILT, HEADER, OPTIMIZER, exited, steps, stop, write


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("chek train.py", 2, "no command 'chek' (did you mean 'check'?)"),
        ("train.py", 2, "type `rnn-doctor check train.py`"),
        ("check", 2, "no script was named"),
        ("check nowhere.py", 2, "nowhere.py: no such script"),
        ("check .", 2, ". is a directory"),
        ("check -m ./here.py", 2, "leave -m out, or type -m here"),
        ("check notes.ipynb", 2, "notes.ipynb is a notebook"),
        ("check --stpes 3 here.py", 2, "Did you mean '--steps'"),
        ("check --steps 0 here.py", 2, "--steps: '0' is not a whole number of at least 1"),
        ("check --steps some here.py", 2, "--steps: 'some' is not a whole number"),
        ("check --time-limit -3 here.py", 2, "--time-limit: '-3' is not a number of seconds above 0"),
        ("check -f xml here.py", 2, "--format: 'xml' is not one of terminal, json"),
        ("check --fail-on warn here.py", 2, "(did you mean 'warning'?)"),
        ("check --select RD998 here.py", 2, "no rule matches 'RD998'"),
        ("check --rules nowhere here.py", 2, "nowhere: no such folder"),
        ("check --python nowhere/python here.py", 2, "'nowhere/python' is not an executable file"),
        ("check -q -v here.py", 2, "quiet and verbose exclude each other"),
        ("check -o nowhere/report.txt here.py", 2, "there is no folder nowhere"),
        ("check -o . here.py", 2, ". is a directory"),
        ("check --log nowhere/run.jsonl here.py", 2, "there is no folder nowhere"),
        ("record -o nowhere/run.jsonl here.py", 2, "there is no folder nowhere"),
        ("diagnose", 2, "Missing argument"),
        ("diagnose nowhere.jsonl", 2, "nowhere.jsonl: No such file"),
        ("diagnose .", 2, ". is a directory"),
        ("diagnose here.py", 2, "here.py"),
        ("diagnose -f xml run.jsonl", 2, "'xml' is not one of"),
        ("diagnose -o nowhere/r.json run.jsonl", 2, "there is no folder nowhere"),
        ("rule RD998", 2, "no rule 'RD998'"),
        ("rule gradient-spike", 2, "(did you mean 'gradient-spikes'?)"),
        ("rule gated-cell", 2, "it is told with its rules: rnn-doctor rule RD"),
        ("rule --test nowhere", 2, "nowhere: no such folder"),
        ("rule --test .", 2, "no rule files"),
        ("schema", 2, "no format was named"),
        ("schema reprot", 2, "no format 'reprot' (did you mean 'report'?)"),
        ("schema report --check nowhere.json", 2, "nowhere.json: No such file"),
    ],
)
def test_bad_input(run: Run, tmp_path: Path, line: str, code: int, message: str) -> None:
    (tmp_path / "here.py").write_text("raise SystemExit('must not run')\n", encoding="utf-8")
    (tmp_path / "notes.ipynb").write_text("{}", encoding="utf-8")
    result = run(*line.split())
    assert result.code == code
    assert message in result.err
    assert result.out == ""
    assert result.err.startswith("rnn-doctor: ")
    assert "must not run" not in result.err
    assert len(result.err.strip().splitlines()) <= 2, "a sentence, and what to do"
    assert "Traceback" not in result.err


def test_a_wrong_key_in_pyproject_is_told_before_anything_runs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.rnn-doctor]\nstpes = 3\n", encoding="utf-8")
    result = run("check", "here.py")
    assert result.code == 2
    assert "has no key 'stpes' (did you mean 'steps'?)" in result.err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('select = ["RD998"]', "[tool.rnn-doctor] select: no rule matches 'RD998'"),
        ('ignore = ["spike"]', "[tool.rnn-doctor] ignore: no rule matches 'spike'"),
        ('baseline = "old.json"', "[tool.rnn-doctor] baseline: "),
        ('python = "no/python"', "[tool.rnn-doctor] python: "),
        ("thresholds.RD998.x = 1", "[tool.rnn-doctor] thresholds.RD998: no rule 'RD998'"),
        (
            "thresholds.RD303.clip = 1",
            "[tool.rnn-doctor] thresholds.RD303.clip: RD303 over-clipping has no such",
        ),
        (
            '[[tool.rnn-doctor.per-script]]\nmatch = "here.py"\nthresholds.RD303.clip = 1',
            "[[tool.rnn-doctor.per-script]] 1 thresholds.RD303.clip: RD303",
        ),
        (
            '[[tool.rnn-doctor.check]]\nscript = "gone.py"',
            "[[tool.rnn-doctor.check]] gone.py: gone.py: no such",
        ),
        (
            '[[tool.rnn-doctor.check]]\nscript = "here.py"\nselect = ["RD998"]',
            "[[tool.rnn-doctor.check]] here.py: select: no rule matches",
        ),
        (
            '[[tool.rnn-doctor.check]]\nscript = "here.py"\nknown = ["RD998"]',
            "[[tool.rnn-doctor.check]] here.py: no rule 'RD998'",
        ),
    ],
)
def test_what_is_wrong_in_pyproject_is_told_with_file_and_key(
    run: Run, tmp_path: Path, table: str, message: str
) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.rnn-doctor]\n{table}\n", encoding="utf-8")
    (tmp_path / "here.py").write_text("raise SystemExit(4)\n", encoding="utf-8")
    result = run("check", *([] if ".check]]" in table else ["here.py"]))
    assert (result.code, result.out) == (2, "")
    assert f"rnn-doctor: {path}: {message}" in result.err
    assert result.err.count("\n  ") == 1, "and what to do"


def test_a_damaged_log_names_its_line(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", [*BUILT, *steps(3), stop("steps")])
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace("parameter", "paramter")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = run("diagnose", "run.jsonl")
    assert result.code == 2
    assert "run.jsonl:4: not a run-log record" in result.err


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe", b"{}\n", b'[1]\n"x"\n', b"PK\x03\x04" * 100, b"\n"]
)
def test_what_is_no_log_is_told(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.jsonl").write_bytes(content)
    result = run("diagnose", "run.jsonl")
    assert result.code == 2
    assert re.match(r"rnn-doctor: run\.jsonl", result.err)
    assert "internal error" not in result.err


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([*BUILT, stop("script_end"), exited(0)], "made no update"),
        ([HEADER, OPTIMIZER, *steps(30), stop("steps"), exited(0)], "no recurrent network was seen"),
    ],
)
def test_a_log_without_a_training_ends_in_3(run: Run, tmp_path: Path, records: list, message: str) -> None:  # type: ignore[type-arg]
    write(tmp_path / "run.jsonl", records)
    result = run("diagnose", "run.jsonl")
    assert (result.code, result.out) == (3, "")
    assert message in result.err


def test_a_bug_of_ours_is_one_sentence(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(pipeline, "examine", broken)
    write(tmp_path / "run.jsonl", [*BUILT, *steps(30), stop("steps")])
    result = run("diagnose", "run.jsonl")
    assert result.code == 2
    assert "a bug of rnn-doctor and not of your script: ZeroDivisionError: a b (test_errors.py:" in result.err
    assert "RNN_DOCTOR_DEBUG=1" in result.err
    assert "Traceback" not in result.err
    monkeypatch.setenv("RNN_DOCTOR_DEBUG", "1")
    assert "Traceback" in run("diagnose", "run.jsonl").err


def test_ctrl_c_ends_in_130(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "examine", interrupted)
    write(tmp_path / "run.jsonl", [*BUILT, *steps(30), stop("steps")])
    result = run("diagnose", "run.jsonl")
    assert (result.code, result.err.strip()) == (130, "rnn-doctor: interrupted")


def test_no_command_shows_the_commands(run: Run) -> None:
    result = run()
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: rnn-doctor [OPTIONS] COMMAND")
    assert "\n  check " in result.err
