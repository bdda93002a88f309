"""Whole runs with too little data, wrong labels, leaked validation data, and with networks that cannot learn.

    python -m benchmarks.causes                  # some ten minutes on one core; writes causes.md
    rnn-doctor check --deep -m benchmarks.causes "16 samples: lines"     # one of them

Of each kind one run of 240 updates for each of five tasks of the fault bench, all observed with `--deep --steps all`.
Told apart must be: networks that learn; data that hold too little (few samples, labels of other inputs), where one
fixed batch is learned all the same; and networks that do not learn even that, by the step size, the initialization,
the depth that the gradient vanishes in, or the wiring.
"""

import json
import math
import os
import runpy
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.faults.blind import networks as blind
from benchmarks.faults.networks import build
from benchmarks.faults.setting import Setting
from benchmarks.faults.tasks import TASKS
from benchmarks.faults.worker import fork
from benchmarks.overfitting.trainings import loss, validate
from rnn_doctor import pipeline
from rnn_doctor.schema import reading
from rnn_doctor.schema.report import Report
from rnn_doctor.schema.signals import RUN
from rnn_doctor.settings import Settings

UPDATES, EVERY, BATCH = 240, 20, 16
SECONDS = 60.0
"""What `--deep` may take."""
NETWORKS = {"lines": "GRU", "words": "LSTM", "tagging": "GRU", "activity": "LSTM", "melody": "LSTM"}
"""Tasks, with the cell that learns them."""
WATCHED = ("RD702", "RD421", "RD505")


@dataclass(frozen=True)
class Kind:
    """What is done to the data or to the network, and what should be said of it."""

    samples: int = 640
    copies: int = 1
    wrong: float = 0.0
    """Share of the training targets that are those of other samples."""
    leaked: float = 0.0
    """Share of the validation samples that are training samples."""
    rate: float = 4e-3
    spoiled: str = "nothing"
    """zeros | deep | stale"""
    rule: str | None = None
    """The one of WATCHED that is right; all others are false alarms."""
    causes: tuple[str, ...] = ()
    """What RD702 may put it down to."""


KINDS = {
    "healthy": Kind(),
    "healthy, every sample there twice": Kind(copies=2),
    "16 samples": Kind(samples=16),
    "labels of other samples": Kind(wrong=1.0),
    "every sample twice, 3 of 10 labels wrong": Kind(copies=2, wrong=0.3, rule="RD421"),
    "half of the validation data trained on": Kind(leaked=0.5, rule="RD505"),
    "a rate of 4e-6": Kind(rate=4e-6, rule="RD702", causes=("step_size",)),
    "all weights 0": Kind(spoiled="zeros", rule="RD702", causes=("initialization", "either")),
    "12 layers that let the gradient vanish": Kind(spoiled="deep"),  # RD106 tells of it, among the others
    "an optimizer of other weights": Kind(spoiled="stale", rule="RD702", causes=("wiring",)),
}


def train(name: str, task_name: str) -> None:
    """One of the runs."""
    kind, task = KINDS[name], TASKS[task_name]
    torch.manual_seed(7)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(8)
    deep = kind.spoiled == "deep"
    setting = Setting(task_name, "RNN" if deep else NETWORKS[task_name], hidden=48, layers=12 if deep else 1)
    model = _network(task, setting)
    held = _network(task, setting) if kind.spoiled == "stale" else model
    with torch.no_grad():
        for parameter in model.parameters() if kind.spoiled == "zeros" else ():
            parameter.zero_()
        for parameter in model.parameters() if deep else ():
            parameter.mul_(0.3)
    optimizer = torch.optim.Adam(held.parameters(), kind.rate)
    samples = [
        part.repeat(kind.copies, *[1] * (part.dim() - 1)) for part in _drawn(task, kind.samples, generator)
    ]
    other = torch.rand(len(samples[1]), generator=generator) < kind.wrong
    samples[1] = torch.where(
        other.view(-1, *[1] * (samples[1].dim() - 1)),
        samples[1][torch.randperm(len(samples[1]), generator=generator)],
        samples[1],
    )
    fresh = _drawn(task, 128, generator, training=False)
    leaked = round(kind.leaked * 128)
    held_out = [torch.cat([own[:leaked], new[leaked:]]) for own, new in zip(samples, fresh, strict=True)]
    validation = DataLoader(TensorDataset(*held_out), 64)
    loader = DataLoader(TensorDataset(*samples), BATCH, shuffle=True, generator=generator, drop_last=True)
    update = 0
    while update < UPDATES:
        for batch in loader:
            model.train()
            optimizer.zero_grad()
            loss(task, model, batch).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            update += 1
            if update % EVERY == 0:
                validate(task, model, validation)
            if update == UPDATES:
                break


def _network(task: Any, setting: Setting) -> nn.Module:
    model: nn.Module = (blind.build if task.part == "blind" else build)(task, setting)
    return model


def _drawn(task: Any, count: int, generator: torch.Generator, *, training: bool = True) -> list[Tensor]:
    return [part for part in task.draw(count, generator, training=training) if part is not None]


def observed(key: str, log: Path) -> Report:
    """The report on one of the runs, by the real probe."""
    config: dict[str, Any] = {
        "log": str(log), "steps": None, "time_limit": math.inf, "tool_version": "", "arguments": [],
        "script": "-m benchmarks.causes", "parent": os.getpid(), "deep": SECONDS,
    }  # fmt: skip

    def child() -> None:
        os.environ["RNN_DOCTOR_PROBE"] = json.dumps(config)
        import_module("rnn_doctor.capture.probe.arming").arm()
        sys.argv = ["causes", key]
        runpy.run_module("benchmarks.causes", run_name="__main__", alter_sys=True)

    fork(child)
    return pipeline.examine(reading.read(log), Settings())


@dataclass(frozen=True)
class Judged:
    """What the report on one run says."""

    found: dict[str, str]
    """Severity of each rule that was found."""
    cause: str
    """What one batch is put down to."""

    @property
    def alarms(self) -> set[str]:
        """Rules found, notes aside."""
        return {rule for rule, severity in self.found.items() if severity != "note"}


def judged(report: Report) -> Judged:
    """The report in short."""
    found = {signal.name: signal for signal in report.signals}["batch_cause"].measurements[RUN]
    cause = found.value if found.value is not None else found.absent
    return Judged({f.rule: f.severity for f in report.findings}, str(cause))


def page(results: dict[str, list[Judged]]) -> str:
    """The table as Markdown."""
    lines = [
        "# What keeps a training back",
        "",
        f"Command: `python -m benchmarks.causes`. {len(NETWORKS)} runs of each kind, {UPDATES} updates each, with",
        "`--deep`; what is done to them: `KINDS` in causes.py. RD421 is a note by nature and counts as one; of RD505",
        "and RD702 notes are given apart. What one batch is put down to is told to the user where RD702 is found.",
        "Other alarms: rules of warning or error that were found, and how often. Nothing says that the healthy ones",
        "never overfit: tagging validates on other programs than it trains on. Melodies are few and drawn by chance:",
        "equal ones go on differently, and stand in both sets.",
        "",
        "| kind | RD702 | one batch is put down to | RD421 | RD505 | RD501, RD502 or RD503 | other alarms |",
        "|---|---|---|---|---|---|---|",
        *(_row(name, runs) for name, runs in results.items()),
        "",
        *_sums(results),
        "",
    ]
    return "\n".join(lines)


def _row(name: str, runs: list[Judged]) -> str:
    def count(rule: str) -> str:
        noted = sum(run.found.get(rule) == "note" for run in runs)
        sure = sum(rule in run.alarms for run in runs)
        return f"{sure + noted if rule == 'RD421' else sure} of {len(runs)}" + (
            f" ({noted} as a note)" if noted and rule != "RD421" else ""
        )

    causes = ", ".join(f"{cause} {n}" for cause, n in Counter(run.cause for run in runs).most_common())
    overfit = ("RD501", "RD502", "RD503")
    others = Counter(rule for run in runs for rule in sorted(run.alarms - {*WATCHED, *overfit}))
    cells = [
        name,
        count("RD702"),
        causes,
        count("RD421"),
        count("RD505"),
        f"{sum(bool(run.alarms & set(overfit)) for run in runs)} of {len(runs)}",
        ", ".join(f"{rule} {n}" for rule, n in sorted(others.items())) or "-",
    ]
    return f"| {' | '.join(cells)} |"


def _sums(results: dict[str, list[Judged]]) -> list[str]:
    lines = []
    for rule in WATCHED:
        ill = [run for name, runs in results.items() if KINDS[name].rule == rule for run in runs]
        well = [
            (task, run)
            for name, runs in results.items()
            if KINDS[name].rule != rule
            for task, run in zip(NETWORKS, runs, strict=True)
        ]
        false = [task for task, run in well if rule in run.alarms]
        noted = Counter(task for task, run in well if run.found.get(rule) == "note")
        notes = f" (as a note: {', '.join(f'{task} {n}' for task, n in noted.items())})" if noted else ""
        found = sum(rule in run.found for run in ill)
        lines.append(
            f"- {rule}: found in {found} of {len(ill)}, and in {len(false)} of the {len(well)} others{notes}."
        )
    stuck = [(r, KINDS[name].causes) for name, runs in results.items() for r in runs if "RD702" in r.alarms]
    right = sum(run.cause in causes for run, causes in stuck)
    lines.append(f"- Where RD702 was found, the cause that it names is right in {right} of {len(stuck)}.")
    return lines


def main() -> None:
    """Runs one of them, or all."""
    if len(sys.argv) > 1:
        train(*sys.argv[1].rsplit(": ", 1))  # type: ignore[arg-type]
        return
    import_module("torch._dynamo")  # every optimizer imports it; the forks need not
    folder = tempfile.mkdtemp()  # not one that removes itself at exit: the forks exit, too
    results: dict[str, list[Judged]] = {}
    try:
        for name in KINDS:
            for task in NETWORKS:
                log = Path(folder, "run.jsonl")
                log.unlink(missing_ok=True)
                results.setdefault(name, []).append(judged(observed(f"{name}: {task}", log)))
                last = results[name][-1]
                print(f"{name}: {task}: {last.cause} {last.found}", flush=True)
    finally:
        shutil.rmtree(folder)
    Path(__file__).with_suffix(".md").write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
