"""Validation and training told apart by what is learned from."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)

from rnn_doctor.capture.probe.sensors.written_losses import _is_loss
from tests.capture.looking_ahead import one_ahead
from tests.capture.records import Observation, observed

Loader = DataLoader[tuple[torch.Tensor, ...]]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Loop:
    """Training and validation on loaders of their own."""

    def __init__(self) -> None:
        self.gru, self.head = nn.GRU(2, 4, batch_first=True), nn.Linear(4, 1)
        self.optimizer = torch.optim.SGD([*self.gru.parameters(), *self.head.parameters()], lr=0.1)
        self.training = self.loader(12, shuffle=True)
        self.validation = self.loader(8, shuffle=False)

    def loader(self, count: int, shuffle: bool) -> Loader:
        return DataLoader(TensorDataset(torch.randn(count, 5, 2), torch.randn(count, 1)), 4, shuffle=shuffle)

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(self.head(self.gru(x)[0][:, -1]), y)

    def train(self) -> None:
        self.gru.train()
        for x, y in self.training:
            self.optimizer.zero_grad()
            self.loss(x, y).backward()
            self.optimizer.step()

    def mean(self, batches: Iterable[Any]) -> float:
        values = [self.loss(x, y).item() for x, y in batches]
        return sum(values) / len(values)


def evaluations(records: Observation) -> list[dict[str, Any]]:
    assert records.of("sensor_off") == []
    return records.of("evaluation")


@pytest.mark.parametrize("no_grad", [True, False])
@pytest.mark.parametrize("eval_mode", [True, False])
def test_a_validation_after_each_epoch(no_grad: bool, eval_mode: bool) -> None:
    means = []
    with observed() as records:
        loop = Loop()
        for _ in range(3):
            loop.train()
            loop.gru.train(not eval_mode)
            with torch.set_grad_enabled(not no_grad):
                means.append(loop.mean(loop.validation))
    found = evaluations(records)
    assert [e["step"] for e in found] == [3, 6, 9]
    assert [e["loss"] for e in found] == pytest.approx(means, rel=1e-5)
    assert {(e["batches"], e["loader"], e["on_training_data"]) for e in found} == {(2, 1, False)}
    assert {e["training_mode"] for e in found} == {not eval_mode}
    loaders = {r["id"]: r for r in records.of("loader")}
    assert [loaders[n].get("trains", False) for n in (0, 1)] == [True, False]
    assert [loaders[n]["shuffled"] for n in (0, 1)] == [True, False]
    assert [(loaders[n]["samples"], loaders[n]["batch_size"]) for n in (0, 1)] == [(12, 4), (8, 4)]
    trains = [r for r in records.of("loader") if r.get("trains")]
    assert [(r["given"], r["passes"]) for r in trains] == [(1, 1), (3, 2), (6, 3)]
    assert "given" not in loaders[1]


@pytest.mark.parametrize("no_grad", [True, False])
@pytest.mark.parametrize("count", [8, 4])
def test_the_last_batch_of_a_library_that_looks_ahead_is_of_the_same_validation(
    no_grad: bool, count: int
) -> None:
    means = []
    with observed() as records:
        loop = Loop()
        loop.validation = loop.loader(count, shuffle=False)
        for _ in range(2):
            loop.train()
            with torch.set_grad_enabled(not no_grad):
                means.append(loop.mean(one_ahead(loop.validation)))
        loop.train()
    found = evaluations(records)
    assert [e["loss"] for e in found] == pytest.approx(means, rel=1e-5)
    assert {(e["batches"], e["loader"], e["examples"]["count"]) for e in found} == {(count // 4, 1, count)}


def test_a_loader_that_a_library_makes_anew_and_keeps_is_the_same_validation() -> None:
    """As Hugging Face's Trainer, whose Accelerator keeps every loader, and hands batches of samples to each."""
    with observed() as records:
        loop = Loop()
        dataset, kept = loop.validation.dataset, []
        for _ in range(3):
            loop.train()
            batches = BatchSampler(SequentialSampler(dataset), 4, drop_last=False)  # type: ignore[arg-type]
            kept.append(DataLoader(dataset, batch_sampler=batches))
            with torch.no_grad():
                loop.mean(kept[-1])
        loop.train()
    assert [(e["loader"], e["batches"]) for e in evaluations(records)] == [(1, 2)] * 3


def test_samplers_that_share_one_dataset_out_are_two_loaders() -> None:
    with observed() as records:
        loop = Loop()
        dataset, kept = loop.training.dataset, []
        for part in (range(4), range(4, 8)):
            loop.train()
            kept.append(DataLoader(dataset, 4, sampler=SubsetRandomSampler(list(part))))
            with torch.no_grad():
                loop.mean(kept[-1])
        loop.train()
    assert [e["loader"] for e in evaluations(records)] == [1, 2]


@pytest.mark.parametrize(
    ("sampler", "shuffled"), [(RandomSampler, True), (SequentialSampler, False), (list, None)]
)
def test_the_order_of_given_batches_is_that_of_their_sampler(sampler: Any, shuffled: bool | None) -> None:
    """Accelerate hands loaders a sampler of batches; what torch puts beside it is used by nobody."""
    with observed() as records:
        loop = Loop()
        dataset: Any = loop.training.dataset
        own = (
            [[k, k + 1] for k in range(0, 12, 2)]
            if sampler is list
            else BatchSampler(sampler(dataset), 2, False)
        )
        loop.training = DataLoader(dataset, batch_sampler=own)
        loop.train()
    told = records.of("loader")[-1]
    assert (told.get("shuffled"), told.get("batch_size")) == (shuffled, None if sampler is list else 2)


def test_the_folds_of_a_cross_validation_are_held_against_themselves_alone() -> None:
    dataset = TensorDataset(torch.randn(12, 5, 2), torch.randn(12, 1))
    with observed() as records:
        for fold in range(3):
            held_out = set(range(4 * fold, 4 * fold + 4))
            loop = Loop()
            loop.training = DataLoader(Subset(dataset, [k for k in range(12) if k not in held_out]), 4)
            loop.validation = DataLoader(Subset(dataset, sorted(held_out)), 4)
            for _ in range(2):
                loop.train()
                with torch.no_grad():
                    loop.mean(loop.validation)
    found = evaluations(records)
    assert [e["rise"]["best_step"] if "rise" in e else None for e in found] == [None, 2, None, 6, None, 10]
    assert records.of("shared_examples")[-1]["held_out_seen"] == 0


def test_what_is_evaluated_after_a_validation_is_of_no_loader() -> None:
    """All of its batches were used: what comes next is other data."""
    with observed() as records, torch.no_grad():
        loop = Loop()
        with torch.enable_grad():
            loop.train()
        loop.mean(loop.validation)
        loop.loss(torch.randn(3, 5, 2), torch.randn(3, 1))
        with torch.enable_grad():
            loop.train()
    assert [(e.get("loader"), e["batches"]) for e in evaluations(records)] == [(None, 1), (1, 2)]


@pytest.mark.parametrize("same", [True, False])
def test_what_is_evaluated_between_two_batches_is_training_data_if_it_is_the_batch(same: bool) -> None:
    means = []
    with observed() as records:
        loop = Loop()
        held_out = torch.randn(4, 5, 2), torch.randn(4, 1)
        for x, y in loop.training:
            loop.loss(x, y).backward()
            loop.optimizer.step()
            with torch.no_grad():
                means.append(loop.loss(x, y.clone()).item() if same else loop.loss(*held_out).item())
    found = evaluations(records)
    assert [e["loss"] for e in found] == pytest.approx(means, rel=1e-5)
    assert {(e["batches"], e.get("loader"), e["on_training_data"]) for e in found} == {
        (1, 0 if same else None, same)
    }


def test_an_evaluation_on_training_data_is_said_so() -> None:
    with observed() as records:
        loop = Loop()
        loop.train()
        with torch.no_grad():
            mean = loop.mean(loop.training)
        loop.train()
    (found,) = evaluations(records)
    assert (found["step"], found["loader"], found["on_training_data"]) == (3, 0, True)
    assert found["loss"] == pytest.approx(mean, rel=1e-5)


def test_two_validations_are_kept_apart() -> None:
    with observed() as records:
        loop = Loop()
        loop.train()
        other = loop.loader(16, shuffle=False)
        with torch.no_grad():
            means = [loop.mean(loop.validation), loop.mean(other)]
    found = evaluations(records)
    assert [e["loss"] for e in found] == pytest.approx(means, rel=1e-5)
    assert [(e["loader"], e["batches"]) for e in found] == [(1, 2), (2, 4)]


def test_without_a_loader_a_loss_without_gradients_is_an_evaluation() -> None:
    with observed() as records:
        loop = Loop()
        loop.train()
        with torch.no_grad():
            value = loop.loss(torch.randn(4, 5, 2), torch.randn(4, 1)).item()
    (found,) = evaluations(records)
    assert found["loss"] == pytest.approx(value, rel=1e-5)
    assert "loader" not in found


def test_a_training_loss_that_is_not_used_is_no_evaluation() -> None:
    with observed() as records:
        loop = Loop()
        for x, y in loop.training:
            loop.loss(x, y)  # for a progress bar
            loop.optimizer.zero_grad()
            loop.loss(x, y).backward()
            loop.optimizer.step()
    assert evaluations(records) == []


@pytest.mark.parametrize("no_grad", [True, False])
@pytest.mark.parametrize("learned", [True, False])
def test_the_loss_of_a_part_that_rests_is_no_evaluation(learned: bool, no_grad: bool) -> None:
    with observed() as records:
        loop = Loop()
        for _ in range(3):
            for x, y in loop.training:
                loop.optimizer.zero_grad()
                output = loop.head(loop.gru(x)[0][:, -1])
                rests = functional.l1_loss(output, y)
                (
                    functional.mse_loss(output, y) + learned * rests if learned else output.abs().mean()
                ).backward()
                loop.optimizer.step()
            with torch.set_grad_enabled(not no_grad):
                for x, y in loop.validation:
                    functional.l1_loss(loop.head(loop.gru(x)[0][:, -1]), y)
    assert ["loss" in each for each in evaluations(records)] == [learned] * (3 if learned or no_grad else 0)


def test_a_loss_computed_before_the_first_backward_pass_is_training() -> None:
    # Until its loader has trained, a loss with a graph may be one of an accumulation.
    with observed() as records:
        loop = Loop()
        total = sum((loop.loss(x, y) for x, y in loop.training), torch.zeros(()))
        total.backward()
        loop.optimizer.step()
    assert evaluations(records) == []


def test_forward_calls_without_a_loss() -> None:
    with observed() as records:
        loop = Loop()
        loop.train()
        loop.gru.eval()
        with torch.no_grad():
            for x, _ in loop.validation:
                loop.gru(x)
    (found,) = evaluations(records)
    assert "loss" not in found
    assert (found["batches"], found["training_mode"], found["loader"]) == (2, False, 1)


def _by_hand(loop: Loop, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    error: torch.Tensor = loop.head(loop.gru(x)[0][:, -1]) - y
    return (error**2).mean()


def test_a_loss_that_is_written_by_hand_is_what_is_read_out_under_that_name() -> None:
    total, right = 0.0, 0.0
    with observed() as records:
        loop = Loop()
        loop.train()
        with torch.no_grad():
            for x, y in loop.validation:
                accuracy = (loop.gru(x)[0][:, -1, :1].sign() == y.sign()).float().mean()
                right += accuracy.item()
                val_loss = _by_hand(loop, x, y)
                total += val_loss.item() * len(x)
        loop.train()
        batch_loss = torch.zeros(())
        batch_loss.item()  # nothing is evaluated any more
    (found,) = evaluations(records)
    assert found["loss"] == pytest.approx(total / 8, rel=1e-5)
    assert (found["batches"], found["loader"]) == (2, 1)


def test_an_accuracy_that_is_formatted_on_the_line_of_the_training_loss_is_no_loss() -> None:
    """Formatting a tensor reads it out by `.item()` as well, and the line calls its other number a loss."""
    with observed() as records:
        loop = Loop()
        loop.train()
        loss = loop.loss(torch.randn(4, 5, 2), torch.randn(4, 1))
        loss.backward()
        with torch.no_grad():
            for x, y in loop.validation:
                accuracy = (loop.gru(x)[0][:, -1, :1].sign() == y.sign()).float().mean()
                shown = f"loss={loss.item():.3f} accuracy={accuracy:.3f}"
                assert shown.startswith("loss=")
        loop.train()
    assert "loss" not in evaluations(records)[-1]


@pytest.mark.parametrize(
    ("line", "is_loss"),
    [
        ("total += val_loss.item() * len(x)", True),
        ("val_loss += ((out - y) ** 2).mean().item()", True),
        ("self.val_loss = chances.gather(1, y).sum().neg().item() / n", True),
        ("for x, y in loader: losses.append((model(x) - y).abs().mean().item())", True),
        ("losses['val'] += (out - y).pow(2).sum().item()", True),
        ("loss = 1 - dice.mean().item()", False),
        ("nll -= chances.gather(1, y).sum().item()", False),
        ("val_loss = -chances.sum().item()", False),
        ("error_rate = (out != y).float().mean().item()", False),
        ("correct += (out == y).float().sum().item()", False),
        ("val_loss, right = loss_sum.item(), right.item()", False),
        ("((out - y) ** 2).mean().item(),", False),
        ("print(epoch, train_loss.item() / n, accuracy)", False),
        ("history['train_loss'].append((total / n).item())", False),
        ("constraint_loss.item()", True),
        ("for x, y in loader: total += crit(model(x), y).item()", True),
        ("value += critic(states).item()", False),
    ],
)
def test_which_lines_read_a_loss_out(line: str, is_loss: bool) -> None:
    assert _is_loss(line) is is_loss


@pytest.mark.parametrize("by_token", [False, True])
def test_a_loss_that_was_not_reduced_is_one_where_it_has_a_value_for_each_example(by_token: bool) -> None:
    """As Keras computes it, and scripts that weigh their examples. Of tokens some may be padding."""
    means = []
    with observed() as records:
        loop = Loop()
        for _ in range(2):
            for x, y in loop.training:
                loop.optimizer.zero_grad()
                _unreduced(loop, x, y, by_token).mean().backward()
                loop.optimizer.step()
            with torch.no_grad():
                batches = [_unreduced(loop, x, y, by_token) for x, y in loop.validation]
                means.append(float(torch.cat(batches).mean()))
        loop.train()
    found = evaluations(records)
    assert [e.get("loss") for e in found] == ([None] * 2 if by_token else pytest.approx(means, rel=1e-5))
    if not by_token:
        assert [e["examples"]["count"] for e in found] == [8, 8]
        assert found[-1]["rise"]["best_step"] == 3
        assert "trained" in found[-1]


def test_a_loss_without_values_is_none() -> None:
    """As Keras computes it to know shapes."""
    with observed() as records:
        functional.mse_loss(torch.empty(4, 1, device="meta"), torch.empty(4, 1, device="meta"))
        loop = Loop()
        loop.train()
        with torch.no_grad():
            mean = loop.mean(loop.validation)
        loop.train()
    assert [e["loss"] for e in evaluations(records)] == pytest.approx([mean], rel=1e-5)


def _unreduced(loop: Loop, x: torch.Tensor, y: torch.Tensor, by_token: bool) -> torch.Tensor:
    states = loop.gru(x)[0]
    out, target = (states, x.repeat(1, 1, 2)) if by_token else (loop.head(states[:, -1]), y)
    return functional.mse_loss(out.flatten(), target.flatten(), reduction="none")


def test_a_loss_of_torch_goes_before_what_is_read_out() -> None:
    with observed() as records:
        loop = Loop()
        loop.train()
        with torch.no_grad():
            mean = loop.mean(loop.validation)
            other_loss = _by_hand(loop, torch.ones(4, 5, 2), torch.ones(4, 1))
            other_loss.item()
    assert evaluations(records)[-1]["loss"] == pytest.approx(mean, rel=1e-5)
