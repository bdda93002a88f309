"""The everyday part of the fault bench: how often its forms are planted, what they do in its scripts, and its data."""

from collections import defaultdict
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.faults.everyday import data, manual, texts
from benchmarks.faults.everyday.complaints import Collate
from benchmarks.faults.everyday.forms import FORMS
from benchmarks.faults.everyday.habits import HABITS, MEASURED, TOKENS
from benchmarks.faults.everyday.networks import build
from benchmarks.faults.everyday.planting import FILED
from benchmarks.faults.everyday.running import Run
from benchmarks.faults.parts_common import fitting, layers, losses, optimizing
from benchmarks.faults.parts_common.cells import MyCell
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import EVERYDAY
from benchmarks.faults.tasks import TASKS
from tests.benchmarks.trained import answers, drawn, learns_in_front_of_the_cut_alone, mixes

MINE = [task for task in TASKS.values() if task.part == EVERYDAY]


def run_of(setting: Setting) -> Run:
    return Run(TASKS[setting.task], setting, 1, lambda _, __: True, lambda _, __: None)


def fit_of(setting: Setting) -> fitting.Fit:
    torch.manual_seed(setting.seed)
    return fitting.Fit(run_of(setting), build(TASKS[setting.task], setting))


def fits() -> dict[str, set[str]]:
    """The tasks of each form."""
    found = defaultdict(set)
    for task in MINE:
        for forms in FORMS.values():
            for form in forms:
                for cell in task.cells:
                    settings = [Setting(task.name, cell=cell, optimizer=o) for o in ("Adam", "SGD")]
                    if any(form.needs(task, setting) for setting in settings):
                        found[form.name].add(task.name)
    return found


def test_each_fault_has_its_usual_way_and_few_others() -> None:
    for forms in FORMS.values():
        assert 2 <= len(forms) <= 5
        rounds = [form.rounds or 0 for form in forms]
        assert max(rounds) >= 4
        assert all(form.doses and form.name for form in forms)


def test_forms_fit_several_tasks_unless_one_script_alone_has_their_line() -> None:
    alone = {name: tasks for name, tasks in fits().items() if len(tasks) == 1}
    assert set().union(*alone.values()) == {"weather", "complaints", "manual", "markers"}
    assert len({form.name for forms in FORMS.values() for form in forms}) == sum(map(len, FORMS.values()))


def test_healthy_habits_are_many_and_each_fits_a_task() -> None:
    assert len(HABITS) >= 40
    assert all(any(habit.needs(task) for task in MINE) for habit in HABITS)
    rates = [habit.changes["rate"] for habit in HABITS if set(habit.changes) == {"rate"}]
    assert max(rates) / min(rates) >= 50


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((name, {"axes": "no_batch_first"}) for name in ("weather", "drivers", "tongues", "manual")),
        *((name, {"axes": "permuted"}) for name in ("weather", "drivers", "tongues")),
        *((name, {"axes": "rows"}) for name in ("battery", "markers")),
        *((name, {"view": "viewed"}) for name in ("manual", "glossary", "weather", "drivers", "battery", "markers")),
        *((name, {"view": "ends", "bidirectional": True}) for name in ("complaints", "tongues")),
        *((name, {"view": "stacked"}) for name in ("sorting", "cipher")),
    ],
)  # fmt: skip
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize("both", [False, True])
def test_complaints_are_read_for_themselves(both: bool) -> None:
    assert not mixes(TASKS["complaints"], Setting("complaints", hidden=8, bidirectional=both))


@pytest.mark.parametrize(
    ("padding", "reaches"),
    [("packed", False), ("last_output", True), ("last_state", True)],
)
def test_padding_reaches_the_answer_with_a_fault_alone(padding: str, reaches: bool) -> None:
    task, setting = TASKS["complaints"], Setting("complaints", hidden=8, padding=padding)
    x, y, lengths = drawn(task)
    short = answers(task, setting, (x, y, lengths))
    longer = answers(task, setting, (nn.functional.pad(x, (0, 9)), y, lengths))
    fixed = answers(task, setting.changed(pad_to=40), (x, y, lengths))
    assert torch.allclose(short, longer, atol=1e-6) is not reaches
    assert torch.allclose(short, fixed, atol=1e-6) is not reaches


def test_a_batch_of_complaints_is_padded_to_a_length() -> None:
    batch = [(torch.tensor([4, 5]), torch.tensor(0)), (torch.tensor([6, 7, 8]), torch.tensor(1))]
    words, labels, lengths = Collate(Setting("complaints", pad_to=5))(batch)
    assert words.tolist() == [[4, 5, 0, 0, 0], [6, 7, 8, 0, 0]]
    assert (labels.tolist(), lengths.tolist()) == ([0, 1], [2, 3])


@pytest.mark.parametrize(
    ("name", "how", "unknown"),
    [
        ("weather", "all", set()),
        ("weather", "head", {"rnn", "dense"}),
        ("weather", "second_network", {"rnn", "dense", "fc"}),
        ("cipher", "decoder", {"encoder"}),
        ("battery", "list", set()),
    ],
)
def test_what_an_optimizer_does_not_know(name: str, how: str, unknown: set[str]) -> None:
    fit = fit_of(Setting(name, hidden=4, optimized=how))
    known = {id(p) for group in fit.optimizer.param_groups for p in group["params"]}
    named = fit.model.named_parameters()
    assert {key.partition(".")[0] for key, p in named if id(p) not in known} == unknown


@pytest.mark.parametrize("name", ["battery", "drivers", "markers"])
def test_what_no_network_knows_is_used(name: str) -> None:
    model = build(TASKS[name], Setting(name, hidden=4, optimized="list"))
    assert not any(optimizing.recurrent(key) for key, _ in model.named_parameters())
    model(drawn(TASKS[name])[0])


@pytest.mark.parametrize(
    ("how", "accumulate", "cleared"),
    [
        ("each", 1, [0, 1, 2, 3, 4]), ("each", 2, [0, 2, 4]), ("never", 1, []), ("epoch", 1, []),
    ],
)  # fmt: skip
def test_when_gradients_are_cleared(how: str, accumulate: int, cleared: list[int]) -> None:
    fit = fit_of(Setting("weather", hidden=4, clearing=how, accumulate=accumulate))
    seen = []
    for iteration in range(5):
        fit.iteration = iteration
        for p in fit.model.parameters():
            p.grad = torch.ones_like(p)
        fit.zero_grad()
        seen += [iteration] if all(p.grad is None for p in fit.model.parameters()) else []
    assert seen == cleared
    fit.start_epoch()
    assert all((p.grad is None) is (how == "epoch" or cleared[-1:] == [4]) for p in fit.model.parameters())


@pytest.mark.parametrize(
    ("changes", "shares"),
    [
        ({"schedule": "steps", "span": 2, "gamma": 0.1}, [1, 0.1, 0.1, 0.01]),
        ({"schedule": "exponential", "gamma": 0.5}, [0.5, 0.25, 0.125, 0.0625]),
        ({"warm_up": 8}, [0.25, 0.375, 0.5, 0.625]),
        ({"schedule": "none"}, [1, 1, 1, 1]),
    ],
)
def test_what_a_schedule_leaves_of_the_rate(changes: dict[str, Any], shares: list[float]) -> None:
    optimizer = fit_of(Setting("weather", hidden=4)).optimizer
    rate, seen = optimizer.param_groups[0]["lr"], []
    scheduler = optimizing.make_scheduler(optimizer, Setting("weather").changed(**changes))
    for _ in range(4):
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        seen.append(optimizer.param_groups[0]["lr"] / rate)
    assert seen == pytest.approx(shares)


@pytest.mark.parametrize(("cell", "its"), [("RNN", nn.RNNCell), ("GRU", nn.GRUCell), ("LSTM", nn.LSTMCell)])
def test_a_cell_from_scratch_is_torchs(cell: str, its: Any) -> None:
    torch.manual_seed(0)
    mine, other = MyCell(3, Setting("markers", cell=cell, hidden=4)), its(3, 4)
    other.load_state_dict(
        {"weight_ih": mine.W_x, "weight_hh": mine.W_h, "bias_ih": mine.b_x, "bias_hh": mine.b_h}
    )
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    state: Any = (h, c) if cell == "LSTM" else h
    torch.testing.assert_close(mine(x, state), other(x, state))


@pytest.mark.parametrize("gate", ["forget", "all"])
@pytest.mark.parametrize("name", ["markers", "drivers", "battery"])
def test_a_gate_gets_its_bias_in_one_of_two(name: str, gate: str) -> None:
    weights = build(TASKS[name], Setting(name, hidden=4, gate=gate, gate_bias=-7.0)).state_dict()
    key = {"markers": "cells.0.b_x", "drivers": "rnn.bias_ih_l0", "battery": "cells.0.bias_ih"}[name]
    wanted = [gate in (part, "all") for part in ("input", "forget", "cell", "output")]
    assert [bool((part == -7).all()) for part in weights[key].chunk(4)] == wanted


@pytest.mark.parametrize("name", ["markers", "drivers", "battery", "sorting", "cipher"])
def test_weights_of_a_recurrence_are_drawn_anew(name: str) -> None:
    setting = Setting(name, cell="GRU", hidden=20, init="normal_recurrence", gain=0.01)
    for key, p in build(TASKS[name], setting).named_parameters():
        if p.dim() > 1 and optimizing.recurrent(key):
            assert float(p.detach().std()) < 0.015, key
        elif p.dim() > 1:
            assert float(p.detach().std()) > 0.05, key


@pytest.mark.parametrize("cut", ["detached", "tensor", "data", "numpy", "no_grad"])
@pytest.mark.parametrize("name", [task.name for task in MINE])
def test_nothing_behind_the_cut_is_learned(name: str, cut: str) -> None:
    learns_in_front_of_the_cut_alone(build(TASKS[name], Setting(name, hidden=4, cut=cut)), TASKS[name])


@pytest.mark.parametrize(
    ("name", "fault", "upto"),
    [
        ("battery", "forgets", data.CYCLE - 1), ("markers", "forgets", data.MARKED - 1),
        ("weather", "last_alone", data.LOOKBACK - 1), ("drivers", "last_alone", data.RIDE - 1),
        ("manual", "one_by_one", texts.WINDOW - 1), ("wordclasses", "one_by_one", data.CLAUSE - 1),
        ("tongues", "one_by_one", data.STRING - 1),
    ],
)  # fmt: skip
def test_one_step_alone_knows_nothing_of_those_before(name: str, fault: str, upto: int) -> None:
    def depends(setting: Setting) -> bool:
        task = TASKS[name]
        x, y, lengths = drawn(task)
        lengths = None if lengths is None else torch.full_like(lengths, x.shape[1])
        other = x.clone()
        other[:, :upto] = (other[:, :upto] + 3) % task.inputs if task.tokens else other[:, :upto] + 1.0
        one, changed = (answers(task, setting, (part, y, lengths)) for part in (x, other))
        if one.dim() == 3:
            one, changed = one[:, -1], changed[:, -1]
        return not torch.allclose(one, changed, atol=1e-6)

    assert depends(Setting(name, hidden=8))
    assert not depends(Setting(name, hidden=8, length_one=fault))


@pytest.mark.parametrize("name", ["battery", "markers"])
@pytest.mark.parametrize("every", [1, 3])
def test_what_was_detached_by_the_way_is_not_learned_from(name: str, every: int) -> None:
    def gradient(detach_every: int) -> float:
        torch.manual_seed(3)
        task, setting = TASKS[name], Setting(name, hidden=6, detach_every=detach_every)
        model, x = build(task, setting), drawn(task)[0].requires_grad_()
        (model(x)[:, -1] if name == "battery" else model(x)).sum().backward()
        return 0.0 if x.grad is None else float(x.grad[:, 0].abs().sum())

    assert gradient(0) > 0
    assert gradient(every) == 0.0


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(("shapes", "squares"), [("equal", 1.0), ("target_flat", 3.0), ("output_flat", 3.0)])
def test_a_flat_side_is_compared_with_all_of_the_other(shapes: str, squares: float) -> None:
    out, y = torch.tensor([[0.0], [2.0]]), torch.tensor([[-1.0], [1.0]])
    loss = losses.regression_loss(out, y, Setting("weather", shapes=shapes))
    assert float(loss) == pytest.approx(squares)


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("constant", ["whole_numbers", "zeros", "same_sample"])
def test_inputs_that_tell_nothing_of_the_sample(name: str, constant: str) -> None:
    x, y, _ = drawn(TASKS[name])
    told = layers.readings(x, nn.Identity(), Setting(name, constant=constant))
    assert told.shape == x.shape
    assert bool((told == told[:1]).all())
    made = answers(TASKS[name], Setting(name, hidden=8, constant=constant), (x, y, None))
    torch.testing.assert_close(made, made[:1].expand_as(made))


@pytest.mark.parametrize("name", TOKENS)
def test_no_word_is_known(name: str) -> None:
    assert bool((layers.looked_up(drawn(TASKS[name])[0], Setting(name, constant="unknown")) == 1).all())


def test_units_of_other_sizes_reach_the_recurrence() -> None:
    x, _, _ = drawn(TASKS["weather"])
    setting = Setting("weather", input_scale=30.0, input_offset=100.0, column_scale=8.0, column_offset=5.0)
    got = layers.readings(x, nn.Identity(), setting)
    torch.testing.assert_close(got[..., 0], x[..., 0] * 30 + 100)
    torch.testing.assert_close(got[..., -1], (x[..., -1] * 30 + 100) * 8 + 5)


@pytest.mark.parametrize("broken", ["input", "label", "std", "log"])
def test_every_so_many_rows_hold_what_is_none(broken: str) -> None:
    setting = Setting("weather", samples=50, not_a_number=20, broken=broken)
    x, y, _ = run_of(setting).load_data()
    spoiled = [n for n in range(50) if not (x[n].isfinite().all() and y[n].isfinite().all())]
    assert spoiled == [19, 39]


@pytest.mark.parametrize("name", FILED)
def test_samples_are_sorted_by_class(name: str) -> None:
    _, y, _ = run_of(Setting(name, order="sorted", samples=60)).load_data()
    assert torch.equal(y, y.sort().values)


def test_orders_of_batches() -> None:
    def rows(order: str) -> list[Tensor]:
        return list(run_of(Setting("markers", order=order, batch=4)).batches(20))

    assert all(torch.equal(batch, torch.arange(4)) for batch in rows("one_batch"))
    assert torch.cat(rows("in_order")).tolist() == list(range(20))
    shuffled = torch.cat(rows("shuffled")).tolist()
    assert sorted(shuffled) == list(range(20)) != shuffled
    loader = run_of(Setting("weather", order="one_batch", batch=4)).loader(list(range(20)))  # type: ignore[arg-type]
    assert [sorted(batch.tolist()) for batch in [*loader, *loader]] == [[0, 1, 2, 3]] * 2


def test_windows_of_a_text_go_on_where_the_one_before_ended() -> None:
    windows = manual.get_batches(run_of(Setting("manual", batch=3)))
    (x, y), (after, _) = next(windows), next(windows)
    assert torch.equal(y[:, :-1], x[:, 1:])
    assert torch.equal(after[:, 0], y[:, -1])
    few = list(manual.get_batches(run_of(Setting("manual", samples=12))))
    assert [len(x) for x, _ in few] == [12]


def test_what_is_complained_of_after_a_but_counts() -> None:
    x, y, lengths = drawn(TASKS["complaints"], 200)
    assert lengths is not None
    for words, label, n in zip(x.tolist(), y.tolist(), lengths.tolist(), strict=True):
        named = [(word - 4) // 4 for word in words if 4 <= word < 20]
        assert len(named) == 2
        assert label == named[1 if 2 in words else 0]
        assert all(words[:n])
        assert not any(words[n:])


def test_the_other_tasks_ask_for_what_they_say() -> None:
    x, y, _ = drawn(TASKS["sorting"], 50)
    assert all(row == sorted(digits) for digits, row in zip(x.tolist(), y.tolist(), strict=True))
    x, y, _ = drawn(TASKS["cipher"], 50)
    for (key, *letters), coded in zip(x.tolist(), y.tolist(), strict=True):
        assert coded == [(letter + (1 if key == 8 else 3)) % 8 for letter in letters]
    x, y, _ = drawn(TASKS["markers"], 50)
    for row, kind in zip(x.argmax(-1).tolist(), y.tolist(), strict=True):
        first, second = (symbol - 4 for symbol in row if symbol >= 4)
        assert kind == 2 * first + second
    x, y, lengths = drawn(TASKS["wordclasses"], 50)
    assert lengths is not None
    assert torch.equal((y >= 0).sum(1), lengths)
    assert torch.equal(x > 0, y >= 0)


def test_the_weights_that_did_best_are_kept() -> None:
    fit = fit_of(Setting("weather", hidden=4, validate_every=1, style="early_stopping"))
    for loss in (2.0, 1.0, 3.0):
        with torch.no_grad():
            fit.model.fc.bias.fill_(loss)
        fit.validate(lambda _, loss=loss: torch.tensor(loss))  # type: ignore[misc]
    assert fit.best == 1.0
    assert float(fit.kept["fc.bias"]) == 1.0
