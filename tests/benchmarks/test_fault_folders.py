"""Parts of the fault bench in folders: networks are right without a fault, and every fault changes something."""

from collections import Counter
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.faults.faults import BY_NAME
from benchmarks.faults.habit import Habit
from benchmarks.faults.part import folders
from benchmarks.faults.plan import Scenario, plan
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import (
    COURSES,
    EVERYDAY,
    REPORTED,
    SEALED,
    STUDIES,
    TUTORIALS,
    UNSEEN,
    UNTOUCHED,
    WORKSHOP,
    Task,
)
from benchmarks.faults.tasks import TASKS, score
from benchmarks.faults.training import train
from tests.benchmarks.trained import built, drawn, mixes, weights_after

PLAN = plan(12)
CHOSEN = (SEALED, UNSEEN, UNTOUCHED, REPORTED, TUTORIALS, STUDIES, EVERYDAY, COURSES, WORKSHOP)
LEAST = {
    SEALED: (400, 300, 150),
    UNSEEN: (400, 300, 150),
    UNTOUCHED: (400, 200, 80),
    REPORTED: (600, 250, 100),
    TUTORIALS: (600, 250, 100),
    STUDIES: (500, 250, 100),
    EVERYDAY: (600, 350, 150),
    COURSES: (600, 350, 150),
    WORKSHOP: (600, 300, 150),
}
"""Healthy runs of each, gross faults, and clear ones."""
MINE = [task for task in TASKS.values() if task.part in CHOSEN]
HABITS = [(part, habit) for part in CHOSEN for habit in folders()[part].drawn.habits]
TINY = {"hidden": 8, "batch": 6}


def planned(part: str) -> list[Scenario]:
    return [scenario for scenario in PLAN if scenario.part == part]


def one_of_each() -> list[Scenario]:
    """The gravest dose of every form, as it is first planted."""
    found: dict[tuple[str, str, str], Scenario] = {}
    for scenario in PLAN:
        if scenario.part not in CHOSEN or scenario.fault is None or scenario.form is None:
            continue
        if scenario.dose == "gross" or _has_no_gross(scenario):
            found.setdefault((scenario.part, scenario.fault, scenario.form), scenario)
    return list(found.values())


def _has_no_gross(scenario: Scenario) -> bool:
    assert scenario.fault
    forms = folders()[scenario.part].forms[scenario.fault]
    return all("gross" not in form.doses for form in forms if form.name == scenario.form)


def alike(one: list[Tensor], other: list[Tensor]) -> bool:
    return len(one) == len(other) and all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, other, strict=True)
    )


@pytest.fixture
def small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in CHOSEN:
        where = "batches" if part in (SEALED, UNSEEN) else "running"
        monkeypatch.setattr(import_module(f"benchmarks.faults.{part}.{where}"), "SAMPLES", 60)


@pytest.mark.parametrize("part", CHOSEN)
def test_it_is_large_enough_and_no_fault_outweighs_the_others(part: str) -> None:
    mine = planned(part)
    ill = Counter(scenario.fault for scenario in mine if scenario.fault)
    assert set(ill) == set(BY_NAME)
    assert max(ill.values()) <= 0.15 * sum(ill.values())
    doses = Counter(scenario.dose for scenario in mine)
    assert all(doses[dose] >= n for dose, n in zip((None, "gross", "clear"), LEAST[part], strict=True))
    forms = {(s.fault, s.form) for s in mine if s.fault}
    assert forms == {(fault, form.name) for fault, its in folders()[part].forms.items() for form in its}


@pytest.mark.parametrize("part", CHOSEN)
def test_its_sizes_and_seeds_are_its_own(part: str) -> None:
    healthy = [s.setting for s in planned(part) if s.twin is None]
    others = [s for s in plan(4) if s.part != part]
    assert {s.hidden for s in healthy} & {s.setting.hidden for s in others if s.fault is None} == set()
    assert {s.twin.seed for s in planned(part) if s.twin} & {s.twin.seed for s in others if s.twin} == set()
    assert len({s.seed for s in healthy}) > 100


@pytest.mark.usefixtures("small_sets")
@pytest.mark.parametrize("scenario", one_of_each(), ids=lambda s: f"{s.fault}-{s.form}".replace(" ", "_"))
def test_every_fault_runs_and_changes_the_training(scenario: Scenario) -> None:
    assert scenario.twin is not None
    changes: dict[str, Any] = dict(TINY)
    if scenario.setting.not_a_number:
        changes["not_a_number"] = 2
    if scenario.setting.schedule in ("milestones", "step", "by_hand", "steps", "marks"):
        changes["span"] = 1
    ill, twin = scenario.setting.changed(**changes), scenario.twin.changed(**TINY)
    updates = 3
    if ill.schedule in ("plateau", "impatient", "upside_down") or ill.output == "relu":
        updates = 25  # until a plateau was long enough, or an answer below zero
    if scenario.fault == "state-kept":
        with pytest.raises(RuntimeError, match=r"backward through the graph a second time|inplace operation"):
            train(ill, updates)
        train(twin, updates)
        return
    assert not alike(weights_after(ill, updates), weights_after(twin, updates))


@pytest.mark.usefixtures("small_sets")
@pytest.mark.parametrize(
    ("part", "habit"), HABITS, ids=[f"{p}-{h.name}".replace(" ", "_") for p, h in HABITS]
)
def test_every_habit_moves_all_weights_that_it_leaves_free(part: str, habit: Habit) -> None:
    task = next(task for task in MINE if task.part == part and habit.needs(task))
    setting = Setting(task.name).changed(**{**TINY, "hidden": 14, **habit.changes})
    build = import_module(f"benchmarks.faults.{part}.networks").build
    torch.manual_seed(setting.seed)
    begun = list(build(task, setting).parameters())
    after = weights_after(setting, 2)
    frozen = [not p.requires_grad for p in begun]
    assert [torch.equal(a, b) for a, b in zip(begun, after, strict=True)] == frozen
    assert all(p.isfinite().all() for p in after)


@pytest.mark.parametrize("task", MINE, ids=lambda task: task.name)
@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_samples_know_nothing_of_each_other(task: Task, cell: str) -> None:
    layers = 1 if task.network == "spelled" else 2
    assert not mixes(task, Setting(task.name, cell=cell, hidden=8, layers=layers))


@pytest.mark.parametrize("task", MINE, ids=lambda task: task.name)
def test_no_answer_is_right_by_itself(task: Task) -> None:
    _, y, _ = drawn(task, 300)
    if task.classes:
        answers = y[y >= 0]
        assert float(answers.bincount().max()) < 0.7 * len(answers)
    elif task.measure is None:
        assert abs(float(y.std()) - 1) < 0.1
    assert score(task, built(task, Setting(task.name, hidden=8))) < task.target / 2
