"""How alike consecutive batches are: labels by class, and the numbers of a loader's batches."""

# mypy: disable-error-code="no-untyped-call, no-any-return"

import random
from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from rnn_doctor.capture.probe.sensors.likeness import compared, compared_levels, level
from rnn_doctor.capture.probe.sensors.orders import BY_STEP, CARRIED, FEW, SERIES, SEVERAL
from tests.capture.records import Observation, observed

B, T = 8, 5


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def order(records: Observation) -> dict[str, Any]:
    assert records.of("sensor_off") == []
    return records.of("batch_order")[-1]


class Loop:
    """A classifier that is trained on labels as they come."""

    def __init__(self, classes: int = 3) -> None:
        self.rnn, self.head = nn.GRU(2, 4, batch_first=True), nn.Linear(4, classes)
        self.optimizer = torch.optim.SGD([*self.rnn.parameters(), *self.head.parameters()], lr=0.01)

    def logits(self, rows: int) -> Any:
        return self.head(self.rnn(torch.randn(rows, T, 2))[0])

    def learn(self, loss: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def watched(*labels: torch.Tensor) -> dict[str, Any]:
    """What is written of a training on these batches of labels."""
    with observed() as records:
        loop = Loop()
        for batch in labels:
            loop.learn(functional.cross_entropy(loop.logits(len(batch))[:, -1], batch))
    return order(records)


def test_labels_class_after_class() -> None:
    found = watched(*torch.arange(3).repeat_interleave(5 * B).split(B))
    assert (found["updates"], found["classes"]) == (15, 3)
    assert found["distance"] == pytest.approx(10 / 14)  # 10 of the other 14 updates are of another class
    assert found["alike"] == pytest.approx(1 - (2 / 14) / (10 / 14))
    assert found["chance"] < 0.01
    assert "absent" not in found


def test_the_names_of_the_classes_do_not_matter() -> None:
    counts = [Counter({0: 5, 1: 3}), Counter({1: 8}), Counter({0: 8})] * 5
    renamed = [Counter({7 - k: n for k, n in c.items()}) for c in counts]
    assert compared([Counter(c) for c in renamed]) == pytest.approx(compared([Counter(c) for c in counts]))


def test_random_orders_are_seldom_alike() -> None:
    dice = random.Random(3)
    labels: list[Counter[float]] = [Counter({dice.randrange(4): 1}) for _ in range(64)]
    found = [compared(random.Random(k).sample(labels, 64)) for k in range(40)]
    assert sum(f["chance"] < 0.05 for f in found) <= 6
    assert max(f["alike"] for f in found) < 0.4


def test_shuffled_labels() -> None:
    found = watched(*torch.arange(3).repeat(40)[torch.randperm(120)].split(B))
    assert found["distance"] < 0.5
    assert found["chance"] > 0.01


def test_one_class_alone_tells_nothing() -> None:
    found = watched(*torch.zeros(20 * B, dtype=torch.long).split(B))
    assert found["classes"] == 1
    assert "alike" not in found


def test_how_many_labels_of_one_class() -> None:
    assert watched(*torch.zeros(20 * B, dtype=torch.long).split(B))["labels"] == 20 * B
    assert "labels" not in watched(*torch.arange(3).repeat_interleave(5 * B).split(B))


def test_a_contrast_whose_right_answer_is_always_the_first() -> None:
    with observed() as records:
        loop = Loop()
        for _ in range(14):
            scores = loop.rnn(torch.randn(B, T, 2))[0][:, -1] @ torch.randn(4, B)
            loop.learn(functional.cross_entropy(scores, torch.zeros(B, dtype=torch.long)))
    assert (order(records)["classes"], "labels" in order(records)) == (1, False)


def test_binary_labels_that_are_all_of_one_class() -> None:
    with observed() as records:
        loop = Loop(classes=1)
        for _ in range(14):
            loop.learn(functional.binary_cross_entropy_with_logits(loop.logits(B)[:, -1, 0], torch.zeros(B)))
    assert order(records)["labels"] == 14 * B


def regressed(*targets: torch.Tensor, x: Any = lambda k, rows: torch.randn(rows, T, 2)) -> dict[str, Any]:
    """What is written of a regression on these batches of targets."""
    with observed() as records:
        loop = Loop(classes=1)
        for k, y in enumerate(targets):
            out = loop.head(loop.rnn(x(k, len(y)))[0])[:, -1]
            loop.learn(functional.mse_loss(out if y.dim() > 1 else out[:, 0], y))
    return order(records)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_numbers_that_come_sorted(shape: tuple[int, ...]) -> None:
    found = regressed(*torch.randn(16 * B).sort().values.reshape(shape).split(B))
    assert (found["updates"], found["numbers"]) == (16, True)
    assert found["within"] > 0.9
    assert found["alike"] > 0.7
    assert found["chance"] < 0.01


def test_numbers_in_blocks_and_in_a_small_buffer() -> None:
    ordered = torch.randn(40 * B).sort().values.split(8 * B)
    blocks = torch.cat([ordered[k] for k in (3, 0, 4, 2, 1)])
    buffered = torch.cat([block[torch.randperm(8 * B)] for block in ordered])
    for targets in (blocks, buffered):
        found = regressed(*targets.split(B))
        assert found["within"] > 0.5
        assert found["alike"] > 0.5
        assert found["chance"] < 0.01


def test_numbers_in_random_order() -> None:
    found = regressed(*torch.randn(20 * B).split(B))
    assert abs(found["within"]) < 0.25
    assert found["chance"] > 0.01


def test_numbers_of_windows_that_move_along_a_series() -> None:
    series = torch.sin(torch.arange(400.0) / 30)
    starts = torch.arange(16 * B)
    found = regressed(
        *series[starts + T].split(B),
        x=lambda k, rows: (
            series[k * B + torch.arange(rows)[:, None] + torch.arange(T)].unsqueeze(2).repeat(1, 1, 2)
        ),
    )
    assert (found["updates"], found["absent"]) == (0, SERIES)


def test_the_unit_and_the_zero_of_numbers_do_not_matter() -> None:
    numbers = torch.randn(20 * B).sort().values.double()
    plain, moved = (
        compared_levels([level(batch.tolist()) for batch in each.split(B)])
        for each in (numbers, 1000 - 7 * numbers)
    )
    assert plain == pytest.approx(moved)


def test_numbers_that_are_all_one() -> None:
    found = compared_levels([level([3.1] * B)] * 20)
    assert found == {"updates": 20, "numbers": True}


def test_numbers_within_an_update_by_chance() -> None:
    dice = random.Random(5)
    found = []
    for _ in range(60):
        told = compared_levels([level([dice.gauss(5, 2) for _ in range(16)]) for _ in range(40)])
        found.append(told["within"])
    assert abs(sum(found) / len(found)) < 0.02
    assert max(found) < 0.25


def test_too_few_updates() -> None:
    assert watched(*torch.arange(3).repeat_interleave(B).split(B))["absent"] == FEW


def test_batches_that_make_one_update_are_one() -> None:
    with observed() as records:
        loop = Loop()
        for _ in range(12):
            loop.optimizer.zero_grad()
            for label in (0, 1, 2):
                functional.cross_entropy(loop.logits(B)[:, -1], torch.full((B,), label)).backward()
            loop.optimizer.step()
    found = order(records)
    assert (found["updates"], found["classes"], found["distance"]) == (12, 3, 0)


def test_labels_of_steps_are_none_of_sequences() -> None:
    with observed() as records:
        loop = Loop()
        for _ in range(14):
            target = torch.randint(3, (B, T))
            loop.learn(functional.cross_entropy(loop.logits(B).flatten(0, 1), target.flatten()))
    assert order(records)["absent"] == BY_STEP


def test_losses_step_by_step_are_none_of_sequences() -> None:
    with observed() as records:
        loop = Loop()
        for _ in range(14):
            logits, target = loop.logits(B), torch.randint(3, (B, T))
            losses = [functional.cross_entropy(logits[:, t], target[:, t]) for t in range(T)]
            loop.learn(torch.stack(losses).mean())
    assert order(records)["absent"] == SEVERAL


def test_binary_labels() -> None:
    with observed() as records:
        loop = Loop(classes=1)
        for label in torch.tensor([0.0, 1.0]).repeat_interleave(8):
            loop.learn(functional.binary_cross_entropy_with_logits(loop.logits(B)[:, -1], label.expand(B, 1)))
    assert order(records)["classes"] == 2
    assert order(records)["alike"] > 0.8


def given(batches: Any, steps: int = 12) -> dict[str, Any]:
    """What is written of a training by what `batches` makes of a loader's iterators."""
    with observed() as records:
        loop = Loop()
        x = torch.randn(64, T, 2)
        loader: Any = DataLoader(TensorDataset(x, x.sum((1, 2)).unsqueeze(1)), batch_size=B)
        for x, y in batches(loader, steps):
            loop.learn(functional.mse_loss(loop.head(loop.rnn(x)[0])[:, -1, :1], y))
    return order(records)


def test_the_first_batch_again_and_again() -> None:
    found = given(lambda loader, steps: (next(iter(loader)) for _ in range(steps)))
    assert (found["loader"], found["given"], found["repeated"]) == (0, 11, 11)


def test_an_epoch_and_the_next() -> None:
    found = given(lambda loader, steps: (batch for _ in range(2) for batch in loader))
    assert (found["given"], found.get("repeated", 0)) == (15, 0)


def test_one_batch_that_the_script_keeps_was_given_once() -> None:
    found = given(lambda loader, steps: [next(iter(loader))] * steps)
    assert "given" not in found


def test_neither_labels_nor_numbers_are_written() -> None:
    found = watched(*torch.arange(3).repeat_interleave(5 * B).split(B))
    statistics = {"record", "step", "updates", "classes", "distance", "alike", "within", "chance"}
    assert set(found) <= statistics | {"classified", "targets", "looked", "different"}


def test_labels_within_an_update_alike_however_rare() -> None:
    pure = [Counter({0: 8})] * 40 + [Counter({1: 8})] * 2
    found = compared([Counter(c) for c in pure])
    assert found["distance"] < 0.1
    assert found["within"] == pytest.approx(1)
    assert (
        compared([Counter({k % 3: 1}) for k in range(20)]).get("within") is None
    )  # of one label nothing is told


def test_labels_of_a_random_order_are_not_alike_within_an_update() -> None:
    """By chance the correlation lies about 0, of rare classes as of others."""
    dice = random.Random(5)
    for share in (0.5, 0.1, 0.02):
        found = []
        for _ in range(60):
            labels = [float(dice.random() < share) for _ in range(40 * 16)]
            told = compared([Counter(labels[k : k + 16]) for k in range(0, len(labels), 16)])
            found.append(told.get("within", 0.0))
        assert abs(sum(found) / len(found)) < 0.02
        assert max(found) < 0.25


class Written(nn.Module):
    """A recurrence written by hand, and what of it answers."""

    def __init__(self, carries: bool = False) -> None:
        super().__init__()
        self.cell, self.head = nn.Linear(2 + 4, 4), nn.Linear(4, 3)
        self.carries = carries
        self.left = torch.zeros(B, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, states = self.left if self.carries else torch.zeros(len(x), 4), []
        for t in range(x.shape[1]):
            h = torch.tanh(self.cell(torch.cat([x[:, t], h], 1)))
            states.append(h)
        self.left = h.detach()
        return self.head(torch.stack(states, 1))


def by_hand(labels: Any, answer: Any = lambda out: out[:, -1], carries: bool = False) -> dict[str, Any]:
    """What is written of a hand-written recurrence that is trained on these batches of labels."""
    with observed() as records:
        net = Written(carries)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for batch in labels:
            optimizer.zero_grad()
            functional.cross_entropy(answer(net(torch.randn(len(batch), T, 2))), batch.flatten()).backward()
            optimizer.step()
    return order(records)


def test_labels_of_a_hand_written_recurrence() -> None:
    found = by_hand(torch.arange(3).repeat_interleave(5 * B).split(B))
    assert (found["updates"], found["classes"]) == (15, 3)
    assert found["within"] == pytest.approx(1)
    assert found["alike"] == pytest.approx(1 - (2 / 14) / (10 / 14))


def test_a_hand_written_recurrence_that_goes_on_where_it_ended() -> None:
    found = by_hand(torch.arange(3).repeat_interleave(5 * B).split(B), carries=True)
    assert (found["updates"], found["absent"]) == (0, CARRIED)


def test_the_last_batch_of_a_pass_is_smaller() -> None:
    labels = torch.randint(3, (30,)).split(B)
    assert by_hand([*labels, *labels, *labels, *labels])["updates"] == 16


def test_labels_of_its_steps_are_none_of_sequences() -> None:
    found = by_hand([torch.randint(3, (B, T)) for _ in range(14)], lambda out: out.flatten(0, 1))
    assert (found["updates"], found["absent"]) == (0, BY_STEP)


class TwoHeads(Loop):
    """A classifier that also tells a number of each sequence, from labels class after class."""

    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Linear(4, 1)
        self.optimizer.add_param_group({"params": list(self.other.parameters())})

    def losses(self, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        states = self.rnn(torch.randn(len(labels), T, 2))[0][:, -1]
        number = functional.mse_loss(self.other(states).squeeze(1), torch.randn(len(labels)))
        return functional.cross_entropy(self.head(states), labels), number


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("class_first", [False, True])
def test_a_number_that_is_learned_beside_a_class_leaves_its_labels(apart: bool, class_first: bool) -> None:
    """apart: each loss has a backward pass of its own, once both are computed."""
    with observed() as records:
        loop = TwoHeads()
        for labels in torch.arange(3).repeat_interleave(5 * B).split(B):
            both = loop.losses(labels)
            first, second = both if class_first else both[::-1]
            loop.optimizer.zero_grad()
            if apart:
                first.backward(retain_graph=True)
                second.backward()
            else:
                (first + second).backward()
            loop.optimizer.step()
    found = order(records)
    assert (found["updates"], found["classes"]) == (15, 3)
    assert found["chance"] < 0.01


def test_two_classes_of_each_sequence_are_not_told() -> None:
    with observed() as records:
        loop = Loop()
        for labels in torch.arange(3).repeat_interleave(5 * B).split(B):
            logits = loop.logits(len(labels))
            losses = [functional.cross_entropy(logits[:, t], labels) for t in (0, 1)]
            loop.learn(torch.stack(losses).mean())
    assert order(records)["absent"] == SEVERAL


def kept(takes: str, labels: torch.Tensor, rows: int = 4 * B, shuffle: bool = False) -> dict[str, Any]:
    """A loop over a loader that learns from the batch that it took before, or from the loop's own."""
    with observed() as records:
        loop = Loop()
        inputs = loop.head.weight.new_zeros(rows).normal_(generator=torch.Generator().manual_seed(1))
        loader = DataLoader(TensorDataset(inputs, labels), batch_size=B, shuffle=shuffle)
        before = next(iter(loader))
        for _ in range(8):
            for batch in loader:
                targets = (before if takes == "before" else batch)[1]
                if takes == "made":
                    targets = torch.arange(B) % 3
                loop.learn(functional.cross_entropy(loop.logits(B)[:, -1], targets))
    return order(records)


def some_labels() -> torch.Tensor:
    return torch.randint(0, 3, (4 * B,), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("shuffle", "least"), [(True, 3), (False, 2)])
def test_a_batch_that_was_kept_before_the_loop(shuffle: bool, least: int) -> None:
    """Not shuffled the first batch of each pass is the same, which tells nothing."""
    assert kept("before", some_labels(), shuffle=shuffle)["first"] >= least


@pytest.mark.parametrize("takes", ["own", "made"])
def test_a_loop_that_takes_its_own_batch_or_makes_its_targets(takes: str) -> None:
    assert "first" not in kept(takes, some_labels())


def test_targets_that_are_alike_in_all_batches_tell_of_none() -> None:
    assert "first" not in kept("before", torch.zeros(4 * B, dtype=torch.long))
    assert "first" not in kept("before", torch.arange(B).repeat(4) % 3), (
        "a sampler that gives each class its place"
    )
