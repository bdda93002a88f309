"""The courses' part of the fault bench: its data, and what its forms do in its scripts."""

from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.faults.courses import data, letters
from benchmarks.faults.courses.forms import FORMS
from benchmarks.faults.courses.networks import build
from benchmarks.faults.courses.planting import FILED, MEASURED, TOKENS, UNROLLED
from benchmarks.faults.courses.running import Run
from benchmarks.faults.part import folders
from benchmarks.faults.plan import plan
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import COURSES
from benchmarks.faults.tasks import TASKS
from tests.benchmarks.trained import answers, drawn, learns_in_front_of_the_cut_alone, mixes

MINE = [task for task in TASKS.values() if task.part == COURSES]


def run_of(setting: Setting) -> Run:
    return Run(TASKS[setting.task], setting, 1, lambda _, __: True, lambda _, __: None)


def test_each_form_is_named_once_and_by_no_other_part() -> None:
    mine = [(fault, form.name) for fault, forms in FORMS.items() for form in forms]
    assert len(set(mine)) == len(mine)
    others = [part.forms.items() for name, part in folders().items() if name != COURSES]
    assert not set(mine) & {(fault, form.name) for its in others for fault, forms in its for form in forms}
    assert {task.name for task in MINE} >= {*MEASURED, *TOKENS, *FILED, *UNROLLED}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((name, {"axes": "no_batch_first"}) for name in ("sunspots", "vowels", "charnames", "casino")),
        *((name, {"axes": "permuted"}) for name in ("sunspots", "vowels", "reber", "casino")),
        *((name, {"axes": "rows"}) for name in UNROLLED),
        *((name, {"view": "viewed"}) for name in ("sunspots", "charnames", "reber", "casino", *UNROLLED)),
        *((name, {"view": "ends", "bidirectional": True}) for name in ("morse", "headlines")),
        ("piglatin", {"view": "stacked"}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize("name", ["morse", "headlines"])
@pytest.mark.parametrize(
    ("padding", "reaches"), [("packed", False), ("last_output", True), ("last_state", True)]
)
def test_padding_reaches_the_answer_with_a_fault_alone(name: str, padding: str, reaches: bool) -> None:
    task, setting = TASKS[name], Setting(name, hidden=8, padding=padding)
    x, y, lengths = drawn(task)
    short = answers(task, setting, (x, y, lengths))
    longer = answers(task, setting, (nn.functional.pad(x, (0, 9)), y, lengths))
    assert torch.allclose(short, longer, atol=1e-6) is not reaches


@pytest.mark.parametrize("cut", ["detached", "tensor", "data", "numpy", "no_grad"])
@pytest.mark.parametrize("name", [task.name for task in MINE])
def test_nothing_behind_the_cut_is_learned(name: str, cut: str) -> None:
    learns_in_front_of_the_cut_alone(build(TASKS[name], Setting(name, hidden=4, cut=cut)), TASKS[name])


@pytest.mark.parametrize("name", UNROLLED)
def test_what_was_detached_by_the_way_is_not_learned_from(name: str) -> None:
    def gradient(detach_every: int) -> float:
        torch.manual_seed(3)
        task = TASKS[name]
        model, x = (
            build(task, Setting(name, hidden=6, detach_every=detach_every)),
            drawn(task)[0].requires_grad_(),
        )
        out = model(x)
        (out[:, -1] if task.read == "every" else out)[:, 0].sum().backward()
        return 0.0 if x.grad is None else float(x.grad[:, 0].abs().sum())

    assert gradient(0) > 0
    assert gradient(2) == gradient(1) == 0.0


@pytest.mark.parametrize("name", FILED)
def test_samples_are_sorted_by_class(name: str) -> None:
    _, y, _ = run_of(Setting(name, order="sorted", samples=60)).load_data()
    assert torch.equal(y, y.sort().values)


def test_a_text_goes_on_where_the_batch_before_ended() -> None:
    batches = letters.batchify(run_of(Setting("charnames", batch=3)))
    (x, y), (after, _) = next(batches), next(batches)
    assert torch.equal(y[:, :-1], x[:, 1:])
    assert torch.equal(after[:, 0], y[:, -1])
    names = ["".join(data.LETTERS[n] for n in data.text(part)).split("\n") for part in (True, False)]
    assert "GREEK SMALL LETTER ALPHA" in names[0] + names[1]
    assert not set(names[0][:-1]) & set(names[1][:-1])


def test_what_is_asked_for() -> None:
    x, y, _ = drawn(TASKS["majority"], 50)
    assert torch.equal(y, (x[..., 1].mean(1) > 0.5).long())
    x, y, _ = drawn(TASKS["echoes"], 50)
    assert torch.equal(y, x[:, 0].argmax(-1))
    x, y, _ = drawn(TASKS["piglatin"], 50)
    for word, latin in zip(x.tolist(), y.tolist(), strict=True):
        vowel = word[0] < data.VOWELS
        assert latin == ([*word, data.LATIN] if vowel else [*word[1:], word[0], data.LATIN + 1])
    x, y, lengths = drawn(TASKS["headlines"], 50)
    assert lengths is not None
    assert bool(((x > 0).sum(1) == lengths).all())


def test_signs_follow_each_other_as_in_rebers_grammar() -> None:
    x, y, _ = drawn(TASKS["reber"], 50)
    assert torch.equal(x[:, 1:], y[:, :-1])
    follows = {"B": "TP", "T": "SXTV", "P": "TVXS", "S": "SXE", "X": "XSTV", "V": "PVE", "E": "B"}
    for before, after in zip(x.flatten().tolist(), y.flatten().tolist(), strict=True):
        assert "BTPSXVE"[after] in follows["BTPSXVE"[before]]


def test_a_fault_has_to_do_worse_than_both_twins() -> None:
    scenario = next(s for s in plan(1) if s.part == COURSES and s.dose == "gross" and s.fault == "cut-off")
    twin, other = scenario.twins
    assert (twin.seed, other.seed) == (105, 106)
    assert twin.changed(seed=106) == other
