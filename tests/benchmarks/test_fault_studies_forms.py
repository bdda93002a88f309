"""The studies' part of the fault bench: where its forms are from, what they do in four scripts, and data."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.faults.part import folders
from benchmarks.faults.planting import COMMON
from benchmarks.faults.setting import Setting
from benchmarks.faults.studies import beats, chorale, corpora, criteria, movies, pieces
from benchmarks.faults.studies.beats import Cell
from benchmarks.faults.studies.forms import FORMS
from benchmarks.faults.studies.habits import HABITS
from benchmarks.faults.studies.networks import build
from benchmarks.faults.studies.planting import MEASURED, TOKENS
from benchmarks.faults.studies.running import Run
from benchmarks.faults.studies.stepping import Stepper
from benchmarks.faults.task import REPORTED, STUDIES, TUTORIALS
from benchmarks.faults.tasks import TASKS
from tests.benchmarks.trained import answers, drawn, mixes

BOUND = {
    "padding averaged too",
    "prediction squeezed",
    "target made flat",
    "state handed on with its graph",
    "graph kept for the next window",
    "one of two states detached",
    "sigmoid in the place of tanh",
    "no activation, and more than one",
}
"""Forms that one script alone has the line for."""


def run_of(setting: Setting) -> Run:
    return Run(TASKS[setting.task], setting, 1, lambda _, __: True, lambda _, __: None)


def stepper_of(setting: Setting) -> Stepper:
    torch.manual_seed(setting.seed)
    return Stepper(run_of(setting), build(TASKS[setting.task], setting))


def depends(setting: Setting, *, upto: int) -> bool:
    """Whether the last answer hangs on the first `upto` steps."""
    task = TASKS[setting.task]
    x, y, lengths = drawn(task)
    lengths = None if lengths is None else torch.full_like(lengths, x.shape[1])
    other = x.clone()
    other[:, :upto] = other[:, :upto].roll(1, 0) if task.tokens else other[:, :upto] + 1.0
    if task.tokens:
        other[:, :upto] = (other[:, :upto] + 3) % task.inputs
    one, changed = (answers(task, setting, (part, y, lengths)) for part in (x, other))
    if task.name in ("chorale", "naming"):
        one, changed = one[:, -1], changed[:, -1]
    return not torch.allclose(one, changed, atol=1e-6)


def test_every_form_says_where_it_is_from() -> None:
    said = [form.reported for forms in FORMS.values() for form in forms]
    known = [where for where in said if where.startswith("https://")]
    assert set(said) - set(known) == {COMMON}
    assert len(known) >= 0.8 * len(said)
    threads = [where for where in known if "/issues/" in where or "/pull/" in where or "/questions/" in where]
    assert len(set(threads)) == len(threads), "a thread of its own for each"
    earlier = {
        f.reported for part in (REPORTED, TUTORIALS) for its in folders()[part].forms.values() for f in its
    }
    assert not earlier & set(known)


def test_forms_fit_several_tasks_unless_one_script_alone_has_their_line() -> None:
    fits = defaultdict(set)
    for task in TASKS.values():
        if task.part != STUDIES:
            continue
        for forms in FORMS.values():
            for form in forms:
                for cell in task.cells:
                    settings = [
                        Setting(task.name, cell=cell, optimizer=o)
                        for o in ("Adam", "AdamW", "SGD", "RMSprop")
                    ]
                    if any(form.needs(task, setting) for setting in settings):
                        fits[form.name].add(task.name)
    assert {name for name, tasks in fits.items() if len(tasks) == 1} == BOUND
    assert len({form.name for forms in FORMS.values() for form in forms}) == sum(map(len, FORMS.values()))


def test_healthy_habits_are_many_and_each_fits_a_task() -> None:
    mine = [task for task in TASKS.values() if task.part == STUDIES]
    assert len(HABITS) >= 45
    assert all(any(habit.needs(task) for task in mine) for habit in HABITS)
    rates = [habit.changes["rate"] for habit in HABITS if set(habit.changes) == {"rate"}]
    assert max(rates) / min(rates) >= 50


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("movies", {"axes": "batch_second"}),
        ("chorale", {"axes": "batch_second"}),
        ("walks", {"axes": "batch_second"}),
        ("beats", {"axes": "over_rows"}),
        ("movies", {"view": "viewed"}),
        ("chorale", {"view": "viewed"}),
        ("walks", {"view": "viewed"}),
        ("beats", {"view": "viewed"}),
        ("movies", {"view": "ends", "bidirectional": True}),
        ("walks", {"view": "stacked"}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize(
    "habit", [{}, {"bidirectional": True}, {"layers": 2, "bidirectional": True}], ids=["plain", "both", "two"]
)
def test_reviews_are_read_for_themselves(habit: dict[str, Any]) -> None:
    assert not mixes(TASKS["movies"], Setting("movies", hidden=8).changed(**habit))


@pytest.mark.parametrize(
    ("padding", "both", "reaches"),
    [
        ("packed", False, False), ("packed", True, False), ("unpacked", False, True),
        ("same_length", False, True), ("averaged", False, True),
    ],
)  # fmt: skip
def test_padding_reaches_the_answer_with_a_fault_alone(padding: str, both: bool, reaches: bool) -> None:
    task, setting = TASKS["movies"], Setting("movies", hidden=8, padding=padding, bidirectional=both)
    x, y, lengths = drawn(task)
    short = answers(task, setting, (x, y, lengths))
    longer = answers(task, setting, (nn.functional.pad(x, (0, 9)), y, lengths))
    assert torch.allclose(short, longer, atol=1e-6) is not reaches


def test_a_batch_of_reviews_is_padded_to_a_length() -> None:
    reviews = [(torch.tensor([4, 5]), 0), (torch.tensor([6, 7, 8]), 1)]
    texts, labels, lengths = movies.PadCollate(Setting("movies", pad_to=5))(reviews)
    assert texts.tolist() == [[6, 7, 8, 0, 0], [4, 5, 0, 0, 0]]
    assert (labels.tolist(), lengths.tolist()) == ([1, 0], [3, 2])


@pytest.mark.parametrize(("cell", "its"), [("RNN", nn.RNNCell), ("GRU", nn.GRUCell), ("LSTM", nn.LSTMCell)])
def test_a_cell_by_hand_is_torchs(cell: str, its: Any) -> None:
    torch.manual_seed(0)
    mine, other = Cell(3, Setting("beats", cell=cell, hidden=4)), its(3, 4)
    other.load_state_dict({
        "weight_ih": mine.x2h.weight, "bias_ih": mine.x2h.bias,
        "weight_hh": mine.h2h.weight, "bias_hh": mine.h2h.bias,
    })  # fmt: skip
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    state: Any = (h, c) if cell == "LSTM" else h
    torch.testing.assert_close(mine(x, state), other(x, state))


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"activation": "sigmoid"}, torch.sigmoid), ({"activation": "linear"}, lambda total: total),
        ({"relu_bias": 0.0}, torch.relu), ({}, torch.tanh),
    ],
)  # fmt: skip
def test_a_plain_cell_has_the_activation_it_is_given(changes: dict[str, Any], made: Any) -> None:
    torch.manual_seed(0)
    cell = Cell(3, Setting("beats", cell="RNN", hidden=4).changed(**changes))
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    torch.testing.assert_close(cell(x, h), made(cell.x2h(x) + cell.h2h(h)))


@pytest.mark.parametrize("gate", ["input", "forget", "output", "all"])
def test_a_gate_by_hand_gets_its_bias_in_one_of_two(gate: str) -> None:
    cell = Cell(2, Setting("beats", hidden=4, gate=gate, gate_bias=-7.0))
    wanted = [gate in (name, "all") for name in ("input", "forget", "cell", "output")]
    assert [bool((part == -7).all()) for part in cell.x2h.bias.chunk(4)] == wanted
    assert not (cell.h2h.bias == -7).any()


@pytest.mark.parametrize(("init", "deviation"), [("normal_hh", 0.01), ("scaled_hh", 0.01)])
def test_small_recurrent_weights_by_hand_leave_those_of_the_input(init: str, deviation: float) -> None:
    torch.manual_seed(0)
    cell = Cell(2, Setting("beats", cell="RNN", hidden=30, init=init, gain=deviation))
    assert float(cell.h2h.weight.detach().std()) < 0.02
    assert float(cell.x2h.weight.detach().std()) > 0.05


def test_cells_in_a_list_are_used_and_no_network_knows_of_them() -> None:
    model = build(TASKS["beats"], Setting("beats", hidden=4, optimized="list"))
    assert {name.partition(".")[0] for name, _ in model.named_parameters()} == {"dense", "head"}
    model(drawn(TASKS["beats"])[0])


@pytest.mark.parametrize("name", ["beats", "walks", "movies", "chorale"])
def test_the_optimizer_of_a_network_made_before_knows_none_of_its_parameters(name: str) -> None:
    for how, strangers in (("all", False), ("second_network", True)):
        stepper = stepper_of(Setting(name, hidden=4, optimized=how))
        known = {id(p) for group in stepper.optimizer.param_groups for p in group["params"]}
        assert all((id(p) not in known) is strangers for p in stepper.model.parameters())


@pytest.mark.parametrize(("part", "other"), [("encoder", "decoder"), ("decoder", "encoder")])
def test_the_optimizer_of_one_half_of_the_walkers(part: str, other: str) -> None:
    stepper = stepper_of(Setting("walks", hidden=4, optimized=part))
    known = {id(p) for group in stepper.optimizer.param_groups for p in group["params"]}
    assert all(id(p) in known for p in getattr(stepper.model, part).parameters())
    assert not any(id(p) in known for p in getattr(stepper.model, other).parameters())


@pytest.mark.parametrize(
    ("name", "fault", "upto"),
    [
        ("beats", "forgets", corpora.SAMPLES - 1),
        ("naming", "forgets", 4),
        ("walks", "last_alone", corpora.OBSERVED - 1),
        ("bikes", "last_alone", 9),
        ("movies", "one_by_one", corpora.LONGEST - 1),
        ("chorale", "one_by_one", corpora.PHRASE - 1),
    ],
)
def test_one_step_alone_knows_nothing_of_those_before(name: str, fault: str, upto: int) -> None:
    assert depends(Setting(name, hidden=8), upto=upto)
    assert not depends(Setting(name, hidden=8, length_one=fault), upto=upto)


@pytest.mark.parametrize("name", ["beats", "walks"])
@pytest.mark.parametrize("every", [1, 2])
def test_what_was_detached_by_the_way_is_not_learned_from(name: str, every: int) -> None:
    def gradient(detach_every: int) -> float:
        torch.manual_seed(3)
        task, setting = TASKS[name], Setting(name, hidden=6, detach_every=detach_every)
        model, x = build(task, setting), drawn(task)[0].requires_grad_()
        (model(x)[:, -1] if name == "walks" else model(x)).sum().backward()
        return 0.0 if x.grad is None else float(x.grad[:, 0].abs().sum())

    assert gradient(0) > 0
    assert gradient(every) == 0.0


@pytest.mark.parametrize(
    ("state", "bound"), [("carried", [False, False]), ("half", [False, True]), ("kept", [True, True])]
)
def test_a_state_is_truncated_wholly_in_part_or_not_at_all(state: str, bound: list[bool]) -> None:
    before = tuple(torch.ones(1, requires_grad=True) * 2 for _ in range(2))
    after = chorale.truncated(before, Setting("chorale", state=state))
    assert [part.grad_fn is not None for part in after] == bound


def test_windows_of_a_melody_go_on_where_the_one_before_ended() -> None:
    windows = chorale.get_batches(run_of(Setting("chorale", batch=3)))
    (begins, x, y), (again, after, _) = next(windows), next(windows)
    assert (begins, again) == (True, False)
    assert torch.equal(y[:, :-1], x[:, 1:])
    assert torch.equal(after[:, 0], y[:, -1])


def test_one_window_of_a_melody_again_and_again() -> None:
    windows = chorale.get_batches(run_of(Setting("chorale", batch=3, order="one_batch")))
    first = next(windows)[1]
    assert all(torch.equal(next(windows)[1], first) for _ in range(5))


def test_a_short_melody_ends_and_begins_anew() -> None:
    windows = chorale.get_batches(run_of(Setting("chorale", batch=32, samples=34)))
    seen = [next(windows) for _ in range(3)]
    assert all(begins for begins, _, _ in seen)
    assert {len(x) for _, x, _ in seen} == {33}


@pytest.mark.parametrize(
    ("shapes", "name", "broadcast"),
    [
        ("equal", "walks", (4, 3, 2)), ("extra_axis", "walks", (4, 4, 3, 2)),
        ("extra_axis", "bikes", (4, 4, 1)), ("squeezed", "bikes", (4, 4)), ("flat_target", "bikes", (4, 4)),
    ],
)  # fmt: skip
def test_shapes_of_prediction_and_target(shapes: str, name: str, broadcast: tuple[int, ...]) -> None:
    _, y, _ = drawn(TASKS[name], 4)
    out, target = criteria.shaped(y * 0, y, Setting(name, shapes=shapes))
    assert (out + target).shape == broadcast
    assert (out.shape == target.shape) is (shapes == "equal")


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("constant", ["whole_numbers", "mean", "same_sample"])
def test_inputs_that_tell_nothing_of_the_sample(name: str, constant: str) -> None:
    x, y, _ = drawn(TASKS[name])
    told = pieces.measured(x, nn.Identity(), Setting(name, constant=constant))
    assert told.shape == x.shape
    assert bool((told == told[:1]).all())
    assert bool((told == 0).all()) is (constant == "whole_numbers")
    made = answers(TASKS[name], Setting(name, hidden=8, constant=constant), (x, y, None))
    torch.testing.assert_close(made, made[:1].expand_as(made))


@pytest.mark.parametrize("name", TOKENS)
def test_no_word_is_known(name: str) -> None:
    tokens = pieces.looked_up(drawn(TASKS[name])[0], nn.Identity(), Setting(name, constant="unknown"))
    assert bool((tokens == 1).all())


def test_units_of_other_sizes_reach_the_recurrence() -> None:
    x, _, _ = drawn(TASKS["beats"])
    setting = Setting("beats", input_scale=200.0, input_offset=20.0, column_scale=60.0)
    got = pieces.measured(x, nn.Identity(), setting)
    torch.testing.assert_close(got[..., 0], x[..., 0] * 200 + 20)
    torch.testing.assert_close(got[..., 1], (x[..., 1] * 200 + 20) * 60)


def test_right_steps_are_told_now_and_then_where_they_are_to_be() -> None:
    task = TASKS["walks"]
    x, y, _ = drawn(task)
    for forcing, told in ((1.0, False), (0.999, True)):
        torch.manual_seed(0)
        model = build(task, Setting("walks", hidden=6, forcing=forcing)).eval()
        one, other = model(x, right=y), model(x, right=y + 1)
        assert torch.equal(one[:, 0], other[:, 0]), "the first knows none"
        assert torch.equal(one, other) is not told


def test_a_melody_goes_step_by_step_and_on_after_a_rest() -> None:
    for training in (True, False):
        notes = [note for note in corpora.melody(training).tolist() if note]
        assert {abs(b - a) for a, b in pairwise(notes)} == {1}
    assert not torch.equal(corpora.melody(True), corpora.melody(False))


def test_reviews_say_what_most_of_their_opinions_say() -> None:
    x, y, lengths = drawn(TASKS["movies"], 200)
    assert lengths is not None
    for words, label, n in zip(x.tolist(), y.tolist(), lengths.tolist(), strict=True):
        good = 0
        for before, word in zip([0, *words], words, strict=False):
            if 2 <= word < 12:
                good += 1 if (word < 7) != (before in (12, 13)) else -1
        assert (good > 0) == bool(label)
        assert all(words[:n])
        assert not any(words[n:])


def test_beats_of_each_kind_differ_where_they_are_said_to() -> None:
    x, kind, _ = TASKS["beats"].draw(3000, torch.Generator().manual_seed(2), training=True)
    means = [x[kind == k, :, 0].mean(0) for k in range(len(corpora.BEATS))]

    def apart(k: int) -> int:
        return int((means[k] - means[0]).abs().argmax())

    assert 2 <= apart(2) <= 4, "the P wave"
    assert 11 <= apart(3) <= 13, "the T wave"
    assert 8 <= apart(4) <= 11, "the ST segment"
    assert float((means[1] - means[0])[5:11].sum()) > 1.0, "wider"


def test_walkers_go_on_as_they_went() -> None:
    x, y, _ = drawn(TASKS["walks"], 300)
    turned = torch.atan2(y[:, 0, 1], y[:, 0, 0]) - torch.atan2(x[:, -1, 1], x[:, -1, 0])
    assert float(torch.cos(turned).mean()) > 0.9


def test_every_fault_is_planted_in_one_of_the_four_scripts_and_most_in_all() -> None:
    four = ("chorale", "movies", "beats", "walks")
    mine = [
        Setting(name, cell=c, optimizer=o) for name in four for c in ("RNN", "LSTM") for o in ("Adam", "SGD")
    ]
    fits = {
        fault: {s.task for s in mine for form in forms if form.needs(TASKS[s.task], s)}
        for fault, forms in FORMS.items()
    }
    assert all(fits.values())
    assert sum(len(tasks) == 4 for tasks in fits.values()) >= 15


def test_beats_are_cut_off_where_a_front_is_taken_for_fixed() -> None:
    task = TASKS["beats"]
    x: Tensor = drawn(task)[0]
    for cut, learned in (
        ("nowhere", True),
        ("no_grad", False),
        ("leaf", False),
        ("detached", False),
        ("numpy", False),
    ):
        model = build(task, Setting("beats", hidden=4, cut=cut)).train()
        model(x).sum().backward()
        assert (model.cells[0].h2h.weight.grad is not None) is learned
        assert model.head.weight.grad is not None
    rounded = build(task, Setting("beats", hidden=4, cut="rounded"))
    rounded(x).sum().backward()
    assert float(rounded.cells[0].h2h.weight.grad.abs().sum()) == 0.0
    assert isinstance(rounded, beats.BeatClassifier)
