"""Trait scripts, guards and planted faults without the start of Python: see tests/warm_python.py."""

import tempfile
from pathlib import Path

from rnn_doctor.schema import reading
from rnn_doctor.schema.runlog import RunLog
from tests.scripts import runner
from tests.scripts.catalogue import Entry
from tests.warm_python import Ended, python


def run(entry: Entry, arguments: tuple[str, ...]) -> runner.Run:
    """Like `runner.in_its_own_python`, and the same where that is what the entry is about."""
    bare = arguments == entry.command
    if entry.fresh or entry.needs or entry.command[0] == "-m" or (entry.cold and not bare):
        return runner.in_its_own_python(entry, arguments)
    folder = runner.HERE / entry.folder
    done = python(arguments, folder, runner.environment(), together=True, seconds=entry.seconds)
    return runner.Run(runner.HUNG if done.code is None else done.code, done.out)


def record(script: Path, steps: int) -> tuple[Ended, RunLog | None]:
    """What `rnn-doctor record` makes of a script in its own folder; no log where it used no torch."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "run.jsonl")
        # Steps alone end it, so that the log does not depend on how busy the machine is.
        limits = ("--steps", str(steps), "--time-limit", "100000", "--start-limit", "100000")
        command = ("-m", "rnn_doctor", "record", "-o", str(log), *limits, script.name)
        done = python(command, script.parent, runner.environment(), seconds=300)
        return done, reading.read(log) if log.exists() else None
