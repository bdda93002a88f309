"""What the probe costs: trainings with and without it that take turns step by step.

    python benchmarks/overhead.py [--repeats 5] [--long]

Each training runs in a process of its own and times its own steps (lockstep.py). The cost is what the probed one took
longer than the bare one over all steps, in relation to the bare one; quoted is the median over repeated runs with the
lowest and the highest, for wall time, which a user waits for, and for CPU time. A second bare training beside them
shows how far two equal ones differ. Writes overhead.md beside this file.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import lockstep  # noqa: E402
from benchmarks.lockstep import Timing  # noqa: E402
from rnn_doctor.schema import reading  # noqa: E402

SCRIPT = str(Path(__file__).with_name("timed_training.py"))
BARE, AGAIN, PROBED = "bare", "bare again", "probed"


@dataclass(frozen=True)
class Case:
    """One training: arguments of timed_training.py."""

    name: str
    arguments: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Updates of one run."""
        return self.arguments[1]


def bare(case: Case) -> list[str]:
    """The command without the probe."""
    return [sys.executable, SCRIPT, *map(str, case.arguments)]


def probed(case: Case, log: Path) -> list[str]:
    """The command under `rnn-doctor record`, which ends the training after its last step."""
    options = ["-q", "--steps", str(case.steps), "--time-limit", "36000", "-o", str(log)]
    return [
        sys.executable, "-m", "rnn_doctor", "record", *options, SCRIPT, *map(str, case.arguments),
    ]  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One run in turns, and what the probe says that it took."""

    times: dict[str, Timing]
    own: float

    def ratio(self, name: str, clock: str) -> float:
        """What a training took over what the bare one took."""
        return sum(getattr(self.times[name], clock)) / sum(getattr(self.times[BARE], clock))

    def extra(self) -> float:
        """CPU seconds a step that the probe adds, median over steps: what an unsampled step costs."""
        pairs = zip(self.times[PROBED].cpu, self.times[BARE].cpu, strict=True)
        return median(after - before for after, before in pairs)


def measure(case: Case, repeats: int) -> list[Run]:
    """Runs in turns."""
    runs = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "run.jsonl")
            times = lockstep.run({BARE: bare(case), PROBED: probed(case, log), AGAIN: bare(case)}, case.steps)
            stop = reading.read(log).stop
        if stop is None or stop.step != case.steps:
            raise SystemExit(f"{case.name}: the probe did not see {case.steps} steps")
        run = Run(times, float(stop.probe_seconds) / sum(times[PROBED].wall))
        runs.append(run)
        told = [
            f"{name} {run.ratio(name, 'wall'):.3f} {run.ratio(name, 'cpu'):.3f}" for name in (PROBED, AGAIN)
        ]
        print(f"{case.name}: {', '.join(told)}, own clock {run.own:.3f}", flush=True)
    return runs


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def row(case: Case, runs: Sequence[Run]) -> str:
    """One line of the table."""
    each = median(median(run.times[BARE].cpu) for run in runs)
    cells = [
        case.name,
        str(len(runs)),
        f"{each * 1e3:.2f}",
        *(
            spread([run.ratio(name, clock) for run in runs])
            for name in (PROBED, AGAIN)
            for clock in ("wall", "cpu")
        ),
        f"{median(run.own for run in runs):.3f}",
        f"{median(run.extra() for run in runs) * 1e6:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure all cases and write overhead.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--long", action="store_true", help="also runs of 200 steps: half an hour more")
    args = parser.parse_args()
    cases = [
        Case("H=200, 50 steps", (200, 50)),
        Case("H=650, 50 steps", (650, 50)),
        Case("tiny (H=8, T=5, B=1), 2000 steps", (8, 2000, 5, 1, 10)),
    ]
    if args.long:
        cases += [Case("H=200, 200 steps", (200, 200)), Case("H=650, 200 steps", (650, 200))]
    load = os.getloadavg()[0]
    rows = [row(case, measure(case, args.repeats)) for case in cases]
    page = "\n".join(
        [
            "# What the probe costs",
            "",
            f"`python benchmarks/overhead.py --repeats {args.repeats}{' --long' if args.long else ''}`, "
            f"Python {platform.python_version()}, torch {version('torch')}, {os.cpu_count()} cores, "
            f"load {load:.1f} at the start and {os.getloadavg()[0]:.1f} at the end. "
            "Two-layer LSTM language model, T=35, B=20, one thread; the trainings take turns step by step. "
            "Ratios are medians over the runs, with their range; the second bare training shows the noise.",
            "",
            "| training | runs | bare ms/step (CPU) | probed, wall | probed, CPU | bare again, wall | bare again, CPU "
            "| probe's own share | extra µs on a median step (CPU) |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
        ]
    )
    print(page)
    Path(__file__).with_suffix(".md").write_text(page + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
