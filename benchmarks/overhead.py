"""What the probe costs, and what others cost: trainings with and without a watcher that take turns.

    python benchmarks/overhead.py [--repeats 5] [--long] [--peers] [--only NAME]

Each training runs in a process of its own and times its own steps (lockstep.py). The cost is what the watched one took
over all steps in relation to the mean of two bare ones, whose distance from each other shows the noise; quoted is the
median over repeated runs with the lowest and the highest, for wall time, which a user waits for, and for CPU time of
its process. A second probed training does without the sensors that look inside the recurrence. With --peers the tools
of peers.py watch the language models in the same run; one that does not run is named with its error. Writes the
sections of overhead.md, beside this file, whose training was measured.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import lockstep, peers  # noqa: E402
from benchmarks.lockstep import Timing  # noqa: E402
from benchmarks.sensors import INSIDE  # noqa: E402
from rnn_doctor.schema import reading  # noqa: E402

SCRIPT = str(Path(__file__).with_name("timed_training.py"))
BARE, AGAIN = "bare", "one bare training to the other"
PROBED, AROUND = "rnn-doctor record, all sensors", "rnn-doctor record, without those inside the recurrence"
BESIDE = ", beside other tools"


@dataclass(frozen=True)
class Case:
    """One training: arguments of timed_training.py, and how many steps it makes in one turn, some half a second."""

    name: str
    arguments: tuple[int, ...]
    turn: int

    @property
    def steps(self) -> int:
        """Updates of one run."""
        return self.arguments[1]

    def runs(self, repeats: int) -> int:
        """How often it is repeated: 200 steps even the noise out as four runs of 50 do."""
        return max(1, repeats * 50 // self.steps) if self.is_long else repeats

    @property
    def is_watched(self) -> bool:
        """Whether the tools of peers.py watch it: at a millisecond a step they would take minutes a run."""
        return self.arguments[0] >= 200

    @property
    def is_long(self) -> bool:
        """Whether it takes four times as long as the others."""
        return self.steps == 200


CASES = (
    Case("H=200, 50 steps", (200, 50), 5),
    Case("H=650, 50 steps", (650, 50), 1),
    Case("tiny (H=8, T=5, B=1), 2000 steps", (8, 2000, 5, 1, 10), 200),
    Case("H=200, 200 steps", (200, 200), 5),
    Case("H=650, 200 steps", (650, 200), 1),
)
INTRODUCTION = """# What the probe costs

Made by `python benchmarks/overhead.py`. Two-layer LSTM language model, T=35, B=20, one thread; the trainings take turns
of about half a second. Ratios to the mean of two bare trainings are medians over the runs, with their range; one bare
training to the other shows the noise. All run with the same fixed heap (lockstep.py says why). CPU time is that of the
training's own process: what W&B does in its service process beside it is not counted.
"""


def bare(case: Case) -> list[str]:
    """The command without the probe."""
    return [sys.executable, SCRIPT, *map(str, case.arguments)]


def probed(case: Case, log: Path, without: Sequence[str] = ()) -> list[str]:
    """The command under `rnn-doctor record`, which ends the training after its last step."""
    options = ["-q", "--steps", str(case.steps), "--time-limit", "36000", "-o", str(log)]
    return [
        *(["env", f"SENSORS_OFF={','.join(without)}"] if without else []),
        sys.executable, "-m", "rnn_doctor", "record", *options, SCRIPT, *map(str, case.arguments),
    ]  # fmt: skip


def failures() -> dict[str, str]:
    """The peers that cannot watch a training of two steps, with the last line of their error."""
    found = {}
    for name in peers.PEERS:
        with tempfile.TemporaryDirectory() as folder:
            command = [*peers.prefix(name, Path(folder)), *bare(Case("two steps", (8, 2, 5, 1, 10), 1))]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            found[name] = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return found


@dataclass(frozen=True)
class Run:
    """One run in turns, and what the probe says that it took."""

    times: dict[str, Timing]
    own: dict[str, float]
    """Share of its training that each probed one spent in the probe, by the probe's own clock."""

    def ratio(self, name: str, clock: str) -> float:
        """What a training took over what the two bare ones took on average; of the second, over the first."""
        first, second = (sum(getattr(self.times[bare], clock)) for bare in (BARE, AGAIN))
        return sum(getattr(self.times[name], clock)) / (first if name == AGAIN else (first + second) / 2)

    def extra(self, name: str) -> float:
        """CPU seconds that a training took longer on its median step: what an unsampled step costs."""
        steps = zip(self.times[name].cpu, self.times[BARE].cpu, self.times[AGAIN].cpu, strict=True)
        return median(
            own - (first if name == AGAIN else (first + second) / 2) for own, first, second in steps
        )


def measure(case: Case, repeats: int, watchers: Sequence[str]) -> list[Run]:
    """Runs in turns, of peers those that are named."""
    runs = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            logs = {PROBED: Path(folder, "all.jsonl"), AROUND: Path(folder, "around.jsonl")}
            commands = {
                BARE: bare(case),
                PROBED: probed(case, logs[PROBED]),
                AROUND: probed(case, logs[AROUND], INSIDE),
                AGAIN: bare(case),
            }
            commands |= {name: [*peers.prefix(name, Path(folder)), *bare(case)] for name in watchers}
            times = lockstep.run(commands, case.steps, case.turn)
            stops = {name: reading.read(log).stop for name, log in logs.items()}
        own = {}
        for name, stop in stops.items():
            if stop is None or stop.step != case.steps:
                raise SystemExit(f"{case.name}: the probe did not see {case.steps} steps")
            own[name] = float(stop.probe_seconds) / sum(times[name].wall)
        run = Run(times, own)
        runs.append(run)
        told = [
            f"{name} {run.ratio(name, 'wall'):.3f} {run.ratio(name, 'cpu'):.3f}"
            for name in times
            if name != BARE
        ]
        print(f"{case.name}: {', '.join(told)}, own clock {own[PROBED]:.3f} {own[AROUND]:.3f}", flush=True)
    return runs


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def table(case: Case, runs: Sequence[Run], failed: dict[str, str], command: str) -> list[str]:
    """The section of one training."""
    each = median(median(run.times[BARE].cpu) for run in runs)
    lines = [
        f"{len(runs)} runs of `{command}`; {versions()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; a bare "
        f"step takes {each * 1e3:.2f} ms of CPU time.",
        "",
        "| watched by | wall | CPU | extra µs on a median step (CPU) | by its own clock |",
        "|---|---|---|---|---|",
    ]
    for name in (name for name in runs[0].times if name != BARE):
        ratios = [spread([run.ratio(name, clock) for run in runs]) for clock in ("wall", "cpu")]
        extra = median(run.extra(name) for run in runs) * 1e6
        own = f"{median(run.own[name] for run in runs):.1%}" if name in runs[0].own else ""
        lines.append(f"| {name} | {' | '.join(ratios)} | {extra:.0f} | {own} |")
    return [*lines, *(f"| {name} | does not run: {error} | | | |" for name, error in failed.items())]


def versions() -> str:
    """Of torch and the peers that are installed."""
    found = []
    for name in ("torch", "torch-audit", "wandb"):
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def main() -> None:
    """Measure, and write the sections of overhead.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--long", action="store_true", help="also runs of 200 steps: half an hour more")
    parser.add_argument("--peers", action="store_true", help="other tools beside it, as of the extra `bench`")
    parser.add_argument("--only", default="", help="cases whose name begins so")
    args = parser.parse_args()
    failed = failures() if args.peers else {}
    watchers = [name for name in peers.PEERS if name not in failed] if args.peers else []
    page = Path(__file__).with_suffix(".md")
    for case in CASES:
        if not case.name.startswith(args.only) or (case.is_long and not args.long):
            continue
        watched = args.peers and case.is_watched
        command = f"overhead.py --repeats {args.repeats}{' --peers' * watched}"
        runs = measure(case, case.runs(args.repeats), watchers if watched else ())
        section = table(case, runs, failed if watched else {}, command)
        print("\n".join(section))
        renew(page, case.name + BESIDE * watched, section)


def renew(page: Path, title: str, section: Sequence[str]) -> None:
    """Writes one section of the page and keeps the others."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    parts = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    parts[title] = "\n" + "\n".join(section) + "\n"
    order = [case.name + beside for case in CASES for beside in ("", BESIDE)]
    kept = [f"## {name}\n{parts[name].rstrip()}\n" for name in order if name in parts]
    page.write_text("\n".join([INTRODUCTION, *kept]), encoding="utf-8")


if __name__ == "__main__":
    main()
