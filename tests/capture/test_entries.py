"""What the probe does on the script's behalf runs within its entries, whose time its own clock counts."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.capture.probe.sensors.modes import Modes
from rnn_doctor.capture.probe.sensors.softmaxes import Softmaxes
from rnn_doctor.capture.probe.sensors.view_sites import ViewSites
from tests.capture.records import observed

Read = Callable[[torch.Tensor], torch.Tensor]


def train(read: Read) -> None:
    """Three updates of a bidirectional GRU whose final state, (2, 4, 5), is read so."""
    torch.manual_seed(0)
    rnn = nn.GRU(3, 5, bidirectional=True)
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
    for _ in range(3):
        rnn.eval()
        optimizer.zero_grad()
        read(rnn(torch.randn(6, 4, 3))[1]).square().mean().backward()
        optimizer.step()


def mix(state: torch.Tensor) -> torch.Tensor:
    return state.view(4, -1)


@pytest.mark.parametrize(
    ("sensor", "method", "read"),
    [
        (Softmaxes, "_note", lambda state: functional.softmax(state, 2)),
        (ViewSites, "_note", mix),
        (Modes, "evaluated", mix),
    ],
)
def test_notes_are_taken_within_an_entry(
    monkeypatch: pytest.MonkeyPatch, sensor: type, method: str, read: Read
) -> None:
    original, within = getattr(sensor, method), []

    def note(self: Any, *args: Any) -> None:
        within.append(records.observer.inside)
        original(self, *args)

    monkeypatch.setattr(sensor, method, note)
    with observed() as records:
        train(read)
    assert within
    assert all(within)


def test_what_the_probe_does_itself_is_not_heard() -> None:
    heard: list[str] = []
    with observed() as records:
        observer = records.observer
        before = observer.session.spent
        observer.tell("modes", lambda: observer.tell("modes", heard.append, "from within"))
        observer.tell("modes", heard.append, "from without")
        assert observer.session.spent > before
        assert not observer.inside
    assert heard == ["from without"]
    assert records.of("sensor_off") == []


def test_a_failing_note_switches_its_sensor_off_and_nothing_else() -> None:
    def fail() -> None:
        raise ValueError("broken")

    heard: list[str] = []
    with observed() as records:
        records.observer.tell("softmax", fail)
        records.observer.tell("softmax", heard.append, "softmax")
        records.observer.tell("modes", heard.append, "modes")
    assert [record["sensor"] for record in records.of("sensor_off")] == ["softmax"]
    assert heard == ["modes"]


def test_nothing_is_heard_once_the_observation_is_over() -> None:
    heard: list[str] = []
    with observed() as records:
        records.observer.finish("steps")
        records.observer.tell("softmax", heard.append, "late")
    assert heard == []
