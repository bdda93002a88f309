"""The command line as a function: exit code, stdout and stderr of a line, without a process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rnn_doctor import cli


@dataclass(frozen=True)
class Result:
    """What a command line gave."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RNN_DOCTOR_DEBUG", raising=False)

    def call(*args: str) -> Result:
        code = cli.run(args)
        captured = capfdbinary.readouterr()
        return Result(code, captured.out.decode(), captured.err.decode())

    return call
