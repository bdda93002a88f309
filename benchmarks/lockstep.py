"""Trainings that take turns every few steps, each in a process of its own.

Machines drift and neighbours come and go within seconds, so that whole runs one after the other differ by more than
what is to be measured. Here every training makes its turn k before any makes its turn k + 1, in an order that changes
from turn to turn: what slows the machine for a second slows all of them. A turn lasts for some steps where those are
short, for the first step of each finds the processor's caches full of the others' data.

All of them get the same fixed heap. glibc gives the top of its heap back to the system when enough of it is free, which
hangs on where small blocks happen to lie. Equal trainings then differ by more than what is to be measured (heap.py).
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

    def __init__(self, name: str, command: Sequence[str], folder: Path, turn: int) -> None:
        self.name = name
        pipes = folder / name.replace(" ", "-").replace("/", "-")
        pipes.mkdir()
        for pipe in ("turn", "done"):
            os.mkfifo(pipes / pipe)
        environment = {
            **os.environ, **FIXED_HEAP, "PYTHONPATH": str(ROOT), "TURNS": str(pipes), "TURN_STEPS": str(turn),
        }  # fmt: skip
        self._output = (pipes / "output").open("w+")
        self._process = subprocess.Popen(
            command, env=environment, stdout=self._output, stderr=subprocess.STDOUT, text=True
        )
        self._turn: IO[bytes] = (pipes / "turn").open("wb", buffering=0)
        self._done: IO[bytes] = (pipes / "done").open("rb", buffering=0)

    def take_turn(self) -> None:
        """Lets it make the steps of one turn.

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
def _started(commands: Mapping[str, Sequence[str]], turn: int) -> Iterator[list[Training]]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        trainings = []
        for name, command in commands.items():
            trainings.append(Training(name, command, Path(folder), turn))
            stack.callback(trainings[-1].close)
        yield trainings


def run(commands: Mapping[str, Sequence[str]], steps: int, turn: int = 1) -> dict[str, Timing]:
    """The times of every training, by its name. turn: steps that each makes before the next goes on.

    Raises: RuntimeError: one of them failed or made fewer steps.
    """
    with _started(commands, turn) as trainings:
        for number in range(steps // turn):
            first = number % len(trainings)
            for training in trainings[first:] + trainings[:first]:
                training.take_turn()
        return {training.name: training.finish() for training in trainings}
