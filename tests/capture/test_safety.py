"""Whatever fails in the probe is switched off and noted; the training goes on as it would have."""

# mypy: disable-error-code="no-untyped-call"

import copy
import os
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.capture.probe import graph, hooks, places
from rnn_doctor.capture.probe.config import Config
from rnn_doctor.capture.probe.observer import Observer
from rnn_doctor.capture.probe.patches import Patches
from rnn_doctor.capture.probe.recurrence.examiner import Examiner
from rnn_doctor.capture.probe.sensors.evaluations import Evaluations
from rnn_doctor.capture.probe.sensors.inputs import Inputs
from rnn_doctor.capture.probe.sensors.loaders import Loaders
from rnn_doctor.capture.probe.sensors.losses import Losses
from rnn_doctor.capture.probe.sensors.nonfinite import NonFinites
from rnn_doctor.capture.probe.sensors.norms import GradientNorms
from rnn_doctor.capture.probe.sensors.optimizers import Optimizers
from rnn_doctor.capture.probe.sensors.parameters import Parameters
from rnn_doctor.capture.probe.sensors.recurrence import Recurrences
from rnn_doctor.capture.probe.stopping import Stopping, StopProbe
from tests.capture.records import observed

STEPS = 4


def train() -> dict[str, torch.Tensor]:
    """Parameters after a few steps from a fixed seed."""
    torch.manual_seed(0)
    net = nn.ModuleDict({"lstm": nn.LSTM(2, 3, 2, dropout=0.3), "head": nn.Linear(3, 1)})
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    data = torch.utils.data.TensorDataset(torch.randn(8, 5, 2), torch.randn(8, 1))
    steps = 0
    while steps < STEPS:
        for x, y in torch.utils.data.DataLoader(data, 4, shuffle=True):
            optimizer.zero_grad()
            loss = functional.mse_loss(net["head"](net["lstm"](x.transpose(0, 1))[0][-1]), y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            optimizer.step()
            steps += 1
        with torch.no_grad():
            functional.mse_loss(
                net["head"](net["lstm"](data.tensors[0].transpose(0, 1))[0][-1]), data.tensors[1]
            )
    return copy.deepcopy(dict(net.state_dict()))


@pytest.fixture(scope="module")
def bare() -> dict[str, torch.Tensor]:
    return train()


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_the_training_is_the_same_to_the_last_bit(bare: dict[str, torch.Tensor]) -> None:
    with observed() as records:
        assert_same(train(), bare)
    assert len(records.steps) == STEPS
    assert records.of("sensor_off") == []


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (Evaluations, "called"), (Evaluations, "on_loss"), (Evaluations, "training_goes_on"),
        (Inputs, "on_call"), (Inputs, "write"), (Examiner, "on_call"), (Examiner, "examine"), (Loaders, "iterating"),
        (Loaders, "gave"), (Losses, "describe"), (Losses, "on_backward"), (Losses, "take"),
        (NonFinites, "on_call"), (GradientNorms, "at_update"), (GradientNorms, "clipping"),
        (GradientNorms, "after_backward"), (Optimizers, "built"), (Optimizers, "number"),
        (Parameters, "track"), (Parameters, "before_update"), (Parameters, "after_update"),
        (Recurrences, "built"), (Recurrences, "number"), (graph, "leaves"), (graph, "head"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)  # fmt: skip
def test_a_sensor_that_fails_is_switched_off_and_noted(
    owner: Any, method: str, bare: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("of our own making")

    monkeypatch.setattr(owner, method, fail)
    with observed() as records:
        assert_same(train(), bare)
    notes = records.of("sensor_off")
    assert notes
    assert all("ZeroDivisionError: of our own making at test_safety.py" in note["error"] for note in notes)
    assert len({note["sensor"] for note in notes}) == len(notes)


def test_a_failure_within_the_backward_pass_stays_within_the_probe(
    bare: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_doctor.capture.probe.sensors import inputs, readings

    class Failing(readings.Reading):
        def add_output(self, gradient: torch.Tensor) -> None:
            raise ZeroDivisionError("of our own making")

    monkeypatch.setattr(inputs, "Reading", Failing)
    with observed() as records:
        assert_same(train(), bare)
    assert [note["sensor"] for note in records.of("sensor_off")] == ["inputs"]
    assert len(records.steps) == STEPS


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("reads", ["output", "hidden", "cell"])
def test_whatever_the_loss_reads(kind: Any, batch_first: bool, bidirectional: bool, reads: str) -> None:
    # Some kernels give no gradient at all for an output that is not read.
    with observed() as records:
        module = kind(2, 3, batch_first=batch_first, bidirectional=bidirectional)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        output, state = module(torch.randn(4, 5, 2))
        states = state if isinstance(state, tuple) else (state,)
        read = output if reads == "output" else states[0] if reads == "hidden" else states[-1]
        read.square().sum().backward()
        optimizer.step()
    assert records.of("sensor_off") == []
    assert len(records.steps) == 1


def test_everything_that_was_replaced_is_put_back() -> None:
    places = [
        (torch.autograd, "backward"), (torch.autograd, "grad"), (nn.RNNBase, "__call__"),
        (nn.RNNBase, "__init__"), (functional, "mse_loss"), (functional, "cross_entropy"), (torch.jit, "script"),
        (torch.optim.Optimizer, "zero_grad"), (torch.optim.Optimizer, "__init__"), (nn.utils, "clip_grad_norm_"),
        (nn.utils.clip_grad, "clip_grad_norm_"), (torch, "compile"), (torch.amp.GradScaler, "scale"),
        (torch.amp.GradScaler, "unscale_"),
    ]  # fmt: skip
    before = [getattr(owner, name) for owner, name in places]
    own = ["__call__" in vars(nn.RNNBase), "zero_grad" in vars(nn.Module)]
    observer, patches = Observer(Config("", 1, 1.0, "0", "x", [], os.getpid())), Patches()
    hooks.install(observer, patches)
    during = [getattr(owner, name) for owner, name in places]
    patches.undo()
    assert all(a is not b for a, b in zip(before, during, strict=True))
    assert [getattr(owner, name) for owner, name in places] == before
    assert own == ["__call__" in vars(nn.RNNBase), "zero_grad" in vars(nn.Module)]


def test_stopping_is_polite_three_times_then_firm(monkeypatch: pytest.MonkeyPatch) -> None:
    class EndedError(Exception):
        pass

    def end(code: int) -> None:
        raise EndedError(code)

    monkeypatch.setattr(os, "_exit", end)
    stopping = Stopping()
    for _ in range(3):
        assert not stopping.swallowed
        with pytest.raises(StopProbe) as raised:
            stopping.request()
        assert raised.value.code == 0
    assert stopping.swallowed
    with pytest.raises(EndedError, match="0"):
        stopping.request()
    assert issubclass(StopProbe, SystemExit)


def test_the_probe_s_frames_are_none_of_the_script_s_traceback() -> None:
    with observed():
        try:
            torch.nn.functional.cross_entropy(torch.zeros(2, 3), torch.zeros(5, dtype=torch.long))
        except ValueError as error:
            whole = error.__traceback__
    before, names = (
        [Path(frame.filename).name for frame in traceback.extract_tb(t)]
        for t in (whole, places.without_probe(whole))
    )
    assert any(name.startswith("hooks.py") for name in before)
    assert names[0] == "test_safety.py"
    assert not any(name.startswith("hooks.py") for name in names)
    assert names[-1] == "functional.py"


def test_a_training_in_a_thread_is_stopped_without_a_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)  # pytest has one of its own
    ended = []

    def train() -> None:
        try:
            Stopping().request()
        finally:
            ended.append(True)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert ended == [True]
    assert capsys.readouterr().err == ""
