"""What the probe costs: whole trainings in child processes, bare and probed in turns.

    python benchmarks/overhead.py [--pairs 7] [--quick]

Each training times its own loop, without imports. Bare and probed runs alternate, and which of a pair goes first
alternates too, so that a slow drift of the machine falls on both. Quoted are the ratio of the medians, and the
median, lowest and highest ratio within pairs; wall time is what a user waits for, CPU time is what can be
compared on a busy machine. Writes overhead.md beside this file.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rnn_doctor.schema import reading  # noqa: E402

SCRIPT = str(Path(__file__).with_name("timed_training.py"))


@dataclass(frozen=True)
class Case:
    """One training: arguments of timed_training.py, and how many pairs of runs."""

    name: str
    arguments: tuple[int, ...]
    pairs: int

    @property
    def steps(self) -> int:
        """Updates of one run."""
        return self.arguments[1]


@dataclass(frozen=True)
class Timing:
    """Seconds of one run's loop; of a probed run also what the probe says that it took."""

    wall: float
    cpu: float
    probe: float | None = None


def bare(case: Case) -> Timing:
    """One run without the probe."""
    return _timed([sys.executable, SCRIPT, *map(str, case.arguments)])


def probed(case: Case) -> Timing:
    """One run under `rnn-doctor record`, which ends it after its last step."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "run.jsonl")
        options = ["-q", "--steps", str(case.steps), "--time-limit", "3600", "-o", str(log)]
        timing = _timed(
            [sys.executable, "-m", "rnn_doctor", "record", *options, SCRIPT, *map(str, case.arguments)]
        )
        stop = reading.read(log).stop
        if stop is None or stop.step != case.steps:
            raise SystemExit(
                f"{case.name}: the probe saw {stop.step if stop else 'no end'}, not {case.steps} steps"
            )
        return Timing(timing.wall, timing.cpu, stop.probe_seconds)


def _timed(command: list[str]) -> Timing:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("TIMED ")]
    if run.returncode or len(lines) != 1:
        raise SystemExit(f"{' '.join(command)} failed ({run.returncode}):\n{run.stderr[-2000:]}")
    _, wall, cpu = lines[0].split()
    return Timing(float(wall), float(cpu))


def measure(case: Case) -> list[tuple[Timing, Timing]]:
    """Pairs of a bare and a probed run."""
    pairs = []
    for k in range(case.pairs):
        if k % 2:
            second = probed(case)
            first = bare(case)
        else:
            first = bare(case)
            second = probed(case)
        pairs.append((first, second))
        print(
            f"{case.name}: wall {second.wall / first.wall:.3f}, CPU {second.cpu / first.cpu:.3f}", flush=True
        )
    return pairs


def row(case: Case, pairs: Sequence[tuple[Timing, Timing]]) -> str:
    """One line of the table."""
    cells = [case.name, str(len(pairs)), f"{median(b.cpu for b, _ in pairs) / case.steps * 1e3:.2f}"]
    for clock in ("wall", "cpu"):
        before, after = ([getattr(t, clock) for t in side] for side in zip(*pairs, strict=True))
        ratios = [a / b for a, b in zip(after, before, strict=True)]
        cells += [
            f"{median(after) / median(before):.3f}",
            f"{median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})",
        ]
    share = median((p.probe or 0.0) / p.wall for _, p in pairs)
    extra = (median(p.cpu for _, p in pairs) - median(b.cpu for b, _ in pairs)) / case.steps
    return f"| {' | '.join([*cells, f'{share:.3f}', f'{extra * 1e6:.0f}'])} |"


def main() -> None:
    """Measure all cases and write overhead.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--long", action="store_true", help="also runs of 200 steps: half an hour more")
    args = parser.parse_args()
    cases = [
        Case("H=200, 50 steps", (200, 50), args.pairs),
        Case("tiny (H=8, T=5, B=1), 2000 steps", (8, 2000, 5, 1, 10), args.pairs),
        Case("H=650, 50 steps", (650, 50), max(3, args.pairs // 2)),
    ]
    if args.long:
        cases += [
            Case("H=200, 200 steps", (200, 200), args.pairs),
            Case("H=650, 200 steps", (650, 200), max(3, args.pairs // 3)),
        ]
    load = os.getloadavg()[0]
    rows = [row(case, measure(case)) for case in cases]
    page = "\n".join(
        [
            "# What the probe costs",
            "",
            f"`python benchmarks/overhead.py --pairs {args.pairs}{' --long' if args.long else ''}`, "
            f"Python {platform.python_version()}, torch {version('torch')}, {os.cpu_count()} cores, "
            f"load {load:.1f} at the start and {os.getloadavg()[0]:.1f} at the end. "
            "Two-layer LSTM language model, T=35, B=20, one thread.",
            "",
            "| training | pairs | bare ms/step (CPU) | wall: ratio of medians | wall: median of pairs (range) "
            "| CPU: ratio of medians | CPU: median of pairs (range) | probe's own share | extra µs/step (CPU) |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
        ]
    )
    print(page)
    Path(__file__).with_suffix(".md").write_text(page + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
