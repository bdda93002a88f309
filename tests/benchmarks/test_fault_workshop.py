"""The workshop's part of the fault bench: its data, and what its forms do in its scripts."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.faults.part import folders
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import WORKSHOP
from benchmarks.faults.tasks import TASKS
from benchmarks.faults.workshop import data, objectives
from benchmarks.faults.workshop.desk import Desk
from benchmarks.faults.workshop.forms import FORMS
from benchmarks.faults.workshop.habits import HABITS
from benchmarks.faults.workshop.networks import build
from benchmarks.faults.workshop.planting import CODES, FILED, LAYERED, LOOPED, MANY, MEASURED, WINDOWS, YES
from benchmarks.faults.workshop.running import Run
from tests.benchmarks.trained import answers, drawn, learns_in_front_of_the_cut_alone, mixes

MINE = [task for task in TASKS.values() if task.part == WORKSHOP]
ACROSS = (*WINDOWS, "invoices", "translit", "dispatch")


def run_of(setting: Setting) -> Run:
    return Run(TASKS[setting.task], setting, 1, lambda _, __: True, lambda _, __: None)


def desk_of(setting: Setting) -> Desk:
    torch.manual_seed(setting.seed)
    return Desk(run_of(setting), build(TASKS[setting.task], setting))


def test_each_form_is_named_once_and_by_no_other_part() -> None:
    mine = [form.name for forms in FORMS.values() for form in forms]
    assert len(set(mine)) == len(mine)
    others = [part.forms for name, part in folders().items() if name != WORKSHOP]
    assert not set(mine) & {form.name for its in others for forms in its.values() for form in forms}
    assert all(2 <= len(forms) <= 5 for forms in FORMS.values())
    assert {task.name for task in MINE} == {*MEASURED, *CODES} == {*YES, *MANY, "meters", "demand", "queues"}
    assert {*FILED, *LAYERED, *LOOPED} < {task.name for task in MINE}


def test_healthy_habits_are_many_and_each_fits_a_task() -> None:
    assert len(HABITS) >= 50
    assert all(any(habit.needs(task) for task in MINE) for habit in HABITS)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((name, {"axes": axes}) for name in ACROSS for axes in ("no_batch_first", "permuted")),
        *((name, {"axes": "over_rows"}) for name in LOOPED),
        ("loglines", {"axes": "not_transposed"}),
        *((name, {"view": "viewed"}) for name in (*ACROSS, "loglines")),
        *((name, {"view": "stacked"}) for name in (*LOOPED, "translit")),
        ("clicks", {"view": "ends", "bidirectional": True}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize(
    ("name", "padding", "reaches"),
    [
        ("clicks", "packed", False), ("clicks", "unpacked", True), ("clicks", "same_length", True),
        ("clicks", "newest", True), ("tickets", "packed", False), ("tickets", "unmasked", True),
    ],
)  # fmt: skip
def test_padding_reaches_the_answer_with_a_fault_alone(name: str, padding: str, reaches: bool) -> None:
    task, batch = TASKS[name], drawn(TASKS[name])
    short, longer = (
        answers(task, Setting(name, hidden=8, padding=padding, pad_to=n), batch) for n in (0, 40)
    )
    assert torch.allclose(short, longer, atol=1e-6) is not reaches


def test_a_mask_with_the_other_sense_leaves_nothing_of_the_words() -> None:
    x, y, lengths = drawn(TASKS["tickets"])
    made = answers(TASKS["tickets"], Setting("tickets", padding="mask_reversed", pad_to=24), (x, y, lengths))
    torch.testing.assert_close(made, made[:1].expand_as(made))


@pytest.mark.parametrize("cut", ["no_grad", "data", "cached", "tensor", "flags"])
@pytest.mark.parametrize("task", MINE, ids=lambda task: task.name)
def test_nothing_behind_the_cut_is_learned(task: Any, cut: str) -> None:
    if task.name == "demand":
        return  # it answers with two tensors, one of which is looked at there
    learns_in_front_of_the_cut_alone(build(task, Setting(task.name, hidden=4, cut=cut)), task)


@pytest.mark.parametrize(
    ("name", "fault", "upto"),
    [
        *((name, {"length_one": "forgets"}, 9) for name in ("alarms", "queues")),
        *((name, {"length_one": "newest"}, 9) for name in WINDOWS),
        *((name, {"length_one": "one_by_one"}, 9) for name in ("clicks", "loglines")),
    ],
)
def test_one_step_alone_knows_nothing_of_those_before(name: str, fault: dict[str, Any], upto: int) -> None:
    def depends(setting: Setting) -> bool:
        task = TASKS[name]
        x, y, _ = drawn(task)
        lengths = torch.full((len(x),), x.shape[1]) if task.padded else None
        other = x.clone()
        other[:, :upto] = 1 if task.tokens else -other[:, :upto]
        one, changed = (answers(task, setting, (part, y, lengths)) for part in (x, other))
        return not torch.allclose(one[:, -1], changed[:, -1], atol=1e-6)

    assert depends(Setting(name, hidden=8))
    assert not depends(Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize("name", ["alarms", "queues"])
@pytest.mark.parametrize("fault", [{"detach_every": 1}, {"detach_every": 3}, {"state": "buffer"}])
def test_what_was_detached_is_not_learned_from(name: str, fault: dict[str, Any]) -> None:
    def gradient(setting: Setting) -> float:
        x = drawn(TASKS[name])[0].requires_grad_()
        build(TASKS[name], setting)(x)[:, -1].sum().backward()
        return 0.0 if x.grad is None else float(x.grad[:, 0].abs().sum())

    assert gradient(Setting(name, hidden=8)) > 0
    assert gradient(Setting(name, hidden=8).changed(**fault)) == 0


@pytest.mark.parametrize(
    ("name", "how", "unknown"),
    [
        ("clicks", "all", set()), ("meters", "no_rnn", {"rnn"}),
        ("invoices", "second_network", {"embedding", "rnn", "fc"}), ("alarms", "list", set()),
    ],
)  # fmt: skip
def test_what_an_optimizer_does_not_know(name: str, how: str, unknown: set[str]) -> None:
    desk = desk_of(Setting(name, hidden=4, optimized=how))
    known = {id(p) for group in desk.optimizer.param_groups for p in group["params"]}
    assert {
        key.partition(".")[0] for key, p in desk.model.named_parameters() if id(p) not in known
    } == unknown


@pytest.mark.parametrize(
    ("changes", "shares"),
    [
        ({"schedule": "unbounded", "span": 2}, [1.0, 1.5, 2.0]),
        ({"schedule": "marks", "span": 2, "gamma": 0.1}, [1.0, 0.1, 0.1]),
        ({"schedule": "to_zero", "span": 2}, [0.5, 0.0, 0.0]),
        ({"schedule": "compound", "gamma": 0.5}, [0.5, 0.125, 1 / 64]),
        ({"schedule": "by_epoch", "span": 10, "batch": 800}, [0.1, 0.2, 0.2]),
        ({"schedule": "two_phases"}, [0.3, 0.3, 0.3]),
    ],
)
def test_what_a_schedule_leaves_of_the_rate(changes: dict[str, Any], shares: list[float]) -> None:
    desk = desk_of(Setting("meters", hidden=4).changed(**changes))
    seen = []
    for _ in shares:
        desk.optimizer.step()
        desk.scheduler.step()
        seen.append(desk.optimizer.param_groups[0]["lr"] / 4e-3)
    assert seen == pytest.approx(shares)


@pytest.mark.parametrize(
    ("changes", "largest"),
    [
        ({"clip_kind": "hooks", "clip": 1e-3}, 1e-3),
        ({"clip_kind": "by_size", "clip": 0.249}, 1e-3),
        ({"clip": 0.01}, 0.01),
    ],
)
def test_gradients_are_clipped(changes: dict[str, Any], largest: float) -> None:
    setting = Setting("queues", hidden=4).changed(**changes)
    desk = desk_of(setting)
    x, y, _ = drawn(TASKS["queues"])
    desk(objectives.loss_of(TASKS["queues"], desk.model(x), y + 50, setting))
    assert 0 < max(float(p.grad.abs().max()) for p in desk.model.parameters()) <= largest * 1.001


def test_gradients_of_a_copy_are_cleared() -> None:
    desk = desk_of(Setting("queues", hidden=4, clearing="copy"))
    for p in desk.model.parameters():
        p.grad = torch.ones_like(p)
    desk.zero_grad()
    assert all(p.grad is not None for p in desk.model.parameters())


def test_batches_are_shuffled_and_rows_are_not() -> None:
    run = run_of(Setting("bearings", order="cut_first", samples=200, batch=10))
    _, y, _ = run.load_data()
    batches = [y[rows] for rows in run.batches(200)]
    assert len({int(batch[0]) for batch in batches[:8]}) > 1
    assert sum(len(set(batch.tolist())) for batch in batches) <= len(batches) + 3


@pytest.mark.parametrize("constant", ["whole_numbers", "zeros", "other_range"])
@pytest.mark.parametrize("name", [*WINDOWS, "alarms", "queues"])
def test_inputs_that_tell_next_to_nothing(name: str, constant: str) -> None:
    x, _, _ = drawn(TASKS[name])
    told = objectives.sensed(x, nn.Identity(), Setting(name, constant=constant))
    assert told.shape == x.shape
    assert float(told.std()) < 1e-4


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("shapes", ["output_flat", "target_flat", "hand_target_flat", "middle_axis"])
def test_each_is_compared_with_all_others(shapes: str) -> None:
    out, y = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [2.0]])
    setting = Setting("meters", shapes=shapes)
    for made, none in ((out, 0.0), ((out, torch.zeros_like(out)), 0.0)):
        assert float(objectives.loss_of(TASKS["meters"], made, y, Setting("meters"))) == none
        if shapes != "hand_target_flat" or isinstance(made, Tensor):
            assert float(objectives.loss_of(TASKS["meters"], made, y, setting)) > 0


def test_chances_are_held_against_a_half() -> None:
    batch = torch.zeros(4, 1), torch.tensor([0, 1, 0, 1]), None

    def say(*out: float) -> Any:
        return lambda x, lengths: torch.tensor(out)

    assert data.chances_or_scores(say(-1.0, 1.0, -1.0, 1.0), batch) == 1.0
    assert data.chances_or_scores(say(0.1, 0.9, 0.1, 0.9), batch) == 1.0
    assert data.chances_or_scores(say(0.1, 0.9, float("nan"), 0.9), batch) == 0.0


def test_what_is_asked_for() -> None:
    x, y, _ = drawn(TASKS["clicks"], 50)
    assert torch.equal((x == data.COUPON).any(1), y == 1)
    x, y, _ = drawn(TASKS["loglines"], 50)
    assert torch.equal(x.flatten()[1:], y.flatten()[:-1])
    x, y, _ = drawn(TASKS["queues"], 50)
    assert bool((y >= -0.78 / 0.69 - 1e-6).all())
    x, y, _ = drawn(TASKS["alarms"], 50)
    assert bool(y[:, data.DELAY :][(x[:, : -data.DELAY, 0] > 0) & (x[:, data.DELAY :, 1] < 0)].all())
