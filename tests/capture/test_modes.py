"""Which modules are in training mode, update by update, of those that a training is about."""

# mypy: disable-error-code="no-untyped-call"

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.capture.records import Observation, observed


class Net(nn.Module):
    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        self.rnn = nn.GRU(3, 4, batch_first=True)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(rate)
        self.out = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> Any:
        return self.out(self.drop(self.norm(self.rnn(x)[0][:, -1])))


def update(net: nn.Module, optimizer: Any, given: torch.Tensor | None = None) -> None:
    x = torch.randn(8, 5, 3) if given is None else given
    optimizer.zero_grad()
    net(x).pow(2).mean().backward()
    optimizer.step()


def sgd(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD((p for p in net.parameters() if p.requires_grad), lr=0.01)


def modes(records: Observation) -> list[dict[str, Any]]:
    assert records.of("sensor_off") == []
    return records.of("mode")


def test_one_record_each_time_that_the_modes_change() -> None:
    with observed() as records:
        net = Net()
        optimizer = sgd(net)
        for epoch in range(2):
            for _ in range(3):
                update(net, optimizer)
            if epoch == 0:
                net.eval()
    first, second = modes(records)
    assert (first["step"], first["names"]) == (1, ["norm", "drop"])
    assert (first["kinds"], first["training"], first["others"]) == (
        ["batch_norm", "dropout"],
        [True, True],
        True,
    )
    assert "location" not in first
    assert (second["step"], second["training"], second["others"]) == (4, [False, False], False)
    assert second["location"]["code"] == "net.eval()"


def test_the_line_is_that_which_holds_what_is_off() -> None:
    with observed() as records:
        net, other = Net(), Net()
        optimizer = sgd(net)
        net.norm.eval()
        other.eval()
        update(net, optimizer)
    (record,) = modes(records)
    assert (record["training"], record["others"]) == ([False, True], True)
    assert record["location"]["code"] == "net.norm.eval()"


def test_what_has_no_gradient_is_left_out() -> None:
    class Student(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = Net().eval().requires_grad_(False)
            self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(2, 2))

        def forward(self, x: torch.Tensor) -> Any:
            return self.head(self.backbone(x))

    with observed() as records:
        student, teacher = Student(), Net().eval()
        optimizer = sgd(student)
        x = torch.randn(8, 5, 3)
        with torch.no_grad():
            teacher(x)
        update(student, optimizer, x)
    (record,) = modes(records)
    assert (record["names"], record["training"]) == (["Student.head.0"], [True])


def test_rates_of_zero_and_single_layers_are_no_dropout() -> None:
    class Plain(Net):
        def __init__(self) -> None:
            super().__init__(0.0)
            self.norm = nn.BatchNorm1d(4, track_running_stats=False)

    with observed() as records:
        net = Plain().eval()
        update(net, sgd(net))
    (record,) = modes(records)
    assert record["names"] == []
    assert record["others"] is False


@pytest.mark.parametrize(("rate", "names"), [(0.3, ["Own"]), (0.0, [])])
def test_dropout_by_function(rate: float, names: list[str]) -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = rate
            self.rnn = nn.LSTM(3, 4, batch_first=True)

        def forward(self, x: torch.Tensor) -> Any:
            return functional.dropout(self.rnn(x)[0], self.dropout, training=self.training)

    with observed() as records:
        net = Own()
        update(net, sgd(net))
    (record,) = modes(records)
    assert record["names"] == names


def test_dropout_between_layers() -> None:
    class Stacked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(3, 4, num_layers=2, dropout=0.2, batch_first=True)
            self.out = nn.Linear(4, 1)

        def forward(self, x: torch.Tensor) -> Any:
            return self.out(self.rnn(x)[0])

    with observed() as records:
        net = Stacked()
        optimizer = sgd(net)
        update(net, optimizer)
        net.rnn.train(False)
        update(net, optimizer)
    assert [(r["names"], r["training"]) for r in modes(records)] == [(["rnn"], [True]), (["rnn"], [False])]


def test_a_gradient_taken_between_updates_tells_nothing() -> None:
    with observed() as records:
        net = Net()
        optimizer = sgd(net)
        for _ in range(3):
            net.eval()
            x = torch.randn(8, 5, 3, requires_grad=True)
            net(x).sum().backward()
            net.train()
            update(net, optimizer)
    (record,) = modes(records)
    assert record["training"] == [True, True]


def test_gradients_that_nobody_sees_leave_it_open() -> None:
    with observed() as records:
        weight = torch.randn(3, 3, requires_grad=True)
        torch.tanh(torch.randn(4, 3) @ weight).sum().backward()
        with torch.no_grad():
            weight -= 0.1
    assert modes(records) == []


def test_modes_that_change_all_the_time_are_cut_short() -> None:
    with observed() as records:
        net = Net()
        optimizer = sgd(net)
        for step in range(60):
            net.train(step % 2 == 0)
            update(net, optimizer)
    found = modes(records)
    assert len(found) == 50
    assert [r.get("complete", True) for r in found] == [True] * 49 + [False]


def test_an_update_of_passes_in_both_modes_is_followed_by_a_look() -> None:
    with observed() as records:
        net = Net()
        optimizer = sgd(net)
        for number in range(6):
            x = torch.randn(8, 5, 3)
            optimizer.zero_grad()
            if number == 3:  # one update whose first pass trains and whose second does not
                net(x).pow(2).mean().backward()
                net.eval()
            net(x).pow(2).mean().backward()
            optimizer.step()
    assert [(r["step"], r["training"]) for r in modes(records)] == [(1, [True, True]), (5, [False, False])]


def test_an_attribute_that_is_set_is_seen_at_the_next_sampled_step() -> None:
    with observed() as records:
        net = Net()
        optimizer = sgd(net)
        for number in range(9):
            if number == 4:
                net.drop.training = False
            update(net, optimizer)
    assert [(r["step"], r["training"]) for r in modes(records)] == [(1, [True, True]), (8, [True, False])]
