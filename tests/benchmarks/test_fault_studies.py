"""The studies' part of the fault bench: what its faults do, its cells by hand, its batches and its data."""

from html.entities import html5
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.faults.parts_common.layers import Dense
from benchmarks.faults.plan import plan
from benchmarks.faults.setting import Setting
from benchmarks.faults.studies import criteria, movies, naming, optimizers, slots
from benchmarks.faults.studies.networks import build
from benchmarks.faults.studies.running import Run
from benchmarks.faults.studies.stepping import Stepper
from benchmarks.faults.task import STUDIES
from benchmarks.faults.tasks import TASKS
from tests.benchmarks.trained import answers, drawn, mixes, weights_after


def run_of(setting: Setting) -> Run:
    return Run(TASKS[setting.task], setting, 1, lambda _, __: True, lambda _, __: None)


def stepper_of(setting: Setting) -> Stepper:
    torch.manual_seed(setting.seed)
    return Stepper(run_of(setting), build(TASKS[setting.task], setting))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("splice", {"axes": "batch_second"}),
        ("bikes", {"axes": "batch_second"}),
        ("turbine", {"axes": "batch_second"}),
        ("turbine", {"axes": "permuted"}),
        ("splice", {"axes": "permuted"}),
        ("bikes", {"axes": "permuted"}),
        ("naming", {"axes": "over_rows"}),
        ("slots", {"view": "ends"}),
        ("splice", {"view": "ends"}),
        ("bikes", {"view": "viewed"}),
        ("naming", {"view": "stacked"}),
        ("calculator", {"view": "stacked"}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    setting = Setting(name, hidden=8).changed(**fault)
    assert mixes_intents(fault) if name == "slots" else mixes(TASKS[name], setting)


def mixes_intents(fault: dict[str, Any]) -> bool:
    """Whether the intent of the last utterance hangs on the first."""
    torch.manual_seed(1)
    model = build(TASKS["slots"], Setting("slots", hidden=8).changed(**fault)).eval()
    x, _, lengths = drawn(TASKS["slots"])
    assert lengths is not None
    other = x.clone()
    other[0, 0] = 1 if int(x[0, 0]) != 1 else 2
    with torch.no_grad():
        one, two = (model(words, lengths)[1] for words in (x, other))
    return not torch.allclose(one[1:], two[1:])


def test_an_intent_is_its_own() -> None:
    assert not mixes_intents({})


def test_channels_viewed_as_time_mix_steps_of_one_sample() -> None:
    task, setting = TASKS["turbine"], Setting("turbine", hidden=8)
    batch = drawn(task)
    assert not mixes(task, setting.changed(view="viewed"))
    right, wrong = answers(task, setting, batch), answers(task, setting.changed(view="viewed"), batch)
    assert right.shape == wrong.shape
    assert not torch.allclose(right, wrong)


@pytest.mark.parametrize(
    ("name", "padding", "reaches"),
    [
        ("slots", "packed", False),
        ("slots", "unpacked", True),
        ("slots", "same_length", True),
    ],
)
def test_padding_reaches_the_answer_with_a_fault_alone(name: str, padding: str, reaches: bool) -> None:
    torch.manual_seed(1)
    model = build(TASKS[name], Setting(name, hidden=8, padding=padding)).eval()
    x, _, lengths = drawn(TASKS[name])
    longer = torch.cat([x, x.new_zeros(len(x), 9)], 1)
    with torch.no_grad():
        outs = [model(words, lengths) for words in (x, longer)]
    short, more = (out[1] if isinstance(out, tuple) else out for out in outs)
    assert torch.allclose(short, more, atol=1e-6) is not reaches


@pytest.mark.parametrize(
    ("name", "how", "unknown"),
    [
        ("bikes", "all", set()),
        ("bikes", "no_head", {"head"}),
        ("bikes", "no_recurrence", {"rnn"}),
        ("bikes", "rebuilt", {"rnn"}),
        ("bikes", "second_network", {"rnn", "dense", "head"}),
        ("calculator", "encoder", {"decoder"}),
        ("walks", "decoder", {"encoder"}),
    ],
)
def test_what_an_optimizer_does_not_know(name: str, how: str, unknown: set[str]) -> None:
    stepper = stepper_of(Setting(name, hidden=4, optimized=how))
    known = {id(p) for group in stepper.optimizer.param_groups for p in group["params"]}
    parameters = stepper.model.named_parameters()
    assert {key.partition(".")[0] for key, p in parameters if id(p) not in known} == unknown


@pytest.mark.parametrize(
    ("name", "known"), [("turbine", {"conv", "dense", "head"}), ("beats", {"dense", "head"})]
)
def test_what_no_network_knows_is_used(name: str, known: set[str]) -> None:
    model = build(TASKS[name], Setting(name, hidden=4, optimized="list"))
    assert {key.partition(".")[0] for key, _ in model.named_parameters()} == known
    model(drawn(TASKS[name])[0])


@pytest.mark.parametrize(
    ("how", "accumulate", "cleared"),
    [("each", 1, [0, 1, 2, 3, 4]), ("each", 2, [0, 2, 4]), ("once", 1, [0]), ("3", 1, [0, 3])],
)
def test_when_gradients_are_cleared(how: str, accumulate: int, cleared: list[int]) -> None:
    stepper = stepper_of(Setting("bikes", hidden=4, clearing=how, accumulate=accumulate))
    seen = []
    for batch in range(5):
        stepper.batch = batch
        for p in stepper.model.parameters():
            p.grad = torch.ones_like(p)
        stepper.zero_grad()
        seen += [batch] if all(p.grad is None for p in stepper.model.parameters()) else []
    assert seen == cleared


def test_gradients_of_one_module_are_cleared_or_all_are_zero() -> None:
    left = []
    for how in ("first_module", "to_zero"):
        stepper = stepper_of(Setting("bikes", hidden=4, clearing=how))
        for p in stepper.model.parameters():
            p.grad = torch.ones_like(p)
        stepper.zero_grad()
        left.append({
            key.partition(".")[0] for key, p in stepper.model.named_parameters() if p.grad is not None and p.grad.any()
        })  # fmt: skip
    assert left == [{"dense", "head"}, set()]


def test_gradients_that_are_asked_for_are_the_same() -> None:
    found = [
        weights_after(Setting("splice", hidden=4, batch=4, samples=8, style=style), 2)
        for style in ("plain", "autograd")
    ]
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_an_optimizer_that_asks_for_the_loss_does_the_same() -> None:
    found = [
        weights_after(Setting("bikes", hidden=4, batch=4, samples=8, style=style, clip=None), 3)
        for style in ("plain", "closure")
    ]
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("schedule", "changes", "shares"),
    [
        ("steps", {"span": 2, "gamma": 0.1}, [1, 0.1, 0.1, 0.01]),
        ("polynomial", {"span": 2}, [0.25, 0, 0, 0]),
        ("compounded", {"gamma": 0.5}, [0.5, 0.125, 1 / 64, 1 / 1024]),
        ("growing", {"gamma": 2.0}, [2, 4, 8, 16]),
        ("exponential", {"gamma": 0.5}, [0.5, 0.25, 0.125, 0.0625]),
        ("noam_unscaled", {"gamma": 40.0}, [2, 3, 4, 5]),
    ],
)
def test_what_a_schedule_leaves_of_the_rate(
    schedule: str, changes: dict[str, Any], shares: list[float]
) -> None:
    setting = Setting("bikes", hidden=4, schedule=schedule).changed(**changes)
    optimizer = stepper_of(setting.changed(schedule="none")).optimizer
    rate, seen = optimizer.param_groups[0]["lr"], []
    scheduler = optimizers.make_scheduler(optimizer, setting)
    for _ in range(4):
        optimizer.step()
        scheduler.step()
        seen.append(optimizer.param_groups[0]["lr"] / rate)
    assert seen == pytest.approx(shares)


def test_a_recurrence_has_a_rate_of_its_own() -> None:
    stepper = stepper_of(Setting("bikes", hidden=4, group_rate=0.5))
    rest, its = stepper.optimizer.param_groups
    assert its["lr"] == rest["lr"] / 2
    assert [id(p) for p in its["params"]] == [id(p) for p in stepper.model.rnn.parameters()]


@pytest.mark.parametrize(
    ("kind", "norms"),
    [("norm", (0.6, 0.8)), ("each", (1.0, 1.0)), ("rescaled", (0.6, 0.8)), ("value", (1.0, 1.0))],
)
def test_ways_to_clip(kind: str, norms: tuple[float, float]) -> None:
    model = nn.ParameterList([nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))])
    for parameter, gradient in zip(model, (3.0, 4.0), strict=True):
        parameter.grad = torch.tensor([gradient])
    optimizers.clip(model, Setting("bikes", clip=1.0, clip_kind=kind))
    left = [float(p.grad) for p in model if p.grad is not None]
    assert left == pytest.approx(norms, rel=1e-4)


@pytest.mark.parametrize("gate", ["input", "forget", "output", "all"])
@pytest.mark.parametrize("name", ["naming", "bikes"])
def test_a_gate_gets_its_bias_in_one_of_two(name: str, gate: str) -> None:
    weights = build(TASKS[name], Setting(name, hidden=4, gate=gate, gate_bias=-7.0)).state_dict()
    parts = weights["cells.0.bias_ih" if name == "naming" else "rnn.bias_ih_l0"].chunk(4)
    wanted = [gate in (part, "all") for part in ("input", "forget", "cell", "output")]
    assert [bool((part == -7).all()) for part in parts] == wanted


@pytest.mark.parametrize("init", ["normal_hh", "uniform_hh", "scaled_hh"])
def test_small_recurrent_weights_leave_those_of_the_input(init: str) -> None:
    model = build(TASKS["splice"], Setting("splice", cell="RNN", hidden=20, init=init, gain=0.01))
    weights = model.state_dict()
    assert float(weights["rnn.weight_hh_l0"].abs().max()) < 0.05
    assert float(weights["rnn.weight_ih_l0"].std()) > 0.05


def test_dense_units_start_dead() -> None:
    dense = Dense(3, 5, Setting("bikes", dense_bias=-20.0))
    assert not dense(torch.randn(4, 3)).any()
    assert Dense(3, 5, Setting("bikes"))(torch.randn(4, 3)).any()


def test_the_loss_of_names_is_the_mean_over_their_letters() -> None:
    x, y, _ = drawn(TASKS["naming"])
    setting = Setting("naming", hidden=8)
    torch.manual_seed(1)
    model = build(TASKS["naming"], setting).eval()
    loss, scores = naming.train_on(model, x, y, setting)
    torch.testing.assert_close(scores, model(x))
    mean = (
        nn.functional.cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="none").sum()
        / (y >= 0).sum()
    )
    torch.testing.assert_close(loss, mean)


def test_losses_that_are_none() -> None:
    out, y = torch.randn(4, 3, requires_grad=True), torch.tensor([0, 1, 2, 0])
    loss = criteria.classified(out, y, Setting("splice"))
    for broken in ("root", "empty"):
        setting = Setting("splice", broken=broken, not_a_number=2)
        assert criteria.broken_loss(loss, out, setting, 1) is loss
        (gradient,) = torch.autograd.grad(
            criteria.broken_loss(loss, out, setting, 2), out, retain_graph=True, allow_unused=True
        )
        assert broken == "empty" or gradient.isnan().any()
    assert criteria.broken_loss(loss, out, Setting("splice", broken="empty", not_a_number=2), 2).isnan()
    sure = torch.tensor([[20.0, 0.0, 0.0]])
    assert not criteria.classified(sure, torch.tensor([1]), Setting("splice", loss_log=True)).isfinite()


@pytest.mark.parametrize("broken", ["input", "label", "std", "infinite"])
def test_one_value_is_spoiled_once(broken: str) -> None:
    x, y = torch.ones(3, 4, 2), torch.ones(3, 1)
    setting = Setting("bikes", broken=broken, not_a_number=2)
    for update in (1, 2):
        a, b = criteria.broken_batch(x, y, setting, update)
        assert bool(a.isfinite().all() and b.isfinite().all()) is (update == 1)
    assert x.isfinite().all()
    assert y.isfinite().all()


def test_a_softmax_goes_over_classes_or_over_the_batch() -> None:
    out = torch.randn(3, 4)
    for how, axis in (("softmax", 1), ("wrong_axis", 0)):
        chances = criteria.activated(out, Setting("splice", output=how))
        torch.testing.assert_close(chances.sum(axis), torch.ones(out.shape[1 - axis]))


def test_batches_are_padded_to_their_longest_or_to_more() -> None:
    samples = [
        (torch.tensor([5, 6, 7]), torch.tensor([0, 1, 0]), 2),
        (torch.tensor([8]), torch.tensor([0]), 1),
    ]
    words, tags, intents, lengths = slots.Collate(Setting("slots"))(samples)
    assert words.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert tags.tolist() == [[0, 1, 0], [0, -100, -100]]
    assert intents.tolist() == [2, 1]
    assert lengths.tolist() == [3, 1]
    assert slots.Collate(Setting("slots", pad_to=6))(samples)[0].shape == (2, 6)
    texts, labels, lengths = movies.PadCollate(Setting("movies"))(
        [(words, n) for words, _, n in reversed(samples)]
    )
    assert texts.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert (labels.tolist(), lengths.tolist()) == ([2, 1], [3, 1])


@pytest.mark.parametrize("name", ["slots", "turbine", "splice", "beats", "movies"])
def test_samples_are_sorted_by_class(name: str) -> None:
    _, y, _ = run_of(Setting(name, order="sorted", samples=60)).training_set()
    first = y.reshape(len(y), -1)[:, 0]
    assert torch.equal(first, first.sort().values)


def test_orders_of_batches() -> None:
    def rows(order: str) -> list[Tensor]:
        batches = run_of(Setting("naming", order=order, batch=4)).indices(20)
        return [next(batches) for _ in range(5)]

    assert all(torch.equal(batch, torch.arange(4)) for batch in rows("one_batch"))
    assert torch.cat(rows("in_order")).tolist() == list(range(20))
    shuffled = torch.cat(rows("shuffled")).tolist()
    assert sorted(shuffled) == list(range(20)) != shuffled
    loader = run_of(Setting("bikes", order="one_batch", batch=4)).loader(list(range(20)))
    assert [sorted(batch.tolist()) for batch in [*loader, *loader]] == [[0, 1, 2, 3]] * 2


def test_utterances_say_what_fills_their_slots() -> None:
    x, y, lengths = drawn(TASKS["slots"], 50)
    assert lengths is not None
    for words, targets, n in zip(x.tolist(), y.tolist(), lengths.tolist(), strict=True):
        (verb,) = (word for word in words if 2 <= word < 14)
        assert targets[0] == (verb - 2) // 3
        assert targets[1 + n :] == [-100] * (10 - n)
        for before, slot in zip(words[: n - 1], targets[2 : n + 1], strict=True):
            assert slot == {14: 1, 15: 2, 16: 3}.get(before, 0)


def test_a_calculation_stays_within_its_bounds() -> None:
    x, y, _ = drawn(TASKS["calculator"], 50)
    change = torch.tensor([-1, -2, 1, 2])
    for steps, results in zip(x.tolist(), y.tolist(), strict=True):
        left = 3
        for step, result in zip(steps[:-1], results, strict=True):
            left = min(6, max(0, left + int(change[step])))
            assert result == left


def test_names_end_and_others_are_kept_to_validate() -> None:
    known = {name.rstrip(";").lower() for name in html5}
    seen = []
    for training in (True, False):
        x, y, _ = TASKS["naming"].draw(400, torch.Generator().manual_seed(1), training=training)
        names = {"".join(chr(96 + letter) for letter in row if letter > 0) for row in y.tolist()}
        assert any(name in known for name in names)
        assert torch.equal(x[:, 1:], y[:, :-1].clamp_min(0))
        seen.append({tuple(row) for row in y.tolist()})
    assert not seen[0] & seen[1]


def test_a_splice_site_tells_the_class() -> None:
    x, y, _ = drawn(TASKS["splice"], 60)
    for columns, kind in zip(x.argmax(-1).tolist(), y.tolist(), strict=True):
        bases = "".join("ACGT"[base] for base in columns)
        assert kind == 0 or ("GGTAG" if kind == 1 else "TCAGG") in bases


def test_a_fault_has_to_do_worse_than_both_twins() -> None:
    scenario = next(s for s in plan(1) if s.part == STUDIES and s.dose == "gross" and s.fault == "cut-off")
    twin, other = scenario.twins
    assert (twin.seed, other.seed) == (83, 84)
    assert twin.changed(seed=84) == other
