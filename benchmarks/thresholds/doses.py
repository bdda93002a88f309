"""Faults of quantity in rising doses, on the development tasks of the fault bench: what is seen, what is learned.

Command: python -m benchmarks.thresholds.doses FAMILY [--settings N] [--logs DIR] (rate, decay, depth or gain). Every
family takes plain trainings of the bench's development part (never the held-back tasks), changes one thing in doses,
records the first 50 updates as the bench does, and trains anew, unobserved, for 1.5 times as many updates as the plain
twin needed, but 400 at least where the rate is one that people choose (a tenth to ten times a good one). One line a
run: the dose, after how many updates the target was reached (- if never), after how many the twin reached it, and the
family's signals. Twins that never reach it are left out. The last lines give, for each dose, how many did harm (not
within 1.5 times the twin's updates), how many reached the target at all, and smallest, median and largest value of
each signal. doses_rate.txt holds all doses of the first settings and, of 13 others, 0.01, 0.03 and 0.1 alone.
"""

import argparse
import math
import tempfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from benchmarks.faults import worker
from benchmarks.faults.faults import DEVELOPMENT, tasks
from benchmarks.faults.plan import OPTIMIZERS
from benchmarks.faults.run import HEALTHY, PATIENCE
from benchmarks.faults.setting import Setting
from benchmarks.faults.tasks import TASKS
from rnn_doctor.derive.signals import signals
from rnn_doctor.schema import reading

Row = tuple[str, int | None, int, dict[str, float]]
Family = tuple[Callable[[Setting], list[dict[str, Any]]], tuple[str, ...]]


def _rates(setting: Setting) -> list[dict[str, Any]]:
    rates = [{"rate": rate} for rate in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 3.0, 10.0, 30.0, 100.0)]
    clips: list[dict[str, Any]] = [{"clip": None}, {"clip": 0.1}, {"rate": 0.1, "clip": None}]
    return [*rates, *clips]


def _decays(setting: Setting) -> list[dict[str, Any]]:
    doses = {
        "AdamW": (0.1, 1.0, 2.0, 5.0, 10.0, 30.0), "SGD": (0.001, 0.01, 0.03, 0.1, 1.0),
        "momentum": (0.001, 0.01, 0.03, 0.1, 1.0),
    }  # fmt: skip
    return [{"weight_decay": d} for d in doses.get(setting.optimizer, (1e-4, 1e-3, 0.01, 0.03, 0.1, 1.0))]


def _depths(setting: Setting) -> list[dict[str, Any]]:
    deep = TASKS[setting.task].network == "layer"
    return [{"layers": layers} for layers in (2, 3, 4, 6, 8, 12)] if deep else []


def _gains(setting: Setting) -> list[dict[str, Any]]:
    plain = TASKS[setting.task].network == "layer" and setting.cell == "RNN"
    return [{"init": "orthogonal", "gain": g} for g in (1.0, 1.4, 2.0, 2.5, 3.0, 5.0)] if plain else []


FAMILIES: dict[str, Family] = {
    "rate": (_rates, (
        "displacement_per_step", "displacement_excess", "loss_fall", "loss_fall_bound", "loss_end_ratio",
        "loss_rise_max", "loss_uninformed_ratio",
    )),
    "decay": (_decays, (
        "decay_per_update", "recurrent_norm_remaining", "decay_accounts_for", "loss_end_uninformed", "loss_fall",
    )),
    "depth": (_depths, ("depth_gain_start", "depth_gain", "loss_fall", "loss_end_uninformed")),
    "gain": (_gains, ("recurrent_gain", "lag_slope_start", "lag_gain_longest", "loss_fall", "loss_end_uninformed")),
}  # fmt: skip


def plain_settings(count: int) -> list[Setting]:
    """So many plain trainings of the development tasks, each task in turn, in a random order that stays."""
    each = []
    for task in tasks(DEVELOPMENT):
        combinations = list(product(task.cells, (24, 48), OPTIMIZERS))
        Random(f"doses {task.name}").shuffle(combinations)
        each.append([Setting(task.name, cell=c, hidden=h, optimizer=o, seed=5) for c, h, o in combinations])
    return [settings[i] for i in range(max(map(len, each))) for settings in each if i < len(settings)][:count]


def observed(setting: Setting, names: tuple[str, ...], log: Path) -> dict[str, float]:
    """The signals of the first 50 updates; of modules the first one's, NaN where absent."""
    log.unlink(missing_ok=True)
    worker.observe(setting, log)
    found = signals(reading.read(log), lag=TASKS[setting.task].lag).signals
    values = {}
    for name in names:
        value = next((m.value for m in found[name].measurements.values()), None)
        values[name] = float(value) if isinstance(value, int | float) else math.nan
    return values


def _chosen(change: dict[str, Any]) -> bool:
    """Whether people train so, if slowly."""
    return 0.1 <= change.get("rate", 0.0) <= 10 or "clip" in change


def runs(family: Family, count: int, place: Path) -> Iterator[Row]:
    """Dose, when the target was reached, when the twin reached it, and the signals."""
    doses, names = family
    for plain in plain_settings(count):
        changes = doses(plain)
        twin, _, _ = worker.learn(plain, HEALTHY, place / "run") if changes else (None, [], "")
        if twin is None:
            continue
        for change in [{}, *changes]:
            setting = plain.changed(**change)
            reached: int | None = twin
            if change:
                updates = max(HEALTHY, int(PATIENCE * twin)) if _chosen(change) else int(PATIENCE * twin)
                reached, _, _ = worker.learn(setting, updates, place / "run")
            values = observed(setting, names, place / f"{setting.key().replace(' ', '_')}.jsonl")
            dose = " ".join(f"{key}={value}" for key, value in change.items()) or "twin"
            print(
                f"{setting.key()} | {dose} | reached {reached or '-'} twin {twin} | "
                + " ".join(f"{name}={value:.3g}" for name, value in values.items()),
                flush=True,
            )
            kind = f"{setting.optimizer} " if "weight_decay" in change else ""
            yield kind + dose, reached, twin, values


def main() -> None:
    """Prints the lines and the summary."""
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("--settings", type=int, default=50)
    parser.add_argument("--logs", type=Path, help="a folder that keeps the run logs")
    given = parser.parse_args()
    worker.warm()
    with tempfile.TemporaryDirectory() as folder:
        rows = list(runs(FAMILIES[given.family], given.settings, given.logs or Path(folder)))
    print("\n" + "\n".join(summary(FAMILIES[given.family][1], rows)))


def summary(names: tuple[str, ...], rows: list[Row]) -> list[str]:
    """A line for each dose."""
    lines = []
    for dose in dict.fromkeys(row[0] for row in rows):
        mine = [row for row in rows if row[0] == dose]
        harmed = sum(reached is None or reached > PATIENCE * twin for _, reached, twin, _ in mine)
        learned = sum(reached is not None for _, reached, _, _ in mine)
        columns = []
        for name in names:
            values = sorted(v for row in mine if not math.isnan(v := row[3][name]))
            if values:
                columns.append(f"{name} {values[0]:.2g} {median(values):.2g} {values[-1]:.2g}")
        lines.append(f"{dose}: harmed {harmed}, learned {learned} of {len(mine)} | " + " | ".join(columns))
    return lines


if __name__ == "__main__":
    main()
