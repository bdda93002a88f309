"""What the script reads and writes passes through as it stands, and old logs make room for the new one."""

import subprocess
import sys
from pathlib import Path

import pytest

from rnn_doctor.capture.launch import _write_exit
from tests.capture.conftest import Launch, environment

WRITES = """\
import sys
for number in range(2000):
    sys.stdout.write(f"out {number} " + "x" * 500 + "\\n")
    sys.stderr.buffer.write(f"err {number} ".encode() + b"\\xff" * 500 + b"\\n")
print("terminal", sys.stdout.isatty(), sys.stderr.isatty())
"""
OUT = [f"out {number} ".encode() + b"x" * 500 for number in range(2000)]
ERR = [f"err {number} ".encode() + b"\xff" * 500 for number in range(2000)]


@pytest.mark.e2e
def test_megabytes_of_output_pass_through_a_pipe(
    launch: Launch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    outcome = launch(WRITES)
    captured = capfdbinary.readouterr()
    assert (outcome.exit_code, captured.out) == (0, b"")
    lines = captured.err.split(b"\n")
    # stdout and stderr meet in one file; where blocks of one interrupt lines of the other, no byte is lost.
    assert len(captured.err) == sum(map(len, OUT + ERR)) + len(OUT + ERR) + len(b"terminal False False\n")
    assert [line for line in lines if line.startswith(b"err ") and b"x" not in line][:1] == ERR[:1]
    assert captured.err.replace(b"\n", b"").count(b"x") == 500 * 2000
    assert captured.err.count(b"\xff") == 500 * 2000


@pytest.mark.e2e
def test_megabytes_of_output_pass_through_a_terminal(launch: Launch) -> None:
    received: list[bytes] = []
    outcome = launch(WRITES, terminal=True, on_output=received.append)
    assert outcome.exit_code == 0
    lines = b"".join(received).replace(b"\r\n", b"\n").split(b"\n")
    assert [line for line in lines if line.startswith(b"out")] == OUT
    assert [line for line in lines if line.startswith(b"err")] == ERR
    assert lines[-2:] == [b"terminal True True", b""]
    assert len(lines) == len(OUT) + len(ERR) + 2


@pytest.mark.e2e
def test_what_the_doctor_is_piped_reaches_the_script(folder: Path) -> None:
    (folder / "script.py").write_text("import sys\nopen('read', 'wb').write(sys.stdin.buffer.read())\n")
    given = bytes(range(256)) * 4000
    done = subprocess.run(
        [sys.executable, "-m", "rnn_doctor", "record", "-q", "-o", "run.jsonl", "script.py"],
        cwd=folder,
        env=environment(),
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (folder / "read").read_bytes() == given, done.stderr


@pytest.mark.e2e
@pytest.mark.parametrize("closed", ["sys.__stdin__.close()", "os.close(0)", "sys.__stdin__ = None"])
def test_a_script_is_started_from_a_process_without_an_open_stdin(folder: Path, closed: str) -> None:
    (folder / "script.py").write_text("import sys\nopen('read', 'wb').write(sys.stdin.buffer.read())\n")
    start = f"import os, sys\nfrom rnn_doctor import api\n{closed}\napi.check('script.py')\n"
    subprocess.run(
        [sys.executable, "-c", start],
        cwd=folder,
        env=environment(),
        input=b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (folder / "read").read_bytes() == b""


@pytest.mark.e2e
def test_a_new_run_removes_the_logs_of_the_old_one_and_nothing_else(launch: Launch, folder: Path) -> None:
    old = ["run.jsonl", "run.rank1.jsonl", "run.process77.jsonl", "run.rank1.process77.jsonl"]
    others = [
        "run.ranking.jsonl",
        "run.process-notes.jsonl",
        "run.rank1.json",
        "xrun.rank1.jsonl",
        "run.rank.jsonl",
    ]
    for name in old + others:
        (folder / name).write_text("{}\n")
    outcome = launch("")
    assert (outcome.log, outcome.exit_code) == (None, 0)
    assert {path.name for path in folder.iterdir() if "run" in path.name} == set(others)


@pytest.mark.e2e
def test_a_log_with_brackets_in_its_name_has_siblings_too(launch: Launch, folder: Path) -> None:
    (folder / "run[1].rank1.jsonl").write_text("{}\n")
    launch("", log="run[1].jsonl")
    assert not (folder / "run[1].rank1.jsonl").exists()


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (b'{"record": "header"}\n{"record": "st', b'{"record": "header"}\n'),
        (b'{"record": "header"}\n', b'{"record": "header"}\n'),
        (b'{"rec', b""),
        (b"", b""),
        (b"{}\n" + b"x" * (1 << 19), b"{}\n"),
    ],
)
def test_the_exit_stands_after_the_last_whole_line(tmp_path: Path, before: bytes, kept: bytes) -> None:
    log = tmp_path / "run.jsonl"
    log.write_bytes(before)
    _write_exit(log, -9, "hung", 1.23456)
    assert log.read_bytes() == kept + b'{"record": "exit", "code": -9, "reason": "hung", "seconds": 1.235}\n'


def test_no_exit_is_written_where_there_is_no_log(tmp_path: Path) -> None:
    log = tmp_path / "gone" / "run.jsonl"
    _write_exit(log, 0, "ended", 1.0)
    assert not log.parent.exists()
