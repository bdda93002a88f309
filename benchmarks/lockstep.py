"""Trainings that take turns step by step, each in a process of its own.

Machines drift and neighbours come and go within seconds, so that whole runs one after the other differ by more than
what is to be measured. Here every training makes its step k before any makes its step k + 1, in an order that turns
from step to step: what slows the machine for a second slows all of them.

All of them get the same fixed heap. glibc gives the top of its heap back to the system when enough of it is free, which
hangs on where small blocks happen to lie: of twelve equal trainings one met 29,000 page faults after its third step and
one 168,000, at about a microsecond each, which is more than what is to be measured. The thresholds below end that.
"""

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
FIXED_HEAP = {
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
}
"""mallopt(3): keep what was freed, never map a block of its own, grow by 64 MB."""


@dataclass(frozen=True)
class Timing:
    """Seconds of each step of one training."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]


class Training:
    """One process that runs timed_training.py, perhaps under something that watches it."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        pipes = folder / name.replace(" ", "-").replace("/", "-")
        pipes.mkdir()
        for pipe in ("turn", "done"):
            os.mkfifo(pipes / pipe)
        environment = {**os.environ, **FIXED_HEAP, "PYTHONPATH": str(ROOT), "TURNS": str(pipes)}
        self._output = (pipes / "output").open("w+")
        self._process = subprocess.Popen(
            command, env=environment, stdout=self._output, stderr=subprocess.STDOUT, text=True
        )
        self._turn: IO[bytes] = (pipes / "turn").open("wb", buffering=0)
        self._done: IO[bytes] = (pipes / "done").open("rb", buffering=0)

    def step(self) -> None:
        """Lets it make one step.

        Raises: RuntimeError: it has ended.
        """
        self._turn.write(b".")
        if not self._done.read(1):
            raise RuntimeError(f"{self.name} ended early:\n{self._text()[-2000:]}")

    def finish(self) -> Timing:
        """Waits for its end; the seconds of its steps."""
        self._turn.close()
        code = self._process.wait()
        lines = [line for line in self._text().splitlines() if line.startswith("TIMED ")]
        if code or len(lines) != 1:
            raise RuntimeError(f"{self.name} failed ({code}):\n{self._text()[-2000:]}")
        times = json.loads(lines[0].removeprefix("TIMED "))
        return Timing(tuple(times["wall"]), tuple(times["cpu"]))

    def close(self) -> None:
        """Ends it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._turn, self._done, self._output):
            stream.close()

    def _text(self) -> str:
        self._output.seek(0)
        return self._output.read()


@contextlib.contextmanager
def _started(commands: Mapping[str, Sequence[str]]) -> Iterator[list[Training]]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        trainings = []
        for name, command in commands.items():
            trainings.append(Training(name, command, Path(folder)))
            stack.callback(trainings[-1].close)
        yield trainings


def run(commands: Mapping[str, Sequence[str]], steps: int) -> dict[str, Timing]:
    """The times of every training, by its name.

    Raises: RuntimeError: one of them failed or made fewer steps.
    """
    with _started(commands) as trainings:
        for step in range(steps):
            first = step % len(trainings)
            for training in trainings[first:] + trainings[:first]:
                training.step()
        return {training.name: training.finish() for training in trainings}
