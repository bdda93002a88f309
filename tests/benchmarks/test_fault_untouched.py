"""The untouched part of the fault bench: what its faults do, its cell by hand, its batches and its data."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.faults.plan import plan
from benchmarks.faults.run import HEALTHY, healthy
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import UNTOUCHED, Batch
from benchmarks.faults.tasks import TASKS
from benchmarks.faults.untouched import data, entities, glyphs
from benchmarks.faults.untouched.networks import build
from benchmarks.faults.untouched.optimizing import bound, clear
from benchmarks.faults.untouched.running import Run
from benchmarks.faults.untouched.starting import FromScratch
from tests.benchmarks.trained import answers, drawn, mixes, weights_after

TIME = {13: 5, 14: 10, 15: 15, 16: 20, 17: 25, 18: 30}


def run_of(setting: Setting) -> Run:
    return Run(TASKS[setting.task], setting, 1, lambda _, __: True, lambda _, __: None)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("electricity", {"axes": "batch_first_missing"}),
        ("shapes", {"axes": "batch_first_missing"}),
        ("commands", {"axes": "batch_first_missing"}),
        ("glyphs", {"axes": "batchify"}),
        ("clock", {"axes": "not_transposed"}),
        ("ward", {"axes": "samples"}),
        ("thermostat", {"axes": "samples"}),
        ("clock", {"view": "memory"}),
        ("clock", {"view": "words"}),
        ("walkers", {"view": "track"}),
        ("shapes", {"view": "images"}),
        ("entities", {"view": "emissions"}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize(
    ("name", "changes", "reaches"),
    [
        ("messages", {}, False),
        ("messages", {"bidirectional": True}, False),
        ("messages", {"pad_to": 30}, False),
        ("entities", {}, False),
        ("entities", {"bidirectional": True}, False),
        ("messages", {"padding": "ends", "bidirectional": True}, True),
    ],
)
def test_padding_reaches_the_answer_with_a_fault_alone(
    name: str, changes: dict[str, Any], reaches: bool
) -> None:
    task, setting = TASKS[name], Setting(name, hidden=8).changed(**changes)
    x, y, lengths = drawn(task)
    assert lengths is not None
    more = torch.cat([x, torch.zeros_like(x[:, :3])], dim=1)
    one, other = answers(task, setting, (x, y, lengths)), answers(task, setting, (more, y, lengths))
    there = torch.arange(x.shape[1]) < lengths[:, None] if name == "entities" else torch.tensor(True)
    known = there[..., None] if name == "entities" else there
    same = torch.allclose(one * known, other[:, : one.shape[1]] * known, atol=1e-6)
    assert same is not reaches


def test_the_last_column_of_what_was_packed_is_empty_for_shorter_messages() -> None:
    task = TASKS["messages"]
    x, y, lengths = drawn(task, 30)
    assert lengths is not None
    out = answers(task, Setting("messages", hidden=8, padding="repadded"), (x, y, lengths))
    right = answers(task, Setting("messages", hidden=8), (x, y, lengths))
    longest = lengths == lengths.max()
    assert torch.allclose(out[longest], right[longest], atol=1e-6)
    assert len(torch.unique(out[~longest])) == 1


@pytest.mark.parametrize(("kind", "cell"), [("LSTM", nn.LSTMCell), ("GRU", nn.GRUCell), ("RNN", nn.RNNCell)])
def test_matrices_side_by_side_are_torchs(kind: str, cell: Any) -> None:
    torch.manual_seed(0)
    mine, its = FromScratch(3, Setting("thermostat", cell=kind, hidden=4)), cell(3, 4)
    own = {name: value.uniform_(-1, 1) for name, value in mine.state_dict().items()}
    its.load_state_dict(own)
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    wanted = its(x, (h, c)) if kind == "LSTM" else (its(x, h), c)
    for got, part in zip(mine(x, h, c), wanted, strict=True):
        torch.testing.assert_close(got, part)


def test_tensors_for_parameters_stay_as_they_are() -> None:
    network = build(TASKS["thermostat"], Setting("thermostat", hidden=4, optimized="tensors"))
    assert [name for name, _ in network.named_parameters()] == ["readout.weight", "readout.bias"]
    assert network.cell.weight_hh.requires_grad


@pytest.mark.parametrize(("name", "part"), [("commands", "embed"), ("ward", "hidden")])
def test_modules_in_a_dictionary_are_used_and_not_known(name: str, part: str) -> None:
    task = TASKS[name]
    right, ill = (build(task, Setting(name, hidden=4, optimized=how)) for how in ("all", "dict"))
    missing = {key for key, _ in right.named_parameters()} - {key for key, _ in ill.named_parameters()}
    assert any("weight_hh" in key for key in missing)
    assert not any(key.startswith(part) for key in missing)


@pytest.mark.parametrize("gate", ["forget", "cell", "output"])
def test_a_gate_gets_its_bias_in_halves(gate: str) -> None:
    changes: dict[str, Any] = {"hidden": 4, "gate": gate, "gate_bias": -8.0}
    hand = build(TASKS["thermostat"], Setting("thermostat", **changes)).cell
    layer = build(TASKS["shapes"], Setting("shapes", **changes)).rnn
    index = ["input", "forget", "cell", "output"].index(gate)
    for one, other in ((hand.bias_ih, hand.bias_hh), (layer.bias_ih_l0, layer.bias_hh_l0)):
        total = (one + other).chunk(4)
        assert [bool((part == -8).all()) for part in total] == [i == index for i in range(4)]


@pytest.mark.parametrize(("how", "left"), [("each", 0.0), ("detached", 1.0), ("never", 1.0), ("epoch", 1.0)])
def test_what_is_left_of_a_gradient(how: str, left: float) -> None:
    layer = nn.Linear(2, 1)
    layer.weight.grad = torch.ones(1, 2)
    clear(torch.optim.SGD(layer.parameters(), 0.1), layer, Setting("shapes", clearing=how))
    grad = layer.weight.grad
    assert float(torch.zeros(()) if grad is None else grad.mean()) == left
    clear(layer, layer, Setting("shapes", clearing="epoch"), first=True)
    assert layer.weight.grad is None


def test_the_largest_gradient_is_what_is_bounded() -> None:
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.grad = torch.tensor([[3.0, -4.0]])
    bound(layer, Setting("shapes", clip=0.4, clip_kind="infinity"))
    torch.testing.assert_close(layer.weight.grad, torch.tensor([[0.3, -0.4]]))


def test_pad_sequence_puts_time_first_if_it_is_not_told() -> None:
    batch: Batch = drawn(TASKS["entities"], 6)
    rows = torch.tensor([4, 1, 2])
    words, tags, lengths = entities.prepare(batch, rows, Setting("entities"))
    assert lengths is not None
    longest = int(lengths.max())
    assert words.shape == tags.shape == (3, longest)
    assert torch.equal(tags >= 0, torch.arange(longest) < lengths[:, None])
    wrong, other, _ = entities.prepare(batch, rows, Setting("entities", axes="pad_sequence"))
    assert torch.equal(wrong, words.T)
    assert torch.equal(other, tags.T)


def test_columns_of_a_text_go_on_from_chunk_to_chunk() -> None:
    text = torch.arange(100)
    columns = glyphs.batchify(text, 3)
    assert columns.shape == (33, 3)
    assert torch.equal(columns[:, 1], torch.arange(33, 66))


def test_a_state_is_repackaged_wholly_in_part_or_not_at_all() -> None:
    h, c = (torch.ones(1, requires_grad=True) * 2 for _ in range(2))

    def bound_to_the_past(state: str) -> list[bool]:
        return [
            part.grad_fn is not None
            for part in glyphs.repackage_hidden((h, c), Setting("glyphs", state=state))
        ]

    assert bound_to_the_past("carried") == [False, False]
    assert bound_to_the_past("half") == [False, True]
    assert bound_to_the_past("kept") == bound_to_the_past("retained") == [True, True]


@pytest.mark.parametrize("name", ["shapes", "messages", "commands", "ward"])
def test_samples_come_in_the_order_of_folders(name: str) -> None:
    _, y, _ = run_of(Setting(name, order="folders", samples=60)).training_set()
    assert torch.equal(y, y.sort().values)


def test_an_epoch_holds_every_sample_once_or_the_first_ones_again() -> None:
    setting = Setting("walkers", batch=8)
    g = torch.Generator().manual_seed(0)
    rows = torch.cat(run_of(setting).epoch(40, g))
    assert sorted(rows.tolist()) == list(range(40))
    (again,) = run_of(setting.changed(order="next_iter")).epoch(40, g)
    assert again.tolist() == list(range(8))
    assert [len(r) for r in run_of(setting).epoch(5, g)] == [5]


def test_spam_promises_before_it_asks() -> None:
    x, y, _ = drawn(TASKS["messages"], 400)
    for message, spam in zip(x.tolist(), y.tolist(), strict=True):
        promises = [i for i, word in enumerate(message) if 1 <= word <= 3]
        calls = [i for i, word in enumerate(message) if 4 <= word <= 6]
        assert bool(promises and calls and min(promises) < max(calls)) == bool(spam)


def test_times_are_said_as_they_are_written() -> None:
    words, digits, _ = drawn(TASKS["clock"], 300)
    for said, written in zip(words.tolist(), digits.tolist(), strict=True):
        _, _, first, between, last = said
        if last == 0:
            hour, minutes = first - 1, 0
        else:
            hour, minutes = last - 1, TIME[first]
        total = (hour * 60 + (minutes if between in (24, 26) else -minutes)) % 720
        assert written == [total // 600, total // 60 % 10, total % 60 // 10, total % 10]
    held_out = {tuple(row) for row in TASKS["clock"].draw(200, torch.Generator(), training=False)[0].tolist()}
    assert not held_out & {tuple(row) for row in words.tolist()}


def test_a_window_is_followed_by_its_load() -> None:
    hours = data.series(40, torch.Generator().manual_seed(1))
    x, y = data.windows(hours, 16)
    assert x.shape == (24, 16, 3)
    assert torch.equal(x[5], hours[5:21])
    assert torch.equal(y[5], hours[21, :1])


@pytest.mark.parametrize("name", ["commands", "ward"])
def test_the_known_lag_is_where_the_last_early_clue_stands(name: str) -> None:
    task = TASKS[name]
    x, y, _ = drawn(task, 200)
    first = x.shape[1] - 1 - (task.lag or 0)
    clue = x[:, first] if name == "commands" else x[:, first, :3].argmax(1)
    told = y if name == "commands" else torch.where(y == 3, clue, y)
    assert torch.equal(clue, told)


@pytest.mark.parametrize(
    ("name", "broken"), [("ward", "negative"), ("walkers", "percent"), ("entities", "unlabelled")]
)
def test_a_bad_reading_breaks_the_weights_at_its_update(name: str, broken: str) -> None:
    setting = Setting(name, hidden=8, batch=4, samples=40, broken=broken, not_a_number=3)
    sums = [float(sum(p.sum() for p in weights_after(setting, n))) for n in (2, 3)]
    assert [math.isfinite(total) for total in sums] == [True, False]


def test_weights_are_moved_by_hand_as_by_plain_gradient_descent() -> None:
    def moved(optimizer: torch.optim.Optimizer | None, model: nn.Module) -> list[Tensor]:
        for p in model.parameters():
            p.grad = torch.full_like(p, 0.5)
        glyphs.move(model, optimizer, 0.2)  # type: ignore[arg-type]
        return [p.detach().clone() for p in model.parameters()]

    torch.manual_seed(0)
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    other.load_state_dict(one.state_dict())
    by_hand = moved(None, one)
    for mine, its in zip(by_hand, moved(torch.optim.SGD(other.parameters(), 0.2), other), strict=True):
        torch.testing.assert_close(mine, its)


def test_a_fault_has_to_do_worse_than_twins_of_both_seeds() -> None:
    scenario = next(s for s in plan(1) if s.part == UNTOUCHED and s.dose == "gross" and s.fault == "cut-off")
    assert scenario.twin is not None
    assert scenario.other == scenario.twin.changed(seed=48)

    def label(mine: int | None, one: int | None, other: int | None) -> bool | None:
        keys = (scenario.key, *(twin.key() for twin in scenario.twins))
        rows = {k: {"reached": r, "ended": "ended"} for k, r in zip(keys, (mine, one, other), strict=True)}
        return healthy(scenario, rows)

    assert label(None, 100, 120) is False
    assert label(200, 100, 120) is False
    assert label(180, 100, 120) is None
    assert label(None, 100, None) is None
    assert HEALTHY >= 400
