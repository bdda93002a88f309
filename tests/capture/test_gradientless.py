"""Recurrent modules that the training runs without gradients are told from those that are validated or lent."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.capture.records import Observation, observed

T, B, N, H = 6, 4, 3, 5


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.other, self.head = nn.GRU(N, H), nn.GRU(N, H), nn.Linear(H, 1)


def train(update: Callable[[Network, int], torch.Tensor], held: str = "all", updates: int = 5) -> Observation:
    """Some updates of what `update` computes; held: whose parameters the optimizer has."""
    torch.manual_seed(0)
    net = Network()
    trained = {"all": net, "head": net.head}[held]
    optimizer = torch.optim.SGD(trained.parameters(), lr=0.1)
    with observed() as records:
        for step in range(updates):
            optimizer.zero_grad()
            update(net, step).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    return records


def plain(module: nn.Module) -> torch.Tensor:
    output: torch.Tensor = module(torch.randn(T, B, N))[0]
    return output


def without(net: Network, _: int) -> torch.Tensor:
    with torch.no_grad():
        out = plain(net.rnn)  # the line
    read: torch.Tensor = net.head(out)
    return read


def test_it_is_found_at_the_line_of_its_call() -> None:
    records = train(without)
    (module,) = records.of("module")
    assert module["name"].endswith("rnn")
    assert "frozen" not in module
    assert "plain(net.rnn)" in module["gradientless"]["code"] or "module(" in module["gradientless"]["code"]
    weights = {p["name"].rpartition("Network.")[2]: p for p in records.of("parameter")}
    assert weights["rnn.weight_hh_l0"]["module"] == module["id"]
    assert records.of("evaluation") == []
    number = weights["rnn.weight_hh_l0"]["id"]
    samples = [s for s in records.of("sample") if number in s["parameters"]]
    moved = [s["displacement"][s["parameters"].index(number)] for s in samples]
    assert moved
    assert not any(moved)


def test_what_no_optimizer_holds_is_called_frozen() -> None:
    (module,) = train(without, held="head").of("module")
    assert module["frozen"] is True
    assert "gradientless" not in module


def lent(net: Network, _: int) -> torch.Tensor:
    with torch.no_grad():
        goal = plain(net.other)
    out: torch.Tensor = plain(net.rnn) - goal
    return out


def validated(net: Network, _: int) -> torch.Tensor:
    with torch.no_grad():
        plain(net.rnn)
    return plain(net.rnn)


def looked_at_first(net: Network, step: int) -> torch.Tensor:
    if step == 0:
        with torch.no_grad():
            plain(net.other)
    return plain(net.rnn)


@pytest.mark.parametrize("update", [validated, looked_at_first])
def test_what_is_validated_or_looked_at_once_is_not(update: Callable[[Network, int], torch.Tensor]) -> None:
    (module,) = train(update).of("module")
    assert module["name"].endswith("rnn")
    assert "gradientless" not in module


def test_beside_a_network_that_learns_only_what_is_held_counts() -> None:
    assert [m["name"][-3:] for m in train(lent).of("module")] == ["rnn", "her"]
    torch.manual_seed(0)
    net = Network()
    optimizer = torch.optim.SGD(net.rnn.parameters(), lr=0.1)
    with observed() as records:
        for step in range(5):
            lent(net, step).square().mean().backward()
            optimizer.step()
    assert len(records.of("module")) == 1


def test_one_that_is_trained_later_is_said_to_be() -> None:
    def thawed(net: Network, step: int) -> torch.Tensor:
        with torch.set_grad_enabled(step >= 3):
            out = plain(net.rnn)
        read: torch.Tensor = net.head(out)
        return read

    first, second = train(thawed, updates=6).of("module")
    assert first["id"] == second["id"]
    assert "gradientless" in first
    assert "gradientless" not in second


def test_a_copy_beside_a_network_that_learns_is_a_target_network() -> None:
    def bootstrapped(net: Network, step: int) -> torch.Tensor:
        if step == 0:
            net.other.load_state_dict(net.rnn.state_dict())
        return lent(net, step)

    torch.manual_seed(0)
    net = Network()
    optimizer = torch.optim.SGD(net.rnn.parameters(), lr=0.1)
    with observed() as records:
        for step in range(5):
            optimizer.zero_grad()
            bootstrapped(net, step).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    first, second = records.of("module")
    assert first["id"] == second["id"]
    assert "copied" not in first
    assert second["copied"] is True
    assert second["name"].endswith("rnn")


def test_a_teacher_of_its_own_is_no_copy() -> None:
    torch.manual_seed(0)
    net = Network()
    optimizer = torch.optim.SGD(net.rnn.parameters(), lr=0.1)
    with observed() as records:
        for step in range(5):
            optimizer.zero_grad()
            lent(net, step).square().mean().backward()
            optimizer.step()
    assert "copied" not in records.of("module")[-1]
