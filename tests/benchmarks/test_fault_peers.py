"""How other tools follow a training: told what a loop would tell them, and none disturbed by another's failure."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.faults import training, worker
from benchmarks.faults.peers import tools
from benchmarks.faults.peers.watching import watch
from benchmarks.faults.setting import Setting


class Listener(tools.Follower):
    told: list[tuple[Any, ...]] = []

    def backward(self, step: int, loss: float) -> None:
        self.told.append(("backward", step, loss, tools.norm(self.model) > 0, self.rate()))

    def update(self, step: int, loss: float) -> None:
        self.told.append(("update", step, loss))

    def validated(self, step: int, loss: float) -> None:
        self.told.append(("validated", step, loss > 0))

    def end(self) -> None:
        self.alarms.add("ended")


class Broken(tools.Follower):
    def update(self, step: int, loss: float) -> None:
        raise ValueError("no LSTM here")


@pytest.fixture
def followers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STEPS", 2)
    monkeypatch.setitem(tools.TOOLS, "listener", (None, Listener))
    monkeypatch.setitem(tools.TOOLS, "broken", (None, Broken))
    monkeypatch.setattr(Listener, "told", [])


@pytest.mark.usefixtures("followers")
def test_each_is_told_of_backward_passes_updates_and_validations() -> None:
    plain = Tensor.backward, training.validate
    told = watch(Setting("recall", validate_every=1), ["listener", "broken"])
    assert told == {
        "listener": {"alarms": ["ended"], "error": None},
        "broken": {"alarms": [], "error": "ValueError: no LSTM here"},
    }
    assert [what[:2] for what in Listener.told] == [
        ("backward", 0), ("update", 0), ("validated", 0), ("backward", 1), ("update", 1), ("validated", 1),
    ]  # fmt: skip
    first = Listener.told[0]
    assert first[2] == pytest.approx(math.log(4), rel=0.3)
    assert first[3:] == (True, 5e-3)
    assert (Tensor.backward, training.validate) == plain


@pytest.mark.usefixtures("followers")
def test_a_training_that_fails_is_judged_by_what_was_seen() -> None:
    told = watch(Setting("words", state="kept", hidden=8), ["listener"])
    assert told["listener"] == {"alarms": ["ended"], "error": None}
    assert [what[:2] for what in Listener.told] == [("backward", 0), ("update", 0)]


def test_anomaly_detection_tells_of_gradients_that_are_none() -> None:
    follower = tools.AnomalyDetection(
        torch.nn.Linear(1, 1), torch.optim.SGD([torch.nn.Parameter(torch.ones(1))])
    )
    torch.autograd.set_detect_anomaly(False)
    follower.failed(RuntimeError("Function 'LogBackward0' returned nan values in its 0th output."))
    assert follower.alarms == {"anomaly"}


def test_curves_are_what_a_log_would_hold() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    curves = tools.Curves(model, torch.optim.SGD(model.parameters(), lr=0.5))
    model(torch.full((1, 1), 3.0)).backward()
    curves.backward(0, 1.0)
    curves.update(0, 1.0)
    curves.validated(0, 2.0)
    assert curves.rows == [{"step": 0, "loss": 1.0, "grad_norm": 3.0, "lr": 0.5, "eval_loss": 2.0}]
