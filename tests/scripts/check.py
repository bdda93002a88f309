"""The real command line on a script of guards/ or faults/."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.scripts import runner


def check(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON report of `rnn-doctor check`, typed in the script's folder."""
    done = subprocess.run(
        [sys.executable, "-m", "rnn_doctor", "check", "-q", "-f", "json", *options, path.name],
        cwd=path.parent,
        env=os.environ | {"PYTHONPATH": str(runner.HERE.parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)
