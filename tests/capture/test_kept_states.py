"""The state of a hand-written recurrence that comes with its graph from an earlier update."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tests.capture.records import Observation, observed

T, B, N, H = 5, 3, 2, 4


class Network(nn.Module):
    """An Elman network by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.i2h, self.h2h, self.head = nn.Linear(N, H), nn.Linear(H, H), nn.Linear(H, 1)

    def forward(self, xs: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        for x in xs:
            h = torch.tanh(self.i2h(x) + self.h2h(h))
        return h


def carried(between: Callable[[torch.Tensor], torch.Tensor], retain: bool = False) -> Observation:
    """Three updates that each go on from the state of the one before."""
    torch.manual_seed(0)
    with observed() as records:
        net, h = Network(), torch.zeros(B, H)
        optimizer = torch.optim.SGD(
            net.head.parameters(), lr=0.1
        )  # the others stay as the old graphs have them
        for _ in range(3):
            h = net(torch.randn(T, B, N), between(h))
            net.head(h).square().mean().backward(retain_graph=retain)
            optimizer.step()
    assert records.of("sensor_off") == []
    return records


def kept(records: Observation) -> list[tuple[int, Any]]:
    return [(flow["step"], flow.get("kept")) for flow in records.of("state_flow")]


def test_a_graph_that_grows_is_seen_at_the_second_update() -> None:
    records = carried(lambda h: h, retain=True)
    assert kept(records) == [(1, None), (2, 1), (3, 1)]
    assert [flow["length"] for flow in records.of("state_flow")] == [T, 2 * T, 3 * T]


def test_a_graph_that_is_gone_is_seen_before_torch_refuses_it() -> None:
    torch.manual_seed(0)
    with observed() as records:
        net = Network()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
        h = net(torch.randn(T, B, N), torch.zeros(B, H))
        net.head(h).sum().backward()
        optimizer.step()
        h = net(torch.randn(T, B, N), h)
        with pytest.raises(RuntimeError, match="second time"):
            net.head(h).sum().backward()
    assert records.of("sensor_off") == []
    assert kept(records) == [(1, None), (2, 1)]


def test_a_state_that_is_let_go_is_not_kept() -> None:
    assert kept(carried(torch.Tensor.detach)) == [(1, None)]
    assert kept(carried(torch.zeros_like)) == [(1, None)]


def test_samples_that_a_discriminator_has_seen_are_no_kept_state() -> None:
    torch.manual_seed(0)
    with observed() as records:
        generator, discriminator = Network(), Network()
        optimizers = [torch.optim.SGD(net.parameters(), lr=0.1) for net in (generator, discriminator)]
        for _ in range(2):
            for optimizer in optimizers:
                optimizer.zero_grad()
            states = [torch.zeros(B, H)]
            for x in torch.randn(T, B, N):
                states.append(generator(x.unsqueeze(0), states[-1]))
            made = torch.stack(states[1:])[..., :N]
            discriminator(made.detach(), torch.zeros(B, H)).square().mean().backward()
            optimizers[1].step()
            discriminator(made, torch.zeros(B, H)).mean().backward()
            optimizers[0].step()
    assert records.of("sensor_off") == []
    assert all(flag is None for _, flag in kept(records))
    assert len(records.of("module")) == 2
