"""The reported part of the fault bench: what its faults do, its cell by hand, its batches and its data."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.faults.part import folders
from benchmarks.faults.plan import plan
from benchmarks.faults.planting import COMMON
from benchmarks.faults.reported import data, nextword, optimizing, pos, wiring
from benchmarks.faults.reported.forms import FORMS
from benchmarks.faults.reported.networks import build
from benchmarks.faults.reported.origins import RNN
from benchmarks.faults.reported.running import Run
from benchmarks.faults.run import HEALTHY, healthy
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import COURSES, EVERYDAY, REPORTED, STUDIES, TUTORIALS, Batch
from benchmarks.faults.tasks import TASKS
from tests.benchmarks.trained import answers, drawn, mixes, weights_after


def run_of(setting: Setting) -> Run:
    return Run(TASKS[setting.task], setting, 1, lambda _, __: True, lambda _, __: None)


def test_every_form_says_where_it_was_reported() -> None:
    said = [form.reported for forms in FORMS.values() for form in forms]
    known = [where for where in said if where.startswith("https://")]
    assert set(said) - set(known) == {COMMON}
    assert len(known) >= 0.75 * len(said)
    assert len(set(known)) >= 0.9 * len(known), "threads of their own"
    told = (REPORTED, TUTORIALS, STUDIES, EVERYDAY, COURSES)
    others = [part for name, part in folders().items() if name not in told]
    assert not any(form.reported for part in others for forms in part.forms.values() for form in forms)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("passengers", {"axes": "batch_first_missing"}),
        ("gestures", {"axes": "batch_first_missing"}),
        ("adder", {"axes": "batch_first_missing"}),
        ("copying", {"axes": "batch_first_missing"}),
        ("translation", {"axes": "batch_first_missing"}),
        ("nextword", {"axes": "batch_first_missing"}),
        ("waves", {"axes": "samples"}),
        ("gestures", {"view": "input"}),
        ("adder", {"view": "input"}),
        ("copying", {"view": "input"}),
        ("translation", {"view": "input"}),
        ("gestures", {"view": "final_state", "layers": 2}),
        ("sentiment", {"view": "final_state", "bidirectional": True}),
        ("pos", {"axes": "batch_first_wrong"}),
        ("pos", {"view": "input"}),
        ("pos", {"view": "output"}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize(
    ("changes", "reaches"),
    [
        ({}, False),
        ({"bidirectional": True}, False),
        ({"pad_to": 26}, False),
        ({"padding": "last_output", "pad_to": 26}, True),
        ({"padding": "final_state", "pad_to": 26}, True),
    ],
)
def test_padding_reaches_the_answer_with_a_fault_alone(changes: dict[str, Any], reaches: bool) -> None:
    task, setting = TASKS["sentiment"], Setting("sentiment", hidden=8).changed(**changes)
    x, y, lengths = drawn(task, 8)
    assert lengths is not None
    short = int(lengths.argmin())
    one = answers(task, setting, (x, y, lengths))[short]
    alone = answers(
        task,
        setting.changed(padding="packed", pad_to=0),
        (x[short : short + 1], y[short : short + 1], lengths[short : short + 1]),
    )[0]
    assert torch.allclose(one, alone, atol=1e-6) is not reaches


def test_the_last_column_after_unpacking_is_empty_for_shorter_reviews() -> None:
    task = TASKS["sentiment"]
    x, y, lengths = drawn(task, 30)
    assert lengths is not None
    out = answers(task, Setting("sentiment", hidden=8, padding="repadded"), (x, y, lengths))
    right = answers(task, Setting("sentiment", hidden=8), (x, y, lengths))
    longest = lengths == lengths.max()
    assert torch.allclose(out[longest], right[longest], atol=1e-6)
    assert len(torch.unique(out[~longest])) == 1


def test_an_lstm_by_hand_is_torchs() -> None:
    torch.manual_seed(0)
    mine, its = RNN(TASKS["origins"], Setting("origins", hidden=4)), nn.LSTMCell(26, 4)
    gates: Any = mine.i2h[0]
    its.load_state_dict({
        "weight_ih": gates.weight[:, :26], "weight_hh": gates.weight[:, 26:],
        "bias_ih": gates.bias, "bias_hh": torch.zeros(16),
    })  # fmt: skip
    x, h, c = torch.randn(2, 26), torch.randn(2, 4), torch.randn(2, 4)
    for got, wanted in zip(mine.step(x, (h, c)), its(x, (h, c)), strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize(("name", "known"), [("origins", "h2o"), ("waves", "linear")])
def test_layers_in_a_list_are_used_and_not_known(name: str, known: str) -> None:
    model = build(TASKS[name], Setting(name, hidden=4, optimized="list"))
    assert {key.partition(".")[0] for key, _ in model.named_parameters()} == {known}


@pytest.mark.parametrize(
    ("how", "moved"), [("decoder", {"decoder"}), ("encoder", {"encoder"}), ("all", {"encoder", "decoder"})]
)
def test_what_the_optimizer_of_a_translator_moves(how: str, moved: set[str]) -> None:
    setting = Setting("translation", hidden=4, batch=4, samples=8, optimized=how)
    torch.manual_seed(setting.seed)
    begun = build(TASKS["translation"], setting).named_parameters()
    after = weights_after(setting, 2)
    changed = {
        name.partition(".")[0] for (name, p), q in zip(begun, after, strict=True) if not torch.equal(p, q)
    }
    assert changed == moved


@pytest.mark.parametrize("gate", ["input", "forget", "all"])
def test_a_gate_gets_its_bias_in_one_of_two(gate: str) -> None:
    model = build(TASKS["waves"], Setting("waves", hidden=4, gate=gate, gate_bias=-7.0))
    parts = model.cells[0].bias_hh.chunk(4)
    wanted = [gate in (name, "all") for name in ("input", "forget", "cell", "output")]
    assert [bool((part == -7).all()) for part in parts] == wanted


def test_small_recurrent_weights_leave_those_of_the_input() -> None:
    for name in ("origins", "copying"):
        model = build(TASKS[name], Setting(name, cell="RNN", hidden=20, init="randn_hh", gain=0.002))
        weight = (model.i2h[0].weight if name == "origins" else model.rnn.weight_hh_l0).detach()
        kept = weight[:, :26] if name == "origins" else model.rnn.weight_ih_l0.detach()
        recurrent = weight[:, 26:] if name == "origins" else weight
        assert float(recurrent.std()) == pytest.approx(0.002, rel=0.2)
        assert float(kept.std()) > 0.05


@pytest.mark.parametrize(("how", "cleared"), [("each", [0, 2]), ("never", []), ("epoch", [0])])
def test_when_gradients_are_cleared(how: str, cleared: list[int]) -> None:
    setting = Setting("waves", clearing=how, accumulate=2)
    assert [n for n in range(4) if optimizing.clears(setting, n)] == cleared
    assert [n for n in range(4) if optimizing.steps(setting, n)] == [1, 3]


def test_a_state_is_passed_on_wholly_in_part_or_not_at_all() -> None:
    h, c = (torch.ones(1, requires_grad=True) * 2 for _ in range(2))

    def bound_to_the_past(state: str) -> list[bool]:
        passed = nextword.passed_on((h, c), Setting("nextword", state=state))
        return [part.grad_fn is not None for part in passed]

    assert bound_to_the_past("carried") == [False, False]
    assert bound_to_the_past("half") == [False, True]
    assert bound_to_the_past("kept") == bound_to_the_past("retained") == [True, True]


def test_batches_of_words_go_on_where_the_one_before_ended() -> None:
    batches = nextword.get_batches(torch.arange(100), 2, 12)
    (x, y), (after, _) = next(batches), next(batches)
    assert torch.equal(y, x + 1)
    assert torch.equal(after[:, 0], y[:, -1])


def test_tags_are_padded_with_what_the_loss_leaves_out() -> None:
    batch: Batch = drawn(TASKS["pos"], 6)
    text, tags = pos.collate(batch, torch.tensor([4, 1, 2]))
    lengths = batch[2]
    assert lengths is not None
    assert text.shape == tags.shape == (int(lengths[[4, 1, 2]].max()), 3)
    assert torch.equal((tags >= 0).sum(0), lengths[[4, 1, 2]])


@pytest.mark.parametrize("name", ["sentiment", "origins", "gestures"])
def test_samples_lie_class_after_class(name: str) -> None:
    _, y, _ = run_of(Setting(name, order="by_class", samples=60)).training_set()
    assert torch.equal(y, y.sort().values)


def test_a_new_iterator_gives_the_first_batch_again() -> None:
    x = torch.arange(20)

    def rows(order: str) -> list[Tensor]:
        run = run_of(Setting("origins", order=order, batch=4))
        return [batch for _, (batch,) in run.batches(run.loader(x))]

    assert all(torch.equal(batch, x[:4]) for batch in rows("new_iterator"))
    assert sorted(torch.cat(rows("shuffled")).tolist()) == list(range(20))


@pytest.mark.parametrize("broken", ["input", "target", "window", "masked_target"])
def test_one_value_is_spoiled_once(broken: str) -> None:
    x, y = torch.ones(3, 4, 1), torch.ones(3, 1)
    setting = Setting("waves", broken=broken, not_a_number=2)
    for update in (1, 2):
        a, b = wiring.spoiled(x, y, setting, update)
        assert bool(a.isfinite().all() and b.isfinite().all()) is (update == 1)
    assert x.isfinite().all()
    assert y.isfinite().all()


def test_a_missing_target_that_the_loss_leaves_out_breaks_the_weights() -> None:
    after = weights_after(Setting("adder", hidden=4, samples=64, broken="masked_target", not_a_number=1), 1)
    assert not all(bool(p.isfinite().all()) for p in after)


def test_reviews_say_one_thing_that_a_word_before_may_turn_round() -> None:
    x, y, _ = drawn(TASKS["sentiment"], 300)
    for review, good in zip(x.tolist(), y.tolist(), strict=True):
        (at,) = (i for i, word in enumerate(review) if 2 <= word < 10)
        assert (review[at] < 6) ^ (review[at - 1] in (10, 11)) == bool(good)


def test_words_are_told_in_another_order() -> None:
    x, y, _ = drawn(TASKS["translation"], 50)
    assert torch.equal((x[:, 1] * 5 + 3) % data.SYMBOLS, y[:, 4])
    assert torch.equal((x[:, 2] * 5 + 3) % data.SYMBOLS, y[:, 1])


def test_sums_are_of_what_is_marked() -> None:
    x, y, _ = drawn(TASKS["adder"], 50)
    assert torch.equal(x[..., 1].sum(1), torch.full((50,), 2.0))
    torch.testing.assert_close(((x[..., 0] + 1) / 2 * x[..., 1]).sum(1), y[:, 0] * 0.408 + 1)


def test_symbols_are_asked_for_in_their_order() -> None:
    x, y, _ = drawn(TASKS["copying"], 20)
    assert torch.equal(x[:, :3] - 2, y[:, -3:])
    assert (y[:, :-3] == -100).all()


def test_the_text_to_validate_on_is_another() -> None:
    for name in ("generation", "nextword"):
        task = TASKS[name]
        seen, other = (task.draw(40, torch.Generator().manual_seed(1), training=t)[0] for t in (True, False))
        assert seen.shape == other.shape
        assert not torch.equal(seen, other)


def test_a_fault_has_to_do_worse_than_both_twins() -> None:
    scenario = next(s for s in plan(1) if s.part == REPORTED and s.dose == "gross" and s.fault == "cut-off")
    twin, other = scenario.twins
    assert (twin.seed, other.seed) == (61, 62)

    def health(first: int | None, second: int | None, mine: int | None) -> bool | None:
        reached = {twin.key(): first, other.key(): second, scenario.key: mine}
        return healthy(scenario, {key: {"reached": r, "ended": "ended"} for key, r in reached.items()})

    assert health(100, 60, None) is False
    assert health(100, None, None) is None
    assert health(100, 60, 120) is None
    assert HEALTHY > 100
