"""A fork of the warm Python does what a Python of its own does; and what a test leaves behind is found."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests import leftovers, warm_python

SCRIPT = """\
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), sys.path[0], __name__, __file__, os.environ["GIVEN"], sys.stdin.read()]))
print("said", file=sys.stderr)
import atexit
atexit.register(print, "in the end")
{end}
"""


def cold(arguments: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('no data')", 1),
        ("def f():\n    raise ValueError('no data')\nf()", 1),
        ("os.kill(os.getpid(), 9)", -9),
    ],
)
@pytest.mark.parametrize("command", [["folder/script.py", "--a"], ["-m", "folder.script", "--a"]])
def test_a_fork_ends_and_says_what_a_process_does(
    tmp_path: Path, command: list[str], end: str, code: int
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "script.py").write_text(SCRIPT.format(end=end))
    environment = os.environ | {"GIVEN": "so it is"}
    forked = warm_python.run(command, cwd=tmp_path, env=environment)
    alone = cold(command, tmp_path, environment)
    assert (forked.returncode, forked.stdout) == (alone.returncode, alone.stdout)
    assert forked.returncode == code
    if command[0] != "-m":  # which shows frames of runpy besides
        assert forked.stderr == alone.stderr


@pytest.mark.e2e
def test_a_fork_that_hangs_is_ended(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import time\nprint('on', flush=True)\nwhile True: time.sleep(0.1)\n")
    with pytest.raises(subprocess.TimeoutExpired) as hung:
        warm_python.run(["script.py"], cwd=tmp_path, timeout=0.5)
    # What it had said by then may be nothing, on a busy machine.
    assert hung.value.output in ("", "on\n")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hand over orphans")
def test_a_process_that_left_its_parent_and_its_session_is_found_and_ended() -> None:
    before = leftovers.children()
    starts = """
    import subprocess, sys
    stays = [sys.executable, "-c", "import time; time.sleep(1000)"]
    nowhere = subprocess.DEVNULL
    print(subprocess.Popen(stays, start_new_session=True, stdout=nowhere, stderr=nowhere).pid)
    """
    done = cold(["-c", textwrap.dedent(starts)], Path.cwd(), dict(os.environ))
    orphan = int(done.stdout)
    left = leftovers.children() - before
    assert orphan in left
    (words,) = leftovers.end(left, grace=0.0)
    assert words.startswith(f"{orphan}: ")
    assert "time.sleep(1000)" in words
    assert orphan not in leftovers.children()
