"""Trait scripts, guards and planted faults without the start of Python: see tests/warm_python.py."""

import subprocess
import tempfile
from pathlib import Path

from rnn_doctor.schema import reading
from rnn_doctor.schema.runlog import RunLog
from tests import warm_python
from tests.scripts import runner
from tests.scripts.catalogue import Entry


def run(entry: Entry, arguments: tuple[str, ...]) -> runner.Run:
    """Like `runner.in_its_own_python`, and the same where that is what the entry is about."""
    starts_others = entry.fresh or entry.command[0] == "-m"
    if starts_others or (arguments != entry.command and (entry.cold or entry.needs)):
        return runner.in_its_own_python(entry, arguments)
    folder, environment = runner.HERE / entry.folder, runner.environment()
    try:
        done = warm_python.run(arguments, cwd=folder, env=environment, together=True, timeout=entry.seconds)
    except subprocess.TimeoutExpired as hung:
        return runner.Run(runner.HUNG, str(hung.output))
    return runner.Run(done.returncode, done.stdout)


def record(script: Path, steps: int) -> tuple[str, RunLog | None]:
    """What a script said under `rnn-doctor record` in its own folder, and its log; none where it used no torch."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "run.jsonl")
        # Steps alone end it, so that the log does not depend on how busy the machine is.
        limits = ("--steps", str(steps), "--time-limit", "100000", "--start-limit", "100000")
        done = warm_python.run(
            ("-m", "rnn_doctor", "record", "-o", str(log), *limits, script.name),
            cwd=script.parent,
            env=runner.environment(),
            timeout=300,
        )
        return done.stderr, reading.read(log) if log.exists() else None
