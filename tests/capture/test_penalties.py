"""What terms of a loss that read the weights alone pull at them, against autograd on those terms."""

# mypy: disable-error-code="no-untyped-call"

import contextlib
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.sensors.penalties import Penalties
from tests.capture.records import observed

Loss = Callable[["Net"], torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(3, 4)
        self.head = nn.Linear(4, 2)
        self.scale = nn.Parameter(torch.ones(3, 4))

    def fit(self) -> torch.Tensor:
        """What the network computes from data."""
        out = self.rnn(torch.randn(5, 6, 3))[0][-1]
        loss: torch.Tensor = (self.head(out) * self.scale[:, :2].mean() - 1).pow(2).mean()
        return loss


def pulls(loss: torch.Tensor) -> dict[int, float]:
    found: dict[int, float] = {}
    penalties = Penalties(found, lambda _, function, *given: function(*given))
    penalties.on_backward(loss)
    loss.backward()
    penalties.ended()
    return found


def squares(net: Net) -> torch.Tensor:
    return 0.3 * sum((p.pow(2).sum() for p in net.parameters()), torch.zeros(()))


def products(net: Net) -> torch.Tensor:
    return sum(((p * p).mean() for p in net.rnn.parameters()), torch.zeros(())) / 7


def absolute(net: Net) -> torch.Tensor:
    return torch.stack([p.abs().sum() for p in net.parameters()]).sum() * 1e-2


def norms(net: Net) -> torch.Tensor:
    return 0.1 * torch.stack([p.norm() for p in net.parameters()]).sum()


def together(net: Net) -> torch.Tensor:
    size: torch.Tensor = nn.utils.parameters_to_vector(net.parameters()).norm(2)
    return 0.1 * size.square()


def squared_error(net: Net) -> torch.Tensor:
    return F.mse_loss(net.head.weight, torch.zeros_like(net.head.weight), reduction="sum")


@pytest.mark.parametrize("penalty", [squares, products, absolute, norms, together, squared_error])
def test_the_pull_is_the_part_of_the_terms_gradient_along_the_weights(penalty: Loss) -> None:
    net = Net()
    weights = [p for p in net.parameters() if p.dim() > 1]
    expected = {
        id(w): float((g * w).sum().detach() / w.detach().norm())
        for w, g in zip(weights, torch.autograd.grad(penalty(net), weights, allow_unused=True), strict=True)
        if g is not None
    }
    found = pulls(net.fit() + penalty(net))
    assert found == pytest.approx(expected, rel=1e-5)
    assert all(value > 0 for value in found.values())


def tied(net: Net) -> torch.Tensor:
    return net.head.weight.mean()


def elementwise(net: Net) -> torch.Tensor:
    return (torch.randn(3, 4) * net.scale - 1).pow(2).mean()


def learned_factor(net: Net) -> torch.Tensor:
    out: torch.Tensor = net.rnn(torch.randn(5, 3, 3))[0][-1]
    return (net.scale * out).pow(2).mean()


def on_states(net: Net) -> torch.Tensor:
    out: torch.Tensor = net.rnn(torch.randn(5, 6, 3))[0]
    return out.pow(2).mean()


@pytest.mark.parametrize("term", [tied, elementwise, learned_factor, on_states])
def test_what_reads_data_or_makes_no_size_of_a_weight_pulls_nothing(term: Loss) -> None:
    net = Net()
    assert pulls(net.fit() + term(net)) == {}


def test_the_distance_from_other_weights_pulls_as_far_as_they_are_smaller() -> None:
    net = Net()
    there = net.head.weight.detach().clone()
    assert pulls(net.fit() + (net.head.weight - there).pow(2).sum()) == pytest.approx(
        {id(net.head.weight): 0.0}
    )


def test_passes_of_one_update_add_up() -> None:
    net = Net()
    once = pulls(net.fit() + squares(net))
    found: dict[int, float] = {}
    penalties = Penalties(found, lambda _, function, *given: function(*given))
    for _ in range(2):
        loss = net.fit() + squares(net)
        penalties.on_backward(loss)
        loss.backward()
    assert found == pytest.approx({key: 2 * value for key, value in once.items()})


def test_the_log_tells_them_beside_the_weights_and_the_norms_that_an_update_left() -> None:
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (net.fit() + squares(net)).backward()
            optimizer.step()
            with torch.no_grad():
                for p in net.parameters():
                    p.mul_(0.9)
    first, last = records.of("sample")
    names = {record["id"]: record for record in records.of("parameter")}
    for number, size, pull in zip(
        first["parameters"], first["weight_norm"], first["penalty_pull"], strict=True
    ):
        matrix = len(names[number]["shape"]) > 1
        assert pull == pytest.approx(0.6 * size if matrix else 0.0)
    assert "left_norm" not in first
    assert last["weight_norm"] == pytest.approx([0.9 * norm for norm in last["left_norm"]])


def test_nothing_is_told_where_no_term_reads_the_weights_and_no_one_changes_them() -> None:
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            net.fit().backward()
            optimizer.step()
    last = records.of("sample")[-1]
    assert "penalty_pull" not in last
    assert last["left_norm"] == last["weight_norm"]


def trained(watched: bool) -> list[torch.Tensor]:
    """The parameters after five updates with a penalty and a shrinking by hand."""
    torch.manual_seed(0)
    with observed() if watched else contextlib.nullcontext():
        net = Net()
        optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            (net.fit() + squares(net)).backward()
            optimizer.step()
            with torch.no_grad():
                for p in net.parameters():
                    p.mul_(0.99)
    return [p.detach() for p in net.parameters()]


def test_a_watched_training_is_the_same_to_the_last_bit() -> None:
    assert all(map(torch.equal, trained(False), trained(True)))
