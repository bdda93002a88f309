"""What is written of an optimizer."""

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


def test_which_group_holds_a_parameter() -> None:
    first, second, alone = (torch.zeros(2) for _ in range(3))
    groups, single = torch.optim.SGD([{"params": [first]}, {"params": [second]}], lr=0.1), [alone]
    optimizers = Optimizers(Records())
    for each in (groups, plain := torch.optim.SGD(single, lr=0.1)):
        optimizers.built(each, None)
    held = optimizers.holders()
    assert [held[id(p)].group for p in (first, second, alone)] == [0, 1, None]
    assert held[id(alone)].optimizer == optimizers.number(plain)


@pytest.mark.parametrize("each", [True, False])
def test_how_often_a_plateau_scheduler_is_told_a_loss(each: bool) -> None:
    with observed() as records:
        net = nn.LSTM(2, 3)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=0.5, patience=4, cooldown=2, min_lr=1e-3
        )
        for update in range(1, 31):
            optimizer.zero_grad()
            loss = net(torch.ones(5, 1, 2))[0].sum().square()
            loss.backward()
            optimizer.step()
            if each or update % 10 == 0:
                scheduler.step(loss.detach())
    assert records.of("sensor_off") == []
    rows = records.of("plateau")
    if not each:
        assert all(row["calls"] <= row["step"] / 10 for row in rows)
        return
    assert [row["calls"] for row in rows] == [row["step"] for row in rows]
    assert rows[-1]["step"] >= 20
    assert {(row["scheduler"], row["optimizer"], row["patience"], row["factor"]) for row in rows} == {
        (0, 0, 6, 0.5)
    }
    assert rows[0]["floor"] == pytest.approx(0.01)
