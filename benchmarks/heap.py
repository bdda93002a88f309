"""Page faults of equal trainings, with the heap as glibc keeps it and with the fixed one of lockstep.py.

    python benchmarks/heap.py [--repeats 8]

The language model of timed_training.py, 200 units and 50 steps, bare and under `rnn-doctor record`, each alone. The
first three steps, in which every heap grows, do not count. Writes heap.md beside this file. Some six minutes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.lockstep import FIXED_HEAP  # noqa: E402
from benchmarks.overhead import Case, bare, probed  # noqa: E402

CASE = Case("H=200, 50 steps", (200, 50), 1)
GROWN = 3


def faults(command: list[str], heap: dict[str, str]) -> tuple[int, float]:
    """Page faults after the first steps, and CPU seconds of the same steps."""
    environment = {**os.environ, **heap, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("TIMED "))
    times = json.loads(line.removeprefix("TIMED "))
    return sum(times["faults"][GROWN:]), sum(times["cpu"][GROWN:])


def main() -> None:
    """Count, and write heap.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=8)
    repeats = parser.parse_args().repeats
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for _ in range(repeats):
        for heap, settings in (("glibc's own", {}), ("fixed", FIXED_HEAP)):
            with tempfile.TemporaryDirectory() as folder:
                commands = {"bare": bare(CASE), "under the probe": probed(CASE, Path(folder, "run.jsonl"))}
                for name, command in commands.items():
                    found.setdefault((heap, name), []).append(faults(command, settings))
    lines = [
        "# Page faults of equal trainings",
        "",
        f"`python benchmarks/heap.py --repeats {repeats}`, Python {sys.version.split()[0]}, torch {version('torch')}. "
        f"Two-layer LSTM language model, 200 units, steps {GROWN + 1} to {CASE.steps}; {repeats} processes of a kind.",
        "",
        "| heap | training | page faults: least | median | most | CPU seconds: least | median | most |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (heap, name), runs in found.items():
        counts, seconds = zip(*runs, strict=True)
        lines.append(
            f"| {heap} | {name} | {min(counts)} | {median(counts):.0f} | {max(counts)} "
            f"| {min(seconds):.2f} | {median(seconds):.2f} | {max(seconds):.2f} |"
        )
    page = "\n".join(lines)
    print(page)
    Path(__file__).with_suffix(".md").write_text(page + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
