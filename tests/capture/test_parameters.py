"""What each tensor was, and how far it moved: against plain torch."""

# mypy: disable-error-code="no-untyped-call"

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.naming import Naming
from rnn_doctor.capture.probe.sensors.parameters import Parameters
from tests.capture.records import Records, observed


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(3, 4)
        self.head = nn.Linear(4, 2)
        self.idle = nn.Linear(4, 2)
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)

    def loss(self) -> torch.Tensor:
        loss: torch.Tensor = (self.head(self.rnn(torch.randn(5, 6, 3))[0][-1]) * self.frozen).square().mean()
        return loss


def train(steps: int, make: Callable[[Net], torch.optim.Optimizer]) -> tuple[Records, list[dict[str, Any]]]:
    """The records, and per step what plain torch knows by parameter name."""
    seen = []
    with observed() as records:
        net = Net()
        optimizer = make(net)
        initial = copy.deepcopy(net)
        for _ in range(steps):
            optimizer.zero_grad()
            net.loss().backward()
            old = copy.deepcopy(net)
            gradients = {
                n: None if p.grad is None else p.grad.norm().item() for n, p in net.named_parameters()
            }
            optimizer.step()
            first, before = dict(initial.named_parameters()), dict(old.named_parameters())
            seen.append(
                {
                    name: (
                        gradients[name],
                        before[name].norm().item(),
                        (p - before[name]).norm().item(),
                        (p - first[name]).norm().item(),
                    )
                    for name, p in net.named_parameters()
                }
            )
    assert records.of("sensor_off") == []
    return records, seen


def test_samples_hold_what_plain_torch_computes() -> None:
    records, seen = train(8, lambda net: torch.optim.Adam(net.parameters(), lr=0.01))
    names = {p["id"]: p["name"] for p in records.of("parameter")}
    samples = records.of("sample")
    assert [s["step"] for s in samples] == [1, 3, 8]
    for sample in samples:
        expected = seen[sample["step"] - 1]
        rows = zip(
            sample["grad_norm"],
            sample["weight_norm"],
            sample["update_norm"],
            sample["displacement"],
            strict=True,
        )
        found = dict(zip([names[n] for n in sample["parameters"]], rows, strict=True))
        assert set(found) == set(expected)
        for name, row in found.items():
            assert row[0] == expected[name][0] or row[0] == pytest.approx(expected[name][0], rel=1e-4), name
            assert row[1:] == pytest.approx(expected[name][1:], rel=1e-4, abs=1e-9), name
        assert found["idle.weight"][2:] == (0.0, 0.0)
        assert found["idle.weight"][0] is None
        assert found["frozen"][3] == 0.0


def test_descriptions() -> None:
    records, _ = train(1, lambda net: torch.optim.SGD([*net.rnn.parameters(), *net.head.parameters()]))
    last = {p["name"]: p for p in records.of("parameter")}
    # What is in no optimizer and not in the loss either is none of the training's.
    assert set(last) == {
        "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0", "head.weight", "head.bias",
    }  # fmt: skip
    weight = last["rnn.weight_hh_l0"]
    assert weight["shape"] == [4, 4]
    assert (weight["owner"], weight["module"], weight["optimizer"]) == ("RNN", 0, 0)
    assert (weight["used"], weight["trainable"]) == (True, True)
    assert last["head.bias"]["owner"] == "Linear"
    assert "module" not in last["head.bias"]


def test_a_parameter_that_no_optimizer_holds() -> None:
    records, _ = train(1, lambda net: torch.optim.SGD(net.head.parameters()))
    found = {p["name"]: p.get("optimizer") for p in records.of("parameter")}
    assert found["head.weight"] == 0
    assert found["rnn.weight_hh_l0"] is None
    used = {p["name"]: p["used"] for p in records.of("parameter")}
    assert used["rnn.weight_hh_l0"]


@pytest.mark.parametrize(
    ("values", "mean", "std"),
    [
        (torch.full((100,), 1.0), 1.0, 0.0),
        (torch.full((64,), 0.1), 0.1, 0.0),
        (torch.arange(10.0), 4.5, 8.25**0.5),
        (torch.tensor([-2.0, 2.0], dtype=torch.float16), 0.0, 2.0),
        (torch.zeros(3), 0.0, 0.0),
        (torch.tensor([999.0, 1001.0]), 1000.0, 1.0),
    ],
)
def test_moments_of_the_initial_values(values: torch.Tensor, mean: float, std: float) -> None:
    records = Records()
    Parameters(records, Naming()).track([values.requires_grad_(True)], {}, None, {})
    (described,) = records.of("parameter")
    assert described["mean"] == pytest.approx(mean, abs=1e-6)
    assert described["std"] == pytest.approx(std, rel=1e-5, abs=1e-7)
    assert "used" not in described


def test_empty_tensors_have_no_moments() -> None:
    records = Records()
    Parameters(records, Naming()).track([torch.empty(0, requires_grad=True)], {}, None, {})
    assert not {"mean", "std"} & set(records.of("parameter")[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_displacement_is_0_only_for_the_same_bits(dtype: torch.dtype) -> None:
    records = Records()
    parameters = Parameters(records, Naming())
    start = torch.tensor([0.0, 1.0, -3.0], dtype=dtype)
    same, moved, back = (start.clone().requires_grad_(True) for _ in range(3))
    parameters.track([same, moved, back], {}, None, {})
    parameters.before_update()
    with torch.no_grad():
        moved[0] = torch.finfo(dtype).tiny  # its square is 0 in most precisions
        back += 1
        back -= 1
    parameters.after_update(1, [])
    (sample,) = records.of("sample")
    displacement = dict(zip(sample["parameters"], sample["displacement"], strict=True))
    assert displacement[0] == 0.0
    assert displacement[1] > 0.0
    assert displacement[2] == 0.0
    assert displacement == dict(zip(sample["parameters"], sample["update_norm"], strict=True))


def test_a_sample_needs_both_sides_of_an_update() -> None:
    records = Records()
    parameters = Parameters(records, Naming())
    parameters.track([torch.ones(2, requires_grad=True)], {}, None, {})
    parameters.after_update(1, [])
    assert records.of("sample") == []


def test_numbers_are_not_given_twice_when_tensors_come_and_go() -> None:
    records = Records()
    parameters = Parameters(records, Naming())
    kept: list[torch.Tensor] = []
    for k in range(30):
        fresh = torch.randn(3, requires_grad=True)
        parameters.track([*kept, fresh], {}, None, {})
        if k % 3 == 0:
            kept.append(fresh)
        del fresh
    assert [p["id"] for p in records.of("parameter")] == list(range(30))


def test_gradients_left_over_are_stale() -> None:
    with observed() as records:
        net = nn.RNN(2, 3)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        left = 0.0
        for k in itertools.count(1):
            net(torch.randn(4, 2, 2))[0].sum().backward()
            if k == 3:
                break
            optimizer.step()
            left = sum(float(p.grad.square().sum()) for p in net.parameters() if p.grad is not None) ** 0.5
        optimizer.step()
    assert "stale_norm" not in records.of("sample")[0]
    assert records.of("sample")[1]["stale_norm"] == pytest.approx(left, rel=1e-5)


def test_cleared_gradients_are_not_stale() -> None:
    records, _ = train(3, lambda net: torch.optim.SGD(net.parameters()))
    assert [s.get("stale_norm") for s in records.of("sample")] == [None, 0.0]
