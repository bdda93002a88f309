"""Losses written out by hand: what they compare, told by the differences that they are made of."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.schema.runlog import LossCall
from tests.capture.records import Observation, observed

N = 8
Compare = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
NAMES = {"__sub__", "sub", "subtract", "dist"}
ORIGINALS = {name: getattr(torch, name) for name in ("sub", "subtract", "dist", "pairwise_distance")}
MASK = torch.arange(N)[:, None] % 3 > 0


def train(compare: Compare, head: Any = torch.relu, updates: int = 1, level: float = 0.0) -> Observation:
    """A linear layer and a last activation, trained by a loss of its output, (N, 1), and targets around `level`."""
    torch.manual_seed(0)
    net = nn.Linear(3, 1)
    targets = torch.linspace(-1, 1, N)[:, None] + level
    with observed() as records:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(updates):
            optimizer.zero_grad()
            compare(head(net(torch.randn(N, 3))), targets).backward()
            optimizer.step()
        assert not NAMES & {
            name for name in vars(torch.Tensor) if vars(torch.Tensor)[name] in ORIGINALS.values()
        }
    assert not {"__sub__", "sub"} & set(vars(torch.Tensor))
    assert all(getattr(torch, name) is original for name, original in ORIGINALS.items())
    assert records.of("sensor_off") == []
    for record in records.of("loss"):
        LossCall(**record)
    return records


FIRST = train.__code__.co_firstlineno
BACKWARD = range(FIRST, FIRST + 24)
"""The lines of `train`: the difference stands elsewhere."""


def pinball(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    error = y - p
    return torch.max(0.3 * error, -0.7 * error).mean()


def chosen(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    error = y - p
    return torch.where(error > 0, 0.3 * error, -0.7 * error).mean()


def huber(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    size = (p - y).abs()
    return torch.where(size < 1, 0.5 * size * size, size - 0.5).mean()


def itself(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    error = y - p
    return (error * error).mean()


def by_steps(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    loss = torch.zeros(())
    for mine, right in zip(p.split(4), y.split(4), strict=True):
        loss = loss + (mine - right).square().mean()
    return loss / 2


@pytest.mark.parametrize(
    "compare",
    [
        lambda p, y: ((p - y) ** 2).mean(),
        lambda p, y: (y - p).square().sum() / N,
        lambda p, y: p.sub(y).pow(2).mean(),
        lambda p, y: torch.sub(p, y).abs().mean(),
        lambda p, y: torch.mean(torch.subtract(y, other=p) ** 2),
        lambda p, y: torch.sqrt(((p - y) ** 2).mean() + 1e-8),
        lambda p, y: ((p - y) ** 2)[MASK].mean(),
        lambda p, y: (((p - y) ** 2) * MASK).sum() / MASK.sum(),
        lambda p, y: (torch.rand(N, 1) * (p - y) ** 2).mean() + 0.1 * p.square().mean(),
        lambda p, y: torch.log(torch.cosh(p - y)).mean(),
        lambda p, y: torch.norm(p - y),
        lambda p, y: torch.linalg.norm(p - y, dim=1).mean(),
        lambda p, y: torch.dist(p, y, p=2),
        lambda p, y: functional.pairwise_distance(p, y).mean(),
        lambda p, y: torch.stack([((a - b) ** 2).mean() for a, b in zip(p, y, strict=True)]).mean(),
        lambda p, y: ((p - y) / 3).abs().mean(),
        pinball,
        chosen,
        huber,
        itself,
        by_steps,
    ],
)
def test_how_much_of_the_targets_is_out_of_reach(compare: Compare) -> None:
    (record,) = train(compare).of("loss")
    assert (record["function"], record["head"]) == ("expression", "relu")
    reach = record["reach"]
    assert (reach["operation"], reach["low"]) == ("ReLU", 0)
    assert reach["beyond"] == (0.5 if record["input_shape"] == [N, 1] else pytest.approx(0.5, abs=0.5))
    assert record["location"]["file"].endswith("test_differences.py")
    assert record["location"]["line"] not in BACKWARD


@pytest.mark.parametrize(
    "compare",
    [
        lambda p, y: p.mean() - (p - y).mean() + p.square().mean(),  # signed: its least is nowhere
        lambda p, y: torch.relu(p - y).mean(),  # a hinge, whose target is a limit
        lambda p, y: torch.maximum(p - y, torch.zeros(N, 1)).mean(),
        lambda p, y: ((p - y.requires_grad_()) ** 2).mean(),  # both learn
        lambda p, y: torch.sigmoid(p - y).square().mean(),  # a layer's own work
        lambda p, y: (1 - p).square().mean(),
        lambda p, y: functional.mse_loss(p, (y - y.mean()) / y.std()),
    ],
)
def test_what_is_no_such_loss(compare: Compare) -> None:
    found = train(compare).of("loss")
    assert all(
        record["target_shape"] is None or record["function"] == "mse_loss" for record in map(_whole, found)
    )


def _whole(record: dict[str, Any]) -> dict[str, Any]:
    return {"target_shape": None, **record}


@pytest.mark.parametrize(
    ("compare", "baseline"),
    [
        (lambda p, y: ((p - y) ** 2).mean(), 0.4286),
        (itself, 0.4286),
        (lambda p, y: (y - p).abs().mean(), 0.5714),
        (lambda p, y: ((p - y) ** 2).sum(), None),
        (lambda p, y: ((p - y) ** 3).mean(), None),
        (lambda p, y: ((p - y) ** 2).mean() + p.mean(), None),
    ],
)
def test_the_best_constant_answer_where_the_loss_is_like_one_of_torchs(
    compare: Compare, baseline: float | None
) -> None:
    (record,) = map(_whole, train(compare).of("loss"))
    assert record.get("baseline") == (None if baseline is None else pytest.approx(baseline, abs=1e-3))
    assert record["target_std"] == pytest.approx(0.6547, abs=1e-3)


def test_scales_are_told() -> None:
    (record,) = train(lambda p, y: ((p - y) ** 2).mean(), head=lambda x: x, level=300.0).of("loss")
    assert record["target_mean"] == pytest.approx(300.0)
    assert abs(record["mean"]) < 3
    assert record.get("reach") is None


def test_every_sampled_update_tells_of_the_same_line() -> None:
    found = train(lambda p, y: ((p - y) ** 2).mean(), updates=9).of("loss")
    assert [(r["step"], r["site"]) for r in found] == [(1, 0), (3, 0), (8, 0)]


def test_whole_numbers_are_targets_too() -> None:
    found = train(lambda p, y: ((p - (3 * y).long()) ** 2).mean()).of("loss")
    assert found[0]["reach"]["beyond"] == pytest.approx(3 / 8)


def test_shapes_that_do_not_fit() -> None:
    (record,) = train(lambda p, y: ((p - y[:, 0]) ** 2).mean()).of("loss")
    assert (record["broadcast"], record["input_shape"], record["target_shape"]) == (True, [N, 1], [N])


LABELS = torch.arange(N) % 3
ROWS = torch.arange(N)


@pytest.mark.parametrize(
    "written",
    [
        lambda p: -functional.log_softmax(p, 1)[ROWS, LABELS].mean(),
        lambda p: -p.log_softmax(-1).gather(1, LABELS[:, None]).squeeze(1).mean(),
        lambda p: -(functional.one_hot(LABELS, 3) * torch.log_softmax(p, dim=1)).sum(1).mean() / 2,
        lambda p: torch.stack(
            [-torch.log_softmax(row, 0)[k] for row, k in zip(p, LABELS, strict=True)]
        ).sum(),
    ],
)
def test_a_softmax_before_the_one_of_the_loss_itself(written: Callable[[torch.Tensor], torch.Tensor]) -> None:
    def told(head: Any) -> list[dict[str, Any]]:
        net = nn.Linear(3, 3)
        with observed() as records:
            optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
            written(head(net(torch.randn(N, 3)))).backward()
            optimizer.step()
        assert records.of("sensor_off") == []
        return records.of("loss")

    (record,) = told(lambda x: x.softmax(1))
    assert (record["head"], record["beneath"], record["input_shape"][-1]) == ("log_softmax", "softmax", 3)
    assert not any(
        told(head) for head in (lambda x: x, torch.tanh, lambda x: x.softmax(1) @ torch.randn(3, 3))
    )


def test_what_a_loss_function_is_given_by_the_activation_before_the_last() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Softmax(1), nn.LogSoftmax(1))
    with observed() as records:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        functional.nll_loss(net(torch.randn(N, 3)), LABELS).backward()
        optimizer.step()
    (record,) = records.of("loss")
    assert (record["head"], record["beneath"]) == ("log_softmax", "softmax")
