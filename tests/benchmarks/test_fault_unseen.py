"""The unseen part of the fault bench: what its faults do, its cell by hand, its batches, losses and data."""

import math
from itertools import islice
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.faults.setting import Setting
from benchmarks.faults.task import Batch
from benchmarks.faults.tasks import TASKS
from benchmarks.faults.unseen import batches as cutting
from benchmarks.faults.unseen.data import WORDS, sentences
from benchmarks.faults.unseen.losses import criterion, losses_of
from benchmarks.faults.unseen.networks import build
from benchmarks.faults.unseen.optimizing import bound, optimizers_for
from benchmarks.faults.unseen.recurrence import ConcatCell
from tests.benchmarks.trained import answers, built, drawn, mixes, weights_after


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("surnames", {"axes": "samples"}),
        ("corridor", {"axes": "samples"}),
        ("traffic", {"axes": "two_dimensional"}),
        ("orders", {"axes": "batch_first_missing"}),
        ("traffic", {"view": "input"}),
        ("sentences", {"view": "output"}),
        ("reviews", {"view": "hidden", "pooling": "last", "bidirectional": True}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize(
    ("name", "changes", "reaches"),
    [
        ("reviews", {}, False),
        ("reviews", {"pooling": "mean"}, False),
        ("reviews", {"pooling": "last"}, False),
        ("numerals", {}, False),
        ("inflections", {}, False),
        ("reviews", {"padding": "unpacked"}, True),
        ("reviews", {"padding": "unpacked", "pooling": "mean"}, True),
        ("reviews", {"padding": "unpacked", "pooling": "last"}, True),
        ("reviews", {"pooling": "off_by_one"}, True),
        ("numerals", {"padding": "unpacked"}, True),
    ],
)
def test_padding_reaches_the_answer_with_a_fault_alone(
    name: str, changes: dict[str, Any], reaches: bool
) -> None:
    task, setting = TASKS[name], Setting(name, hidden=8).changed(**changes)
    x, y, lengths = drawn(task)
    assert lengths is not None
    longest = int(lengths.max())
    x, y = x[:, :longest], y[:, :longest] if name == "inflections" else y
    more = torch.cat([x, torch.zeros_like(x[:, :1]).repeat_interleave(3, 1)], dim=1)
    one, other = answers(task, setting, (x, y, lengths)), answers(task, setting, (more, y, lengths))
    assert torch.allclose(one, other[:, : one.shape[1]], atol=1e-6) is not reaches


def test_a_cell_of_linear_layers_is_torchs() -> None:
    torch.manual_seed(0)
    mine, its = ConcatCell(3, Setting("surnames", hidden=4)), nn.LSTMCell(3, 4)
    with torch.no_grad():
        mine.gates.weight.copy_(torch.cat([its.weight_ih, its.weight_hh], dim=1))
        mine.gates.bias.copy_(its.bias_ih + its.bias_hh)
    x, state = torch.randn(2, 3), (torch.randn(2, 4), torch.randn(2, 4))
    for own_part, part in zip(mine(x, state), its(x, state), strict=True):
        torch.testing.assert_close(own_part, part)


@pytest.mark.parametrize("gate", ["input", "forget", "output"])
def test_a_gate_is_closed_by_its_bias(gate: str) -> None:
    hand = build(TASKS["surnames"], Setting("surnames", hidden=4, gate=gate, gate_bias=-9.0)).cell
    own = hand.gates.bias.chunk(4)[ConcatCell.GATES["LSTM"].index(gate)]
    layer = build(TASKS["orders"], Setting("orders", hidden=4, gate=gate, gate_bias=-9.0)).rnn
    part = layer.bias_ih_l0.chunk(4)[{"input": 0, "forget": 1, "output": 3}[gate]]
    assert (own == -9).all()
    assert (part == -9).all()
    assert (torch.cat([hand.gates.bias, layer.bias_ih_l0]) == -9).sum() == 8


def test_recurrent_weights_alone_are_scaled_in_a_cell_by_hand() -> None:
    setting = Setting("surnames", cell="RNN", hidden=40, init="randn", gain=3.0)
    weight = build(TASKS["surnames"], setting).cell.gates.weight.detach()
    assert 2.7 < float(weight[:, 27:].std()) < 3.3
    assert float(weight[:, :27].std()) < 0.1


def first_batches(name: str, n: int, **changes: Any) -> list[Batch]:
    setting = Setting(name).changed(**changes)
    return list(islice(cutting.batches(TASKS[name], setting), n))


@pytest.mark.parametrize("name", ["surnames", "reviews", "orders", "numerals", "traffic"])
def test_an_epoch_holds_every_sample_once(name: str) -> None:
    x, _, _ = TASKS[name].draw(96, torch.Generator().manual_seed(900), training=True)
    rows = [tuple(row.flatten().tolist()) for x, _, _ in first_batches(name, 3, samples=96) for row in x]
    width = max(map(len, rows))
    found = sorted(row + (0,) * (width - len(row)) for row in rows)
    assert found == sorted(tuple(row.flatten().tolist())[:width] for row in x)


def test_the_longest_stands_first_and_padding_is_marked() -> None:
    for x, y, lengths in first_batches("inflections", 3):
        assert lengths is not None
        assert lengths.tolist() == sorted(lengths.tolist(), reverse=True)
        there = torch.arange(x.shape[1]) < lengths[:, None]
        assert torch.equal(y >= 0, there)
        assert torch.equal(x.amax(2) > 0, there)


@pytest.mark.parametrize(("order", "most"), [("sorted", 2), ("files", 2), ("shuffled", 4)])
def test_bad_orders_show_few_classes_at_a_time(order: str, most: int) -> None:
    kinds = [len(torch.unique(y)) for _, y, _ in first_batches("orders", 30, order=order)]
    assert max(kinds) <= most
    assert sum(kinds) >= 30 * (most - 1)


def test_one_batch_again_and_again() -> None:
    for name in ("reviews", "sentences", "corridor"):
        one, other = first_batches(name, 2, order="same")
        assert torch.equal(one[0], other[0])


def test_a_text_goes_on_where_it_ended_time_first() -> None:
    (x, y, _), (after, _, _) = first_batches("sentences", 2, state="carried", batch=4)
    assert x.shape == (10, 4)
    assert torch.equal(x[1:], y[:-1])
    assert torch.equal(y[-1], after[0])
    wrong, target, _ = first_batches("sentences", 1, axes="not_transposed", batch=4)[0]
    assert wrong.shape == target.shape == (4, 10)


def test_number_agrees_and_sentences_end() -> None:
    said = [WORDS[code] for code in sentences(False).tolist()]
    for number, word in enumerate(said[:400]):
        if word == ".":
            assert said[number + 1] in ("the", "a", "this")
    assert {"dogs", "see", "dog", "sees"} <= set(said)


def test_roman_numbers_are_written_in_digits() -> None:
    x, y, lengths = TASKS["numerals"].draw(500, torch.Generator().manual_seed(3), training=True)
    assert lengths is not None
    values = {1: 1, 2: 5, 3: 10, 4: 50, 5: 100}
    for letters, digits, length in zip(x.tolist(), y.tolist(), lengths.tolist(), strict=True):
        worth = [values[letter] for letter in letters[:length]]
        total = sum(-a if a < b else a for a, b in zip(worth, [*worth[1:], 0], strict=True))
        assert total == int("".join(map(str, digits)))
    held_out = {
        tuple(row) for row in TASKS["numerals"].draw(99, torch.Generator(), training=False)[0].tolist()
    }
    assert not held_out & {tuple(row) for row in x.tolist()}


@pytest.mark.parametrize(("name", "first"), [("surnames", 2), ("corridor", 0), ("orders", 0)])
def test_the_known_lag_is_where_the_last_clue_stands(name: str, first: int) -> None:
    x, y, _ = drawn(TASKS[name], 4)
    assert TASKS[name].lag == x.shape[1] - 1 - first
    setting = Setting(name, hidden=8)
    changed = x.clone()
    changed[:, : first + 1] = x[:, : first + 1].roll(1, 0)
    before, after = (answers(TASKS[name], setting, (inputs, y, None)) for inputs in (x, changed))
    assert not torch.allclose(before, after, atol=1e-9)


def test_what_a_transcript_is() -> None:
    class Says(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            frames = torch.tensor([[1, 1, 0, 2, 2, 0, 0, 3], [1, 1, 1, 2, 2, 1, 0, 0]])
            return F.one_hot(frames, 6).float()

    measure = TASKS["phones"].measure
    assert measure is not None
    target = torch.tensor([[1, 2, 3], [1, 2, 3]])
    assert measure(Says(), (torch.zeros(2, 8, 6), target, None)) == 0.5


@pytest.mark.parametrize(
    "name", ["traffic", "reviews", "phones", "numerals", "orders", "heartbeats", "corridor"]
)
def test_a_loss_is_a_number_with_gradients(name: str) -> None:
    task, setting = TASKS[name], Setting(name, hidden=8)
    torch.manual_seed(0)
    model = build(task, setting)
    losses = losses_of(task, setting, model, criterion(task, setting), drawn(task, 8))
    assert len(losses) == (2 if name == "orders" else 1)
    sum(losses, torch.zeros(())).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_encoder_and_decoder_have_an_optimizer_each_and_together_everything() -> None:
    model = built(TASKS["numerals"], Setting("numerals", hidden=8))
    both = optimizers_for(model, TASKS["numerals"], Setting("numerals", hidden=8))
    held = [id(p) for each in both for group in each.param_groups for p in group["params"]]
    assert len(both) == 2
    assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_gradients_scaled_by_hand_have_the_length_that_is_set() -> None:
    model = nn.Linear(3, 2)
    model(torch.randn(4, 3)).sum().backward()
    bound(model, Setting("traffic", clip=0.01, clip_kind="scaled"))
    total = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm()
    assert math.isclose(float(total), 0.01, rel_tol=1e-3)


@pytest.mark.parametrize(
    ("name", "broken"),
    [("traffic", "missing"), ("reviews", "empty"), ("signatures", "twins"), ("phones", "endless")],
)
def test_a_value_that_is_no_number_breaks_the_weights_at_its_update(name: str, broken: str) -> None:
    setting = Setting(name, hidden=8, batch=4, broken=broken, not_a_number=3)
    sums = [float(sum(p.sum() for p in weights_after(setting, n))) for n in (2, 3)]
    assert [math.isfinite(total) for total in sums] == [True, False]
