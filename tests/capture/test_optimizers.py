"""What is written of an optimizer."""

# mypy: disable-error-code="no-untyped-call"

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.sensors.optimizers import Optimizers
from tests.capture.records import Records, observed


@pytest.mark.parametrize(("kind", "decoupled"), [("AdamW", True), ("Adam", False), ("SGD", None)])
def test_decay_and_how_it_acts(kind: str, decoupled: bool | None) -> None:
    records = Records()
    groups = [{"params": [torch.zeros(2)], "weight_decay": 0.1}, {"params": [torch.zeros(2)]}]
    Optimizers(records).number(getattr(torch.optim, kind)(groups, lr=0.01, weight_decay=0.5))
    (optimizer,) = records.of("optimizer")
    assert optimizer["weight_decay"] == [0.1, 0.5]
    # Older versions of torch do not say it of Adam and AdamW: then the class alone tells.
    assert optimizer.get("decoupled_decay") in (decoupled, None)


def train(net: nn.Module, optimizer: torch.optim.Optimizer, updates: int = 3) -> None:
    for _ in range(updates):
        optimizer.zero_grad()
        net(torch.randn(4, 5, 3))[0].square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("kept", [False, True])
def test_one_that_is_built_anew_for_the_same_tensors_goes_on_with_its_number(kept: bool) -> None:
    """As scripts do that halve the rate after an epoch; its losses are one series."""
    built = []
    with observed() as records:
        net = nn.GRU(3, 4, batch_first=True)
        for epoch in range(4):
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1 / 2**epoch)
            train(net, optimizer)
            built += [optimizer] * kept
    assert len(records.of("optimizer")) == 1
    assert {tuple(step["optimizers"]) for step in records.steps} == {(0,)}
    assert [step["lr"] for step in records.steps] == [
        [0.1 / 2**epoch] for epoch in range(4) for _ in range(3)
    ]


def test_optimizers_of_other_lines_kinds_or_tensors_are_told_apart() -> None:
    with observed() as records:
        nets = [nn.GRU(3, 4, batch_first=True) for _ in range(2)]
        for net in nets:
            train(net, torch.optim.SGD(net.parameters(), lr=0.1))
        train(nets[0], torch.optim.SGD(nets[0].parameters(), lr=0.1))
        for kind in (torch.optim.Adam, torch.optim.AdamW):
            train(nets[0], kind(nets[0].parameters(), lr=0.1))
    assert len(records.of("optimizer")) == 5
    assert len({tuple(step["optimizers"]) for step in records.steps}) == 5
