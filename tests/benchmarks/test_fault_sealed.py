"""The sealed part of the fault bench: what its faults do, its cell by hand, its batches and its data."""

import math
from itertools import islice
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.faults.sealed import batches as cutting
from benchmarks.faults.sealed.networks import build
from benchmarks.faults.sealed.recurrence import HandCell
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import Batch
from benchmarks.faults.tasks import TASKS
from tests.benchmarks.trained import answers, drawn, mixes, weights_after


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("cue", {"axes": "time_first"}),
        ("oscillators", {"axes": "time_first"}),
        ("identifiers", {"axes": "samples"}),
        ("protocol", {"axes": "samples"}),
        ("events", {"axes": "batch_first_missing"}),
        ("events", {"view": "time_first"}),
        ("gibberish", {"view": "layers", "layers": 2}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize(
    ("name", "padding", "reaches"),
    [
        ("gibberish", "packed", False),
        ("syllables", "packed", False),
        ("gibberish", "full", True),
        ("gibberish", "final_state", True),
        ("syllables", "full", True),
        ("syllables", "pooled", True),
    ],
)
def test_padding_reaches_the_answer_with_a_fault_alone(name: str, padding: str, reaches: bool) -> None:
    task, setting = TASKS[name], Setting(name, hidden=8, padding=padding)
    x, y, lengths = drawn(task)
    more = torch.cat([x, torch.zeros_like(x[:, :3])], dim=1)
    one, other = answers(task, setting, (x, y, lengths)), answers(task, setting, (more, y, lengths))
    assert torch.allclose(one, other, atol=1e-6) is not reaches


def test_a_cell_by_its_equations_is_torchs() -> None:
    torch.manual_seed(0)
    mine, its = HandCell(3, Setting("protocol", hidden=4)), nn.LSTMCell(3, 4)
    order = [0, 1, 3, 2]  # torch's input, forget, cell, output; mine has the cell last
    with torch.no_grad():
        for own, weight in ((mine.x2h.weight, its.weight_ih), (mine.h2h.weight, its.weight_hh)):
            own.copy_(torch.cat([torch.split(weight, 4)[i] for i in order]))
        mine.x2h.bias.copy_(torch.cat([torch.split(its.bias_ih + its.bias_hh, 4)[i] for i in order]))
    x, state = torch.randn(2, 3), (torch.randn(2, 4), torch.randn(2, 4))
    for own_part, part in zip(mine(x, state), its(x, state), strict=True):
        torch.testing.assert_close(own_part, part)


@pytest.mark.parametrize("gate", ["input", "forget", "output"])
def test_a_gate_is_closed_by_its_bias(gate: str) -> None:
    hand = build(TASKS["protocol"], Setting("protocol", hidden=4, gate=gate, gate_bias=-9.0)).cell
    own = hand.x2h.bias.chunk(4)[HandCell.GATES["LSTM"].index(gate)]
    layer = build(TASKS["events"], Setting("events", hidden=4, gate=gate, gate_bias=-9.0)).memory.rnn
    part = layer.bias_ih_l0.chunk(4)[{"input": 0, "forget": 1, "output": 3}[gate]]
    assert (own == -9).all()
    assert (part == -9).all()
    assert (torch.cat([hand.x2h.bias, layer.bias_ih_l0]) == -9).sum() == 8


def first_batches(name: str, n: int, **changes: Any) -> list[Batch]:
    setting = Setting(name).changed(**changes)
    return list(islice(cutting.batches(TASKS[name], setting), n))


def test_an_epoch_holds_every_sample_once_whatever_the_sizes() -> None:
    for sizes in ("equal", "mixed", "bucketed"):
        epoch = first_batches("syllables", 90, samples=300, sizes=sizes)
        total, seen = 0, []
        for x, _, lengths in epoch:
            total += len(x)
            assert lengths is not None
            assert x.shape[1] == int(lengths.max())
            seen += x[:, 3, 2].tolist()
            if total >= 300:
                break
        assert total == 300
        assert len(set(seen)) == 300
    assert len({len(x) for x, _, _ in first_batches("cue", 8, sizes="mixed")}) > 3


def test_alike_lengths_stand_together() -> None:
    for _, _, lengths in first_batches("gibberish", 10, sizes="bucketed"):
        assert lengths is not None
        assert int(lengths.max() - lengths.min()) <= 1
    assert any(
        int(lengths.max() - lengths.min()) > 5
        for _, _, lengths in first_batches("gibberish", 10)
        if lengths is not None
    )


@pytest.mark.parametrize(("order", "most"), [("sorted", 2), ("blocks", 2), ("buffer", 2), ("shuffled", 6)])
def test_bad_orders_show_few_classes_at_a_time(order: str, most: int) -> None:
    kinds = [len(torch.unique(y)) for _, y, _ in first_batches("syllables", 9, order=order)]
    assert max(kinds) <= most
    assert sum(kinds) >= 9 * (most - 1)


def test_the_first_batch_again_and_again() -> None:
    one, other = first_batches("events", 2, order="same")
    assert torch.equal(one[0], other[0])


def test_copies_and_wrong_labels() -> None:
    rows = torch.cat([x for x, _, _ in first_batches("cue", 5, samples=8, copies=20)])
    assert len(rows) == 160
    assert len(torch.unique(rows, dim=0)) == 8


def test_so_many_labels_are_wrong() -> None:
    # The same order of the same samples, but for the draws of the labels: told by the sounds themselves.
    def labels(share: float) -> dict[float, int]:
        drawn = first_batches("syllables", 10, samples=320, wrong_labels=share)
        return {float(row[3, 2]): int(label) for x, y, _ in drawn for row, label in zip(x, y, strict=True)}

    right, wrong = labels(0.0), labels(0.6)
    assert set(right) == set(wrong)
    assert (
        0.4 < sum(right[sound] != wrong[sound] for sound in right) / len(right) < 0.6
    )  # some are right by chance


def test_a_text_goes_on_where_it_ended() -> None:
    (x, y, _), (after, _, _) = first_batches("identifiers", 2, state="carried", batch=4)
    assert torch.equal(x[:, 1:], y[:, :-1])
    assert torch.equal(y[:, -1], after[:, 0])


def test_a_connection_is_seen_in_all_its_states() -> None:
    _, y, _ = TASKS["protocol"].draw(400, torch.Generator().manual_seed(2), training=True)
    assert set(torch.unique(y).tolist()) == set(range(5))


def test_the_known_lag_is_where_the_pulse_stands() -> None:
    x, y, _ = TASKS["cue"].draw(300, torch.Generator().manual_seed(2), training=True)
    lag = TASKS["cue"].lag
    assert lag is not None
    pulse = x[:, x.shape[1] - 1 - lag, :3]
    assert float((pulse.argmax(1) == y).float().mean()) > 0.98
    rest = torch.cat([x[:, :1], x[:, 2:]], dim=1)[..., :3].mean(1)
    assert float((rest.argmax(1) == y).float().mean()) < 0.5


def test_words_are_split_and_half_is_gibberish() -> None:
    task = TASKS["gibberish"]
    train_set = {
        tuple(row) for row in task.draw(2000, torch.Generator().manual_seed(1), training=True)[0].tolist()
    }
    x, y, _ = task.draw(500, torch.Generator().manual_seed(1), training=False)
    assert not train_set & {tuple(row) for row in x.tolist()}
    assert 0.4 < float(y.float().mean()) < 0.6


def test_a_value_that_is_no_number_breaks_the_weights_at_its_update() -> None:
    for name, broken in (("cue", "constant"), ("oscillators", "label")):
        setting = Setting(name, hidden=8, batch=4, broken=broken, not_a_number=3)
        sums = [float(sum(p.sum() for p in weights_after(setting, n))) for n in (2, 3)]
        assert [math.isfinite(total) for total in sums] == [True, False]
