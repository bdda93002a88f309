"""Which operation made the first number that is not finite, and at which line."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.capture.probe import graph
from rnn_doctor.capture.probe.sensors.broken_operations import _in_order, first_broken
from rnn_doctor.schema.runlog import NonFinite
from tests.capture.records import observed

Op = Callable[[torch.Tensor], torch.Tensor]


@pytest.mark.parametrize(
    ("op", "kind"),
    [
        (lambda x: (x.softmax(-1) * 0).log(), "Log"),
        (lambda x: x / (x * 0), "Div"),
        (lambda x: x.abs().neg().sqrt(), "Sqrt"),
        (lambda x: (x.abs() * 1e4).exp(), "Exp"),
        (lambda x: x.abs().neg() ** 0.5, "Pow"),
        (lambda x: (x * 0) ** -1.0, "Pow"),
        (lambda x: (x.relu() + 1).log() + (x.detach() * 0).log() * x, None),  # a constant was not finite
        (lambda x: x.exp().log() / 2, None),
        (lambda x: x.log_softmax(-1), None),
    ],
)
def test_the_first_operation_that_breaks(op: Op, kind: str | None) -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 3, requires_grad=True) * 1.0
    found = first_broken(_in_order(op(x).sum()))
    assert (None if found is None else graph.kind_of(found)) == kind


def test_its_line_is_told_at_the_next_update() -> None:
    torch.manual_seed(0)
    rnn, head = nn.GRU(3, 5), nn.Linear(5, 2)
    optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.1)
    with observed() as records:
        for step in range(4):
            out = head(rnn(torch.randn(6, 4, 3))[0][-1]).softmax(-1)
            kept = (out + 1).log()
            lost = (out * (step != 2)).log()  # broken
            optimizer.zero_grad()
            (kept - lost).mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    assert not torch.is_anomaly_enabled()
    found = [NonFinite(**r) for r in records.of("non_finite")]
    first, *_, last = found
    assert (first.step, first.what, first.subject, first.location) == (3, "operation", "Log", None)
    assert (last.step, last.what, last.subject) == (3, "operation", "Log")
    assert last.location is not None
    assert (last.location.code or "").endswith("# broken")


def test_a_loss_that_is_finite_is_not_searched() -> None:
    rnn = nn.GRU(3, 5)
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
    with observed() as records:
        for _ in range(3):
            functional.mse_loss(rnn(torch.randn(6, 4, 3))[0], torch.zeros(6, 4, 5)).backward()
            optimizer.step()
    assert records.of("non_finite") == []
