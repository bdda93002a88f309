"""What a probed step costs beside a bare one of the same process: steps with and without the probe take turns.

    python benchmarks/interleaved.py [--repeats 5] [--only NAME]

Two processes that train alike differ by up to three percent of CPU time for as long as they live, by where their memory
happens to lie (heap.py, and "one bare training to the other" in overhead.md). Within one process both kinds of steps
have the same lot: five steps with the probe, five after all its hooks are taken out, in an order that changes from
turn to turn. All steps of the observation count, sampled and examined ones too. Each repeat is a process of its own.
Writes interleaved.md beside this file.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from benchmarks.lockstep import FIXED_HEAP  # noqa: E402
from benchmarks.sensors import BATCH, INSIDE, LM, TIME, training  # noqa: E402
from rnn_doctor.capture.probe import hooks  # noqa: E402
from rnn_doctor.capture.probe.config import Config  # noqa: E402
from rnn_doctor.capture.probe.observer import Observer  # noqa: E402
from rnn_doctor.capture.probe.patches import Patches  # noqa: E402

TURN = 5
WARM_UP = 5
"""Bare steps before the first turn: the first ones of a process find nothing in memory yet."""
SMALL = 200
FEWER = 3
"""Times as few processes are made of the larger network, whose steps take seven times as long."""
CASES = {f"H={hidden}, {steps} steps": (hidden, steps) for steps in (50, 200) for hidden in (SMALL, 650)}
ALL, AROUND = "all sensors", "without those inside the recurrence"
SENSORS = {ALL: (), AROUND: INSIDE}


class Shares(NamedTuple):
    """Of one process: CPU seconds of the probed steps, of the bare ones, and of both on the median step."""

    probed: float
    bare: float
    median_probed: float
    median_bare: float


def train(hidden: int, steps: int, off: tuple[str, ...]) -> Shares:
    """Trains `steps` steps under the probe, and as many without it in between."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    probed: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        observer = Observer(Config(str(Path(folder, "log.jsonl")), steps, 1e9, "0", "lm.py", [], 0))
        observer.session._off.update(off)
        patches = Patches()
        hooks.install(observer, patches)  # `record` sees how the network is built, and where
        step = training(LM(hidden), time.process_time)
        patches.undo()
        for number in range(WARM_UP):
            step(number)
        for turn in range(steps // TURN):
            for watched in (turn % 2 == 0, turn % 2 == 1):
                patches = Patches()
                if watched:
                    hooks.install(observer, patches)
                (probed if watched else bare).extend(step(turn * TURN + k) for k in range(TURN))
                patches.undo()
    if observer.session.step != steps:
        raise SystemExit(f"the probe saw {observer.session.step} steps, not {steps}")
    return Shares(sum(probed), sum(bare), median(probed), median(bare))


def measure(case: str, sensors: str) -> Shares:
    """One repeat, in a process of its own."""
    command = [sys.executable, __file__, "--child", case, sensors]
    done = subprocess.run(
        command, env={**os.environ, **FIXED_HEAP}, capture_output=True, text=True, check=True
    )
    return Shares(*json.loads(done.stdout))


def row(case: str, sensors: str, found: list[Shares]) -> str:
    """One line of the table."""
    ratios = [shares.probed / shares.bare for shares in found]
    extra = median(shares.median_probed - shares.median_bare for shares in found)
    each = median(shares.median_bare for shares in found)
    return (
        f"| {case} | {sensors} | {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}) | {extra * 1e6:.0f} | "
        f"{each * 1e3:.1f} |"
    )


def main() -> None:
    """Measure and write interleaved.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once, each with a core of its own")
    parser.add_argument("--only", default="", help="cases whose name begins so; the page is not written")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        case, sensors = args.child
        print(json.dumps(train(*CASES[case], SENSORS[sensors])))
        return
    page = [
        "# The probe's cost within one process",
        "",
        f"`python benchmarks/interleaved.py --repeats {args.repeats} --jobs {args.jobs}`, Python "
        f"{platform.python_version()}, torch {version('torch')}, {os.cpu_count()} cores. Two-layer LSTM "
        f"language model, T={TIME}, B={BATCH}, one thread; "
        f"{TURN} steps under the probe and {TURN} bare ones take turns in the same process. CPU time of all probed "
        "steps over that of as many bare ones: median over the processes, with the range; a third as many processes at "
        "H=650.",
        "",
        "| training | sensors | CPU | extra µs on a median step | a bare step, ms |",
        "|---|---|---|---|---|",
    ]
    wanted = [case for case in CASES if case.startswith(args.only)]
    tasks = [
        (case, sensors)
        for case in wanted
        for _ in range(args.repeats if CASES[case][0] == SMALL else -(-args.repeats // FEWER))
        for sensors in SENSORS
    ]
    found: dict[tuple[str, str], list[Shares]] = {}
    with ThreadPoolExecutor(args.jobs) as pool:
        for task, shares in zip(tasks, pool.map(lambda task: measure(*task), tasks), strict=True):
            found.setdefault(task, []).append(shares)
            print(*task, f"{shares.probed / shares.bare:.3f}", flush=True)
    page += [row(case, sensors, found[case, sensors]) for case in wanted for sensors in SENSORS]
    print("\n".join(page[-len(found) :]))
    if not args.only:
        Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
