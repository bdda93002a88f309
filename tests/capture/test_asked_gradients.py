"""Scripts whose backward pass is `autograd.grad`: they put the gradients in their places themselves."""

# mypy: disable-error-code="no-untyped-call"

from typing import Any

import pytest
import torch
from torch import nn

from tests.capture.records import observed

STEPS = 9


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 6, batch_first=True)
        self.head = nn.Linear(6, 1)

    def loss(self) -> torch.Tensor:
        output, _ = self.gru(torch.randn(8, 5, 4))
        loss: torch.Tensor = (self.head(output[:, -1]) - 3).square().mean() * 50
        return loss


def asked(net: Net) -> torch.Tensor:
    """The loss, after its gradients were put in their places."""
    loss, weights = net.loss(), list(net.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = gradient if weight.grad is None else weight.grad + gradient
    return loss


def passed(net: Net) -> torch.Tensor:
    loss = net.loss()
    loss.backward()
    return loss


def steps(gradients: Any, clip: float | None = None, batches: int = 1) -> list[dict[str, Any]]:
    torch.manual_seed(0)
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(STEPS):
            optimizer.zero_grad()
            for _ in range(batches):
                gradients(net)
            if clip is not None:
                nn.utils.clip_grad_norm_(net.parameters(), clip)
            optimizer.step()
    return [{k: v for k, v in step.items() if k != "elapsed"} for step in records.steps]


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize("batches", [1, 3])
def test_they_are_seen_as_a_backward_pass_is(clip: float | None, batches: int) -> None:
    found = steps(asked, clip, batches)
    assert found == steps(passed, clip, batches)
    assert all(step["loss"] > 0 and step["grad_norm"] > 0 for step in found)
    assert [step.get("clip_limit") for step in found] == [clip] * STEPS


def test_beside_backward_passes_they_measure_something() -> None:
    def measures(net: Net) -> None:
        passed(net)
        torch.autograd.grad(net.loss(), list(net.parameters()))

    def measures_nothing(net: Net) -> None:
        passed(net)
        net.loss()

    assert steps(measures) == steps(measures_nothing)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_graph_that_is_used_again_waits_for_its_backward_pass(create_graph: bool) -> None:
    def penalized(net: Net) -> None:
        loss, weights = net.loss(), list(net.parameters())
        torch.autograd.grad(loss, weights, retain_graph=True, create_graph=create_graph)
        loss.backward()

    found = steps(penalized)
    assert found == steps(passed)


def test_what_no_optimizer_holds_is_none_of_its_gradients() -> None:
    def of_an_input(net: Net) -> None:
        given = torch.randn(2, 5, 4, requires_grad=True)
        torch.autograd.grad(net.head(net.gru(given)[0]).sum(), given)
        passed(net)

    assert len(steps(of_an_input)) == STEPS
    assert all(step.get("backwards", 1) == 1 for step in steps(of_an_input))
