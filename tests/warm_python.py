"""Command lines of Python without its start: most of a short run's time is the import of torch, some 4 seconds.

What a test shows of a script does not depend on how its interpreter came to be, so most tests that examine one ask a
Python that has torch, rnn-doctor and its rules in memory already (tests/forks.py): it forks itself for the command
line, and once more for the script, which takes a tenth of a second. Each pytest process has one such Python, started
by the first test that asks for it. `warm_python.run` stands where `subprocess.run` of `sys.executable` would.

What a test shows of starting, supervising and ending processes needs processes of its own: tests of those start
`sys.executable`, as do some trait scripts, examples and planted faults of every kind, so that the whole way from the
command line through `sitecustomize` to the import of torch is walked too; benchmarks/traits.py does so for each script.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
started: set[int] = set()
"""Ids of the Python that serves this process, once there is one: it outlives the test that asked first."""


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: dict[str, str] | None = None,
    together: bool = False,
    timeout: float = 120.0,
) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS` without any input; `together` puts both streams into stdout, in the order of their writing.

    Raises: subprocess.TimeoutExpired: it hung, and was killed.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        request = {
            "arguments": list(arguments),
            "folder": str(cwd),
            "environment": dict(os.environ) if env is None else env,
            "out": str(out),
            "err": str(out if together else err),
            "seconds": timeout,
        }
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        assert answer, "the warm Python has died; its last words are above"
        code: int | None = json.loads(answer)
        stdout, stderr = (
            path.read_bytes().decode(errors="replace") if path.exists() else "" for path in (out, err)
        )
    if code is None:
        raise subprocess.TimeoutExpired(list(arguments), timeout, stdout, stderr)
    return subprocess.CompletedProcess(list(arguments), code, stdout, stderr)


@cache
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.forks"]
    # It ends with its standard input, when this process does; Ctrl-C is for this process alone.
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started.add(server.pid)
    return server
