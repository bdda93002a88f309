"""The fault bench's plan: the same every time, its parts apart, its twins healthy."""

from collections.abc import Callable
from dataclasses import asdict
from itertools import combinations

import pytest
import torch

from benchmarks.faults.blind import loops
from benchmarks.faults.faults import BY_NAME, FAULTS
from benchmarks.faults.part import folders
from benchmarks.faults.plan import Scenario, plan
from benchmarks.faults.setting import Setting, from_key
from benchmarks.faults.task import BLIND, DEVELOPMENT, FOLDERS, PARTS
from benchmarks.faults.tasks import TASKS, stream
from benchmarks.faults.training import train
from rnn_doctor import pipeline

PLAN = plan(4)


def test_it_is_the_same_every_time_and_its_beginning_stays() -> None:
    assert plan(4) == PLAN
    assert plan(2) == PLAN[: len(plan(2))]
    assert len({scenario.key for scenario in PLAN}) == len(PLAN)


def test_a_key_makes_its_setting_anew() -> None:
    for scenario in PLAN:
        assert from_key(scenario.key) == scenario.setting


def test_the_parts_share_neither_tasks_nor_forms() -> None:
    parts = {name: [s for s in PLAN if s.part == name] for name in PARTS}
    assert sum(map(len, parts.values())) == len(PLAN)
    tasks = {name: {s.setting.task for s in of} for name, of in parts.items()}
    forms = {name: {(s.fault, s.form) for s in of if s.fault} for name, of in parts.items()}
    for one, other in combinations(PARTS, 2):
        assert not tasks[one] & tasks[other]
        assert not forms[one] & forms[other]
    assert set().union(*tasks.values()) == set(TASKS)
    assert all({fault for fault, _ in forms[part]} == set(BY_NAME) for part in PARTS)
    assert all(set(part.forms) == set(BY_NAME) for part in folders().values())


def test_the_blind_part_has_other_sizes_and_seeds() -> None:
    def values(field: str, *parts: str) -> set[object]:
        return {getattr(s.setting, field) for s in PLAN if s.part in parts and s.fault is None}

    assert not values("hidden", BLIND) & values("hidden", *PARTS[:2])
    plain = [s.twin.seed for s in PLAN if s.part == BLIND and s.twin is not None]
    assert set(plain).isdisjoint(s.twin.seed for s in PLAN if s.part != BLIND and s.twin is not None)


def test_a_fault_is_its_twin_but_for_what_its_form_changes() -> None:
    healthy = {s.key for s in PLAN if s.fault is None}
    for scenario in PLAN:
        if scenario.fault is None:
            continue
        assert scenario.twin is not None
        assert scenario.dose is not None
        assert scenario.twin.key() in healthy
        (form,) = [f for f in BY_NAME[scenario.fault].forms if f.name == scenario.form]
        mine, its = asdict(scenario.setting), asdict(scenario.twin)
        assert {k: v for k, v in mine.items() if v != its[k]} == dict(form.doses[scenario.dose])


def test_every_way_to_train_is_there() -> None:
    healthy = [s.setting for s in PLAN if s.fault is None]
    for field in ("cell", "optimizer", "hidden", "batch", "rate"):
        assert len({getattr(setting, field) for setting in healthy}) >= 3
    assert {fault.condition for fault in FAULTS} == {
        "vanishing_gradients", "exploding_gradients", "overfitting", "slow_convergence",
    }  # fmt: skip


def test_the_rules_that_are_right_are_in_the_catalogue_of_ids() -> None:
    known = set(pipeline.rulebook().rules)
    assert all(set(fault.rules) & known for fault in FAULTS)


def test_training_is_the_same_every_time() -> None:
    def weights(setting: Setting) -> list[float]:
        found: list[float] = []

        def watch(update: int, model: torch.nn.Module) -> bool:
            found.append(sum(float(p.detach().double().sum()) for p in model.parameters()))
            return False

        train(setting, 2, watch)
        return found

    for name in (
        "recall",
        "policy",
        "endings",
        "reverse",
        "motifs",
        "melody",
        "logs",
        "translate",
        "gibberish",
        "dates",
        "surnames",
        "reviews",
        "traffic",
        "heartbeats",
        "corridor",
        "numerals",
        "electricity",
        "glyphs",
        "walkers",
        "clock",
        "generation",
        "nextword",
        "translation",
        "waves",
        "tunes",
        "prices",
        "chatbot",
        "plant",
        "slots",
        "naming",
        "bikes",
        "chorale",
        "manual",
        "complaints",
        "cipher",
        "weather",
        "tickets",
        "demand",
        "translit",
    ):
        assert weights(Setting(name)) == weights(Setting(name)) != weights(Setting(name, seed=5))


def test_sorted_batches_hold_one_class_and_shuffled_ones_several() -> None:
    def classes(order: str) -> int:
        setting = Setting("recall", order=order)
        batches = stream(TASKS["recall"], setting, torch.Generator().manual_seed(3))
        return min(len(torch.unique(next(batches)[1])) for _ in range(5))

    assert classes("sorted") == 1
    assert classes("shuffled") == 4


@pytest.mark.parametrize("name", [task.name for task in TASKS.values() if task.part in FOLDERS])
def test_every_part_of_a_network_learns(name: str) -> None:
    seen: list[bool] = []

    def attach(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        before = {key: value.clone() for key, value in model.state_dict().items()}

        def watch_end() -> None:
            seen.extend(not torch.equal(before[key], value) for key, value in model.state_dict().items())

        ends.append(watch_end)

    ends: list[Callable[[], None]] = []
    train(Setting(name, hidden=8, validate_every=1), 2, attach=attach)
    ends[0]()
    assert seen
    assert all(seen)


def test_sequences_are_padded_to_the_longest_of_their_batch() -> None:
    setting = Setting("digits", batch=4)
    batches = loops.batches(TASKS["digits"], setting)
    for x, y, lengths in (next(batches) for _ in range(5)):
        assert lengths is not None
        assert x.shape == (4, int(lengths.max()), 6)
        assert len(y) == 4
        assert all(not row[n:].any() and row[:n].all() for row, n in zip(x, lengths.tolist(), strict=True))


def test_a_carried_state_meets_the_notes_that_follow() -> None:
    batches = loops.batches(TASKS["melody"], Setting("melody", state="carried"))
    (x, y, _), (after, _, _) = next(batches), next(batches)
    assert torch.equal(x[:, 1:], y[:, :-1])
    assert torch.equal(y[:, -1], after[:, 0])


@pytest.mark.parametrize("order", ["sorted", "same"])
def test_bad_orders_of_the_blind_part(order: str) -> None:
    batches = loops.batches(TASKS["logs"], Setting("logs", order=order))
    first, second = (next(batches)[1] for _ in range(2))
    assert len(torch.unique(first)) == (1 if order == "sorted" else 3)
    assert torch.equal(first, second)


def test_a_scenario_is_named_by_what_it_changes() -> None:
    setting = Setting("recall", cell="GRU", rate=10.0)
    assert Scenario(setting, DEVELOPMENT).key == "task=recall cell=GRU rate=10.0"
