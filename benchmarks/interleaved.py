"""What a probed step costs beside a bare one of the same process: steps with and without the probe take turns.

    python benchmarks/interleaved.py [--repeats 5] [--only NAME] [--peers]

Two processes that train alike differ by up to three percent of CPU time for as long as they live, by where their memory
happens to lie (heap.py, and "one bare training to the other" in overhead.md). Within one process both kinds of steps
have the same lot: five steps with the probe, five after all its hooks are taken out, in an order that changes from
turn to turn. All steps of the observation count, sampled and examined ones too. Each repeat is a process of its own.
With --peers the tools of peers.py are measured in the same run and in the same way, each against a second network of
its process that it does not watch. Writes interleaved.md beside this file, with --peers interleaved_peers.md.
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

from benchmarks import peers  # noqa: E402
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
ALL, AROUND = "rnn-doctor, all sensors", "rnn-doctor, without those inside the recurrence"
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


def train_beside(hidden: int, steps: int, peer: str) -> Shares:
    """The same with another tool: one network that it watches and one that it does not take turns."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    clock = time.process_time
    bare_step = training(LM(hidden), clock)
    step = training(LM(hidden), clock, lambda net, optimizer: peers.attach(peer, net, optimizer))
    anomalies = torch.is_anomaly_enabled()  # which is not a network's own
    torch.autograd.set_detect_anomaly(False)
    for number in range(WARM_UP):
        bare_step(number)
    probed: list[float] = []
    bare: list[float] = []
    for turn in range(steps // TURN):
        for watched in (turn % 2 == 0, turn % 2 == 1):
            torch.autograd.set_detect_anomaly(watched and anomalies)
            made, spent = (step, probed) if watched else (bare_step, bare)
            spent.extend(made(turn * TURN + k) for k in range(TURN))
    return Shares(sum(probed), sum(bare), median(probed), median(bare))


def measure(case: str, watcher: str) -> Shares:
    """One repeat, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--child", case, watcher]
        if watcher in peers.PEERS:
            command = [*peers.prefix(watcher, Path(folder)), *command]
        done = subprocess.run(
            command, env={**os.environ, **FIXED_HEAP}, capture_output=True, text=True, check=True
        )
    return Shares(*json.loads(done.stdout.splitlines()[-1]))


def row(case: str, watcher: str, found: list[Shares]) -> str:
    """One line of the table."""
    ratios = [shares.probed / shares.bare for shares in found]
    extra = median(shares.median_probed - shares.median_bare for shares in found)
    each = median(shares.median_bare for shares in found)
    return (
        f"| {case} | {watcher} | {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}) | {extra * 1e6:.0f} | "
        f"{each * 1e3:.1f} |"
    )


def main() -> None:
    """Measure and write interleaved.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once, each with a core of its own")
    parser.add_argument(
        "--only", default="", help="cases whose name begins so; interleaved.md is not written"
    )
    parser.add_argument("--peers", action="store_true", help="other tools beside it, as of the extra `bench`")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        case, watcher = args.child
        is_peer = watcher in peers.PEERS
        found = train_beside(*CASES[case], watcher) if is_peer else train(*CASES[case], SENSORS[watcher])
        print(f"\n{json.dumps(found)}")
        return
    watchers = [*SENSORS, *(peers.PEERS if args.peers else ())]
    wanted = [case for case in CASES if case.startswith(args.only)]
    beside = f" --peers --only {args.only!r}" if args.peers else ""
    page = [
        "# The probe's cost within one process",
        "",
        f"`python benchmarks/interleaved.py --repeats {args.repeats} --jobs {args.jobs}{beside}`, Python "
        f"{platform.python_version()}, torch {version('torch')}, {os.cpu_count()} cores. Two-layer LSTM "
        f"language model, T={TIME}, B={BATCH}, one thread; "
        f"{TURN} steps under the probe and {TURN} bare ones take turns in the same process. CPU time of all probed "
        "steps over that of as many bare ones: median over the processes, with the range; a third as many processes at "
        "H=650.",
        "",
        "| training | watched by | CPU | extra µs on a median step | a bare step, ms |",
        "|---|---|---|---|---|",
    ]
    tasks = [
        (case, watcher)
        for case in wanted
        for _ in range(args.repeats if CASES[case][0] == SMALL else -(-args.repeats // FEWER))
        for watcher in watchers
    ]
    shares_of: dict[tuple[str, str], list[Shares]] = {}
    with ThreadPoolExecutor(args.jobs) as pool:
        for task, shares in zip(tasks, pool.map(lambda task: measure(*task), tasks), strict=True):
            shares_of.setdefault(task, []).append(shares)
            print(*task, f"{shares.probed / shares.bare:.3f}", flush=True)
    page += [row(case, watcher, shares_of[case, watcher]) for case in wanted for watcher in watchers]
    print("\n".join(page[-len(shares_of) :]))
    if args.peers or not args.only:
        name = "interleaved_peers.md" if args.peers else "interleaved.md"
        Path(__file__).with_name(name).write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
