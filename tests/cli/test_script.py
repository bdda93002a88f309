"""Where our options end and the script's begin."""

import sys
from pathlib import Path
from typing import Any

import pytest

from rnn_doctor import pipeline, targets
from rnn_doctor.capture import launch
from tests.cli.conftest import Run


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[launch.Target, Path, Any]]:
    """What was to be run, where its log goes, and with which settings; nothing is run."""
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    calls: list[tuple[launch.Target, Path, Any]] = []

    def record(target: launch.Target, log: Path, settings: Any, **_: Any) -> launch.Outcome:
        calls.append((target, log, settings))
        return launch.Outcome(log=None, exit_code=0, reason="ended")

    monkeypatch.setattr(pipeline, "record", record)
    return calls


@pytest.mark.parametrize(
    ("line", "path", "arguments"),
    [
        ("train.py", "train.py", ""),
        ("--steps 9 train.py --help", "train.py", "--help"),
        ("-q train.py -q -f json --steps 3", "train.py", "-q -f json --steps 3"),
        ("-f json train.py -- --x", "train.py", "-- --x"),
        ("-- train.py -m x", "train.py", "-m x"),
        ("-m pkg.mod", "pkg.mod", ""),
        ("-m pkg.mod --help -- --steps 3", "pkg.mod", "--help -- --steps 3"),
        ("-qm pkg.mod -m other", "pkg.mod", "-m other"),
        ("-mpkg.mod train.py", "pkg.mod", "train.py"),
        ("--steps 9 -fjson -m pkg.mod -v", "pkg.mod", "-v"),
        ("--fail-on=note -m pkg.mod -- x", "pkg.mod", "-- x"),
        ("--select RD103 -m pkg.mod", "pkg.mod", ""),
    ],
)
def test_what_follows_the_script_is_its_own(
    launched: list[tuple[launch.Target, Path, Any]], run: Run, line: str, path: str, arguments: str
) -> None:
    assert run("check", *line.split()).code == 3, "nothing was run, so nothing was seen"
    target = launched[0][0]
    assert (target.path, list(target.arguments)) == (path, arguments.split())
    assert target.is_module == (path == "pkg.mod")
    assert target.python == sys.executable


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("check train.py --steps 9 --fail-on=note -q", "--steps, --fail-on=note: given to train.py"),
        ("check train.py --fail-on note", "type it in front: rnn-doctor check --fail-on ... train.py"),
        ("check -m pkg.mod --deep", "--deep: given to pkg.mod, for what follows PKG.MOD is its own"),
        ("check train.py --epochs 3 --help --output x --log-file y", ""),
        ("check -q train.py --steps 9", ""),
        ("check --steps 9 train.py", ""),
        ("record -o run.jsonl train.py --steps 9", "--steps: given to train.py"),
        ("record train.py -o run.jsonl --steps 9", ""),
    ],
)
@pytest.mark.usefixtures("launched")
def test_options_that_the_script_got_and_does_not_know_are_told(run: Run, line: str, told: str) -> None:
    Path("train.py").write_text("parser.add_argument('--output')\nargs.output", encoding="utf-8")
    done = run(*line.split())
    assert told in done.err
    assert bool(told) == ("given to" in done.err)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-o run.jsonl train.py --epochs 3", ("--epochs 3", "run.jsonl", 50)),
        ("-o run.jsonl train.py -o model.pt", ("-o model.pt", "run.jsonl", 50)),
        ("--output=run.jsonl train.py -o model.pt", ("-o model.pt", "run.jsonl", 50)),
        ("train.py -o run.jsonl", ("", "run.jsonl", 50)),
        ("train.py --epochs 3 -o run.jsonl --steps all", ("--epochs 3", "run.jsonl", "all")),
        ("--steps 7 train.py --output=run.jsonl", ("", "run.jsonl", 7)),
        ("train.py -o model.pt -o run.jsonl", ("-o model.pt", "run.jsonl", 50)),
        ("-m pkg.mod --epochs 3 -o run.jsonl", ("--epochs 3", "run.jsonl", 50)),
    ],
)
def test_record_takes_its_file_before_the_script_or_at_the_end(
    launched: list[tuple[launch.Target, Path, Any]],
    run: Run,
    line: str,
    expected: tuple[str, str, int | str],
) -> None:
    run("record", *line.split())
    target, path, settings = launched[0]
    assert (" ".join(target.arguments), str(path), settings.steps) == expected


def test_record_needs_a_file(launched: list[tuple[launch.Target, Path, Any]], run: Run) -> None:
    result = run("record", "train.py")
    assert result.code == 2
    assert "rnn-doctor record -o run.jsonl train.py" in result.err
    assert not launched


@pytest.mark.parametrize("command", ["check --log", "record -o"])
def test_a_file_that_is_no_run_log_is_not_written_over(
    launched: list[tuple[launch.Target, Path, Any]], run: Run, tmp_path: Path, command: str
) -> None:
    (tmp_path / "model.pt").write_bytes(b"weights of three weeks")
    result = run(*command.split(), "model.pt", "train.py")
    assert result.code == 2
    assert "model.pt exists and is no run log" in result.err
    assert (tmp_path / "model.pt").read_bytes() == b"weights of three weeks"
    assert not launched


def test_a_module_that_is_not_named_is_a_usage_error(run: Run) -> None:
    result = run("check", "-m")
    assert result.code == 2
    assert "'-m' requires an argument" in result.err


@pytest.mark.parametrize(
    ("answer", "hint"), [(3, "has no PyTorch; name the Python"), (0, "see what it wrote")]
)
def test_a_python_without_torch_is_named(tmp_path: Path, answer: int, hint: str) -> None:
    """As where rnn-doctor was installed apart from the environment that the script needs."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexit {answer}\n", encoding="utf-8")
    python.chmod(0o755)
    target = launch.Target("train.py", False, (), str(python))
    said = targets.nothing_seen(target, launch.Outcome(log=None, exit_code=1, reason="ended"))
    assert hint in str(said.hint)
    assert (str(python) in str(said.hint)) is (answer == 3)


def test_a_script_that_refused_its_arguments_shows_where_they_stand() -> None:
    target = launch.Target("train.py", False, (), sys.executable)
    said = targets.nothing_seen(target, launch.Outcome(log=None, exit_code=2, reason="ended"))
    assert "its arguments stand behind it: rnn-doctor check train.py ARGS" in str(said.hint)
