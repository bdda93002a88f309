"""Runs a trait script bare and under `rnn-doctor check`, and compares what was found with the catalogue."""

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rnn_doctor.errors import RunLogError
from rnn_doctor.schema import reading
from rnn_doctor.schema.runlog import RunLog
from tests.scripts.catalogue import OBSERVED, Entry

HERE = Path(__file__).resolve().parent
HUNG = "hung"
CHECK = ("-m", "rnn_doctor", "check", "-q", "--steps", str(OBSERVED))


@dataclass(frozen=True)
class Run:
    """One process that has ended: its exit code (`HUNG` if it had to be killed) and what it printed."""

    code: int | str
    output: str

    @property
    def hung(self) -> bool:
        return self.code == HUNG

    @property
    def losses(self) -> list[str]:
        return [line for line in self.output.splitlines() if line.startswith("LOSS ")]


Runner = Callable[[Entry, tuple[str, ...]], Run]
"""How `python ARGUMENTS` is run in the entry's folder."""


@dataclass(frozen=True)
class Result:
    """What examining one script has shown."""

    entry: Entry
    bare: Run | None
    """None for a script that never ends by itself."""
    probed: Run
    log: RunLog | None
    unreadable: str | None = None
    """Why the run log cannot be read, though there is one."""

    @property
    def compared(self) -> int:
        """Losses that both runs printed, up to the last update that was observed.

        A batch that a library took in advance is still trained on after the epoch was ended early, alone in its group.
        """
        if self.bare is None:
            return 0
        printed = min(len(self.bare.losses), len(self.probed.losses))
        if self.log is None or self.log.early_validation is None:
            return printed
        return min(printed, sum(step.backwards for step in self.log.steps))

    @property
    def identical(self) -> bool:
        return bool(self.bare) and self.bare.losses[: self.compared] == self.probed.losses[: self.compared]  # type: ignore[union-attr]

    @property
    def modules(self) -> tuple[str, ...]:
        return tuple(sorted(m.kind for m in self.log.modules.values())) if self.log else ()

    @property
    def optimizers(self) -> tuple[str, ...]:
        return tuple(sorted(o.kind for o in self.log.optimizers.values())) if self.log else ()

    @property
    def steps(self) -> int:
        return len(self.log.steps) if self.log else 0

    @property
    def failures(self) -> list[str]:
        """Every expectation that is not met, in words; empty if all are."""
        entry = self.entry
        pairs = [
            ("exit code", self.probed.code, entry.exit_code),
            ("recurrent modules", self.modules, entry.modules),
            ("optimizers", self.optimizers, entry.optimizers),
            ("steps", self.steps, entry.steps),
            ("ranks", self.log.ranks if self.log else entry.ranks, entry.ranks),
        ]
        if self.bare is not None:
            pairs.append(("bare exit code", self.bare.code, entry.bare_exit_code))
        failures = [
            f"{what}: {found}, expected {expected}" for what, found, expected in pairs if found != expected
        ]
        if self.unreadable:
            failures.append(self.unreadable)
        if len(self.probed.losses) < entry.losses:
            failures.append(f"losses printed: {len(self.probed.losses)}, expected {entry.losses}")
        if self.bare is not None and not self.identical:
            failures.append("losses differ from those of the bare run")
        if self.log:
            failures += [f"sensor {off.sensor} failed: {off.error}" for off in self.log.sensors_off]
        return failures


def missing(entry: Entry) -> bool:
    """Whether the entry needs a package that is not installed."""
    return entry.needs is not None and importlib.util.find_spec(entry.needs) is None


def examine(entry: Entry, run: Runner | None = None) -> Result:
    """Both runs of one script, and its run log; each in a Python of its own, or as `run` does."""
    run = run or in_its_own_python
    bare = None if entry.bare_exit_code is None else run(entry, entry.command)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.jsonl")
        probed = run(entry, (*CHECK, "--log", str(path), *entry.options, *entry.command))
        if not path.exists():
            return Result(entry, bare, probed, None)
        try:
            return Result(entry, bare, probed, reading.read(path))
        except RunLogError as error:
            return Result(entry, bare, probed, None, unreadable=error.message)


def in_its_own_python(entry: Entry, arguments: tuple[str, ...]) -> Run:
    """Python with these arguments in the entry's folder; the whole process group is killed when it hangs."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=HERE / entry.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=entry.seconds)
        code: int | str = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        code = HUNG
    return Run(code, output.decode(errors="replace"))


def environment() -> dict[str, str]:
    """For a process that runs a trait script, or us on one."""
    # The sources need not be installed; and frameworks must not look for the network.
    root = str(HERE.parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1"}
