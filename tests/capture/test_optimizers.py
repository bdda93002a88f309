"""What is written of an optimizer."""

import pytest
import torch

from rnn_doctor.capture.probe.sensors.optimizers import Optimizers
from tests.capture.records import Records


@pytest.mark.parametrize(("kind", "decoupled"), [("AdamW", True), ("Adam", False), ("SGD", None)])
def test_decay_and_how_it_acts(kind: str, decoupled: bool | None) -> None:
    records = Records()
    groups = [{"params": [torch.zeros(2)], "weight_decay": 0.1}, {"params": [torch.zeros(2)]}]
    Optimizers(records).number(getattr(torch.optim, kind)(groups, lr=0.01, weight_decay=0.5))
    (optimizer,) = records.of("optimizer")
    assert optimizer["weight_decay"] == [0.1, 0.5]
    # Older versions of torch do not say it of Adam and AdamW: then the class alone tells.
    assert optimizer.get("decoupled_decay") in (decoupled, None)


def test_which_group_holds_a_parameter() -> None:
    first, second, alone = (torch.zeros(2) for _ in range(3))
    groups, single = torch.optim.SGD([{"params": [first]}, {"params": [second]}], lr=0.1), [alone]
    optimizers = Optimizers(Records())
    for each in (groups, plain := torch.optim.SGD(single, lr=0.1)):
        optimizers.built(each, None)
    held = optimizers.holders()
    assert [held[id(p)].group for p in (first, second, alone)] == [0, 1, None]
    assert held[id(alone)].optimizer == optimizers.number(plain)
