"""Losses of single examples against losses that are computed one example at a time."""

# mypy: disable-error-code="no-untyped-call"

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from rnn_doctor.capture.probe.sensors.examples import Rows, by_example, rows
from tests.capture.records import observed

B, T, C = 6, 4, 3


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def split(function: str, output: torch.Tensor, target: torch.Tensor, layout: Rows, **options: Any) -> Any:
    result = getattr(functional, function)(output, target, **options)
    return by_example(function, output, target, result, options, layout)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("flat", [True, False])
def test_tokens_are_put_together_by_sequence(batch_first: bool, flat: bool) -> None:
    logits, target = torch.randn(B, T, C), torch.randint(0, C, (B, T))
    target[:, -1] = -100
    target[0, 1] = -100
    wanted = [functional.cross_entropy(logits[b], target[b]) for b in range(B)]
    if not batch_first:
        logits, target = logits.transpose(0, 1), target.t()
    shown = (logits.reshape(-1, C), target.reshape(-1)) if flat else (logits.permute(0, 2, 1), target)
    found = split("cross_entropy", *shown, Rows(B, T, batch_first))
    assert found == pytest.approx(torch.stack(wanted))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    "function", ["mse_loss", "l1_loss", "binary_cross_entropy_with_logits", "binary_cross_entropy"]
)
def test_losses_of_numbers(function: str, reduction: str) -> None:
    output, target = torch.rand(B, 2), torch.rand(B, 2)
    wanted = [getattr(functional, function)(output[b], target[b]) for b in range(B)]
    found = split(function, output, target, Rows(B, T, True), reduction=reduction)
    assert found == pytest.approx(torch.stack(wanted))


def test_label_smoothing_is_part_of_the_loss() -> None:
    logits, target = torch.randn(B, C), torch.randint(0, C, (B,))
    wanted = [functional.cross_entropy(logits[b], target[b], label_smoothing=0.1) for b in range(B)]
    found = split("cross_entropy", logits, target, Rows(B, T, True), label_smoothing=0.1)
    assert found == pytest.approx(torch.stack(wanted))


@pytest.mark.parametrize(("trained", "validated"), [(0.2, 0.0), (0.2, 0.2), (0.0, 0.2), (None, None)])
def test_training_examples_are_held_against_the_evaluation_with_its_smoothing(
    trained: float | None, validated: float | None
) -> None:
    """Else no training loss comes below that of the smoothed labels, and no network seems to know them by heart."""
    with observed() as records:
        gru, head = nn.GRU(2, 5, batch_first=True), nn.Linear(5, C)
        optimizer = torch.optim.SGD([*gru.parameters(), *head.parameters()], lr=0.0)
        x, y = torch.randn(48, T, 2), torch.randint(0, C, (48,))

        def loss(a: torch.Tensor, b: torch.Tensor, smoothing: float | None) -> torch.Tensor:
            options: Any = {} if smoothing is None else {"label_smoothing": smoothing}
            return functional.cross_entropy(head(gru(a)[0][:, -1]), b, **options)

        train, valid = (
            DataLoader(TensorDataset(x[:24], y[:24]), 8),
            DataLoader(TensorDataset(x[24:], y[24:]), 8),
        )
        for _ in range(3):
            for a, b in train:
                optimizer.zero_grad()
                loss(a, b, trained).backward()
                optimizer.step()
            with torch.no_grad():
                for a, b in valid:
                    loss(a, b, validated)
        wanted = float(loss(x[:24], y[:24], validated).detach())
    found = [e for e in records.of("evaluation") if "trained" in e]
    assert found[1]["trained"]["mean"] == pytest.approx(wanted, rel=1e-4)


def test_what_does_not_fall_into_examples_is_left_alone() -> None:
    logits, target = torch.randn(B, C), torch.randint(0, C, (B,))
    weighted = functional.cross_entropy(logits, target, torch.tensor([1.0, 5.0, 0.1]))
    assert by_example("cross_entropy", logits, target, weighted, {}, Rows(B, T, True)) is None
    assert split("cross_entropy", logits, target, Rows(4, T, True)) is None  # 6 are no batch of 4
    assert split("poisson_nll_loss", logits, torch.rand(B, C), Rows(B, T, True)) is None
    assert split("cross_entropy", logits, target, Rows(B, T, True), reduction="none") is None
    assert split("mse_loss", torch.full((B, 1), torch.inf), torch.zeros(B, 1), Rows(B, T, True)) is None


def test_layouts() -> None:
    x = torch.zeros(B, T, 2)
    assert rows(nn.GRU(2, 3, batch_first=True), x) == Rows(B, T, True)
    assert rows(nn.GRU(2, 3), x) == Rows(T, B, False)
    assert rows(nn.GRUCell(2, 3), x[:, 0]) == Rows(B, 1, True)
    assert rows(nn.GRU(2, 3), x[0]) is None
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([4, 4, 3, 2, 2, 1]), batch_first=True)
    assert rows(nn.GRU(2, 3, batch_first=True), packed) == Rows(B, T, True)


def _watched(shuffled: bool = False, by_step: bool = False) -> tuple[list[dict[str, Any]], list[list[float]]]:
    """The evaluations of three epochs, and the losses of their examples as the script could have computed them."""
    each: list[list[float]] = []
    with observed() as records:
        cell: Any = nn.GRUCell(2, 5) if by_step else nn.GRU(2, 5, batch_first=True)
        head = nn.Linear(5, 1)
        optimizer = torch.optim.SGD([*cell.parameters(), *head.parameters()], lr=0.3)
        x, y = torch.randn(40, T, 2), torch.randn(40, 1)
        train = DataLoader(TensorDataset(x[:24], y[:24]), 8)
        valid = DataLoader(TensorDataset(x[24:], y[24:]), 8, shuffle=shuffled)

        def loss(a: torch.Tensor, b: torch.Tensor) -> Any:
            if not by_step:
                return functional.mse_loss(head(cell(a)[0][:, -1]), b)
            h, total = torch.zeros(len(a), 5), torch.zeros(())
            for t in range(T):
                h = cell(a[:, t], h)
                total = total + functional.mse_loss(head(h), b)
            return total

        for _ in range(3):
            for a, b in train:
                optimizer.zero_grad()
                loss(a, b).backward()
                optimizer.step()
            with torch.no_grad():
                seen = [(a, b, loss(a, b)) for a, b in valid]
                if not by_step:
                    a, b = torch.cat([s[0] for s in seen]), torch.cat([s[1] for s in seen])
                    each.append(((head(cell.forward(a)[0][:, -1]) - b) ** 2)[:, 0].tolist())
    assert records.of("sensor_off") == []
    return [e for e in records.of("evaluation") if "loss" in e], each


def test_an_evaluation_is_held_against_the_best_example_by_example() -> None:
    found, each = _watched()
    now, before = torch.tensor(each[1]), torch.tensor(each[0])
    assert [e["examples"]["count"] for e in found] == [16, 16, 16]
    assert found[1]["examples"]["mean"] == pytest.approx(float(now.mean()), rel=1e-4)
    assert found[1]["examples"]["std"] == pytest.approx(float(now.std()), rel=1e-4)
    assert "rise" not in found[0]
    rise = found[1]["rise"]
    assert rise["best_step"] == 3
    assert rise["paired"]
    assert rise["mean"] == pytest.approx(float((now - before).mean()), rel=1e-3, abs=1e-6)
    assert rise["error"] == pytest.approx(float((now - before).std()) / 4, rel=1e-3)
    # Whether a loader trains is not known before its first backward pass.
    assert [e["trained"]["count"] for e in found] == [16, 24, 24]


def test_examples_in_another_order_are_no_pairs() -> None:
    found, each = _watched(shuffled=True)
    assert [e["rise"]["paired"] for e in found[1:]] == [False, False]
    rise = found[1]["rise"]
    now, before = ([v - sum(losses) / 16 for v in losses] for losses in (each[1], each[0]))
    error = (sum(v**2 for v in now) + sum(v**2 for v in before)) / 15 / 16
    assert rise["error"] == pytest.approx(error**0.5, rel=1e-3)


def test_one_loss_a_step_makes_one_example_a_sequence() -> None:
    found, _ = _watched(by_step=True)
    assert [e["examples"]["count"] for e in found] == [16, 16, 16]
    assert [e["trained"]["count"] for e in found] == [16, 24, 24]


def test_a_library_that_takes_batches_in_advance_mixes_no_examples() -> None:
    with observed() as records:
        gru, head = nn.GRU(2, 5, batch_first=True), nn.Linear(5, 1)
        optimizer = torch.optim.SGD([*gru.parameters(), *head.parameters()], lr=0.1)
        x, y = torch.randn(40, T, 2), torch.randn(40, 1)

        def loss(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return functional.mse_loss(head(gru(a)[0][:, -1]), b)

        for a, b in DataLoader(TensorDataset(x, y), 8):
            optimizer.zero_grad()
            loss(a, b).backward()
            optimizer.step()
        ahead = list(DataLoader(TensorDataset(x[:24], y[:24]), 8))
        with torch.no_grad():
            wanted = torch.stack([loss(a, b) for a, b in ahead]).mean()
    (found,) = records.of("evaluation")
    assert found["examples"]["count"] == 24
    assert found["examples"]["mean"] == pytest.approx(float(wanted), rel=1e-5)
