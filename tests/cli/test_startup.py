"""Cheap commands import nothing dear. Modules are counted, for time depends on the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from rnn_doctor import __main__, cli
from tests.recorded import BUILT, exited, steps, stop, write

_DEAR = {"torch", "scipy", "numpy", "pandas", "jsonschema"}


def imported(*line: str, folder: Path) -> set[str]:
    """Top-level packages that a command line imports."""
    program = (
        "import sys\n"
        "from rnn_doctor.cli import run\n"
        f"code = run({list(line)!r})\n"
        "print('IMPORTED', code, *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    tag, code, *names = done.stderr.strip().splitlines()[-1].split()
    assert (tag, code) == ("IMPORTED", "0"), done.stderr
    return set(names)


@pytest.mark.parametrize("line", ["--help", "--version", "check --help", "diagnose --help", "schema report"])
def test_help_and_schemas_import_click_alone(line: str, tmp_path: Path) -> None:
    names = imported(*line.split(), folder=tmp_path)
    assert not names & (_DEAR | {"pydantic", "rich", "tomllib"})


def test_listing_rules_imports_no_numbers(tmp_path: Path) -> None:
    names = imported("rule", folder=tmp_path)
    assert "pydantic" in names, "the listing is read through the rule schema"
    assert not names & _DEAR


def test_diagnose_does_without_torch(tmp_path: Path) -> None:
    write(tmp_path / "run.jsonl", [*BUILT, *steps(30), stop("steps"), exited(0)])
    names = imported("diagnose", "--fail-on", "never", "run.jsonl", folder=tmp_path)
    assert "torch" not in names


def test_ctrl_c_before_the_command_line_was_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", interrupted)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "rnn-doctor: interrupted\n")
