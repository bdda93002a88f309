"""Faults of quantity in rising doses, on tasks of the fault bench: what is seen, what is learned.

Command: python -m benchmarks.thresholds.doses FAMILY [--settings N] [--part P] [--seed S] [--sizes H ...] [--logs DIR]
(rate, small, large, decay, depth, gain, scaled or relu). Every family takes plain trainings of one part of the bench
(the development part; of others with sizes and seeds that the bench has not), changes one thing in doses, records the
first 50 updates as the bench does, and trains anew, unobserved, for 1.5 times as many updates as the plain twin needed,
but 400 at least where the rate is one that people choose (a tenth to ten times a good one). One line a run: the dose,
after how many updates the target was reached (- if never), after how many the twin reached it, and the family's
signals. Twins that never reach it are left out. The last lines give, for each dose, how many did harm (not
within 1.5 times the twin's updates), how many reached the target at all, and smallest, median and largest value of
each signal. doses_rate.txt holds all doses of the first settings and, of 13 others, 0.01, 0.03 and 0.1 alone;
doses_large.txt is `large --part blind --seed 23 --sizes 16 32 --settings 8`, doses_scaled.txt the first networks of
`scaled --part blind --seed 29 --sizes 16 32`.
"""

import argparse
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from benchmarks.faults import worker
from benchmarks.faults.faults import tasks
from benchmarks.faults.plan import RANGES
from benchmarks.faults.run import HEALTHY, PATIENCE
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import DEVELOPMENT, PARTS
from benchmarks.faults.tasks import TASKS
from rnn_doctor.derive.signals import signals
from rnn_doctor.schema import reading

Row = tuple[str, int | None, int, dict[str, float]]
Family = tuple[Callable[[Setting], list[dict[str, Any]]], tuple[str, ...]]


def _rates(setting: Setting) -> list[dict[str, Any]]:
    rates = [{"rate": rate} for rate in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 3.0, 10.0, 30.0, 100.0)]
    clips: list[dict[str, Any]] = [{"clip": None}, {"clip": 0.1}, {"rate": 0.1, "clip": None}]
    return [*rates, *clips]


def _small(setting: Setting) -> list[dict[str, Any]]:
    """Steps that are small for one of three reasons, and those of a careful rate."""
    rates: list[dict[str, Any]] = [{"rate": rate} for rate in (0.003, 0.01, 0.03, 0.1, 0.3)]
    if setting.optimizer not in ("SGD", "momentum", "nesterov"):
        return rates
    scales: list[dict[str, Any]] = [{"loss_scale": scale, "clip": None} for scale in (0.003, 0.01, 0.03, 0.3)]
    return [*rates, *scales, *({"clip": limit} for limit in (3e-4, 3e-3, 3e-2))]


def _large(setting: Setting) -> list[dict[str, Any]]:
    return [{"rate": rate} for rate in (5.0, 10.0, 20.0, 30.0, 60.0, 100.0)]


def _decays(setting: Setting) -> list[dict[str, Any]]:
    doses = {
        "AdamW": (0.1, 1.0, 2.0, 5.0, 10.0, 30.0), "SGD": (0.001, 0.01, 0.03, 0.1, 1.0),
        "momentum": (0.001, 0.01, 0.03, 0.1, 1.0),
    }  # fmt: skip
    return [{"weight_decay": d} for d in doses.get(setting.optimizer, (1e-4, 1e-3, 0.01, 0.03, 0.1, 1.0))]


def _depths(setting: Setting) -> list[dict[str, Any]]:
    deep = TASKS[setting.task].network in ("layer", "pipeline", "packed", "loop")
    return [{"layers": layers} for layers in (2, 3, 4, 6, 8, 12)] if deep else []


def _gains(setting: Setting) -> list[dict[str, Any]]:
    plain = TASKS[setting.task].network == "layer" and setting.cell == "RNN"
    return [{"init": "orthogonal", "gain": g} for g in (1.0, 1.4, 2.0, 2.5, 3.0, 5.0)] if plain else []


def _scaled(setting: Setting) -> list[dict[str, Any]]:
    """Recurrent weights of PyTorch's own distribution that are so many times too large."""
    gains = (2.0, 3.0, 4.5, 7.0, 12.0, 25.0)
    return [{"init": "scaled", "gain": g} for g in gains] if setting.cell == "RNN" else []


def _relu(setting: Setting) -> list[dict[str, Any]]:
    """Units of a ReLU recurrence that start below zero."""
    plain = TASKS[setting.task].network in ("layer", "pipeline", "packed") and setting.cell == "RNN"
    return [{"relu_bias": bias} for bias in (0.0, -1.0, -2.0, -5.0, -9.0)] if plain else []


FAMILIES: dict[str, Family] = {
    "rate": (_rates, (
        "displacement_per_step", "displacement_excess", "loss_fall", "loss_fall_bound", "loss_end_ratio",
        "loss_rise_max", "loss_uninformed_ratio",
    )),
    "small": (_small, (
        "displacement_per_step", "path_per_step", "path_unclipped", "clip_ratio_median", "loss_fall",
        "loss_fall_informed", "loss_fall_bound", "loss_uninformed_ratio",
    )),
    "large": (_large, (
        "displacement_excess", "saturation_gained", "loss_end_ratio", "loss_rise_max", "loss_end_uninformed",
        "loss_fall", "dead_unit_share",
    )),
    "decay": (_decays, (
        "decay_per_update", "recurrent_norm_remaining", "decay_accounts_for", "loss_end_uninformed", "loss_fall",
    )),
    "depth": (_depths, ("depth_gain_start", "depth_gain", "loss_fall", "loss_fall_informed", "loss_end_uninformed")),
    "scaled": (_scaled, (
        "recurrent_gain", "lag_slope_start", "lag_gain_longest", "gate_saturation_start", "loss_fall_informed",
    )),
    "relu": (_relu, ("dead_unit_share", "loss_fall_informed", "lag_gain")),
    "gain": (_gains, ("recurrent_gain", "lag_slope_start", "lag_gain_longest", "loss_fall", "loss_end_uninformed")),
}  # fmt: skip


def plain_settings(count: int, part: str, sizes: Sequence[int], seed: int) -> list[Setting]:
    """So many plain trainings of a part's tasks, each task in turn, in a random order that stays."""
    each = []
    for task in tasks(part):
        combinations = list(product(task.cells, sizes, RANGES[part].optimizers))
        Random(f"doses {task.name}").shuffle(combinations)
        each.append(
            [Setting(task.name, cell=c, hidden=h, optimizer=o, seed=seed) for c, h, o in combinations]
        )
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


def runs(family: Family, settings: Sequence[Setting], place: Path) -> Iterator[Row]:
    """Dose, when the target was reached, when the twin reached it, and the signals."""
    doses, names = family
    for plain in settings:
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
    parser.add_argument("--part", choices=PARTS, default=DEVELOPMENT)
    parser.add_argument("--sizes", type=int, nargs="+", default=(24, 48))
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--logs", type=Path, help="a folder that keeps the run logs")
    given = parser.parse_args()
    worker.warm()
    with tempfile.TemporaryDirectory() as folder:
        settings = plain_settings(given.settings, given.part, given.sizes, given.seed)
        rows = list(runs(FAMILIES[given.family], settings, given.logs or Path(folder)))
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
