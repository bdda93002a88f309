"""The last observed epoch is ended early, so that the script validates; what was trained before is unchanged."""

# mypy: disable-error-code="no-untyped-call"

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from rnn_doctor.capture.probe import hooks
from rnn_doctor.capture.probe.config import Config
from rnn_doctor.capture.probe.observer import Observer
from rnn_doctor.capture.probe.patches import Patches
from rnn_doctor.capture.probe.stopping import StopProbe
from tests.capture.looking_ahead import one_ahead
from tests.capture.records import Observation, _redirect

STEPS = 3
Loader = DataLoader[tuple[torch.Tensor, ...]]


@contextlib.contextmanager
def stopped(validate: bool = True) -> Iterator[Observation]:
    """The probe, told to end after three updates; the request to stop ends the body."""
    config = Config("", STEPS, 1e9, "0", "train.py", [], os.getpid(), validate)
    observer, patches, records = Observer(config), Patches(), Observation()
    records.observer = observer
    _redirect(observer, records)
    hooks.install(observer, patches)
    try:
        with contextlib.suppress(StopProbe):
            yield records
            observer.end_of_script()
    finally:
        patches.undo()


class Script:
    """A training with a validation, ten batches an epoch; it keeps what it came to."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.gru, self.head = nn.GRU(2, 4, batch_first=True), nn.Linear(4, 1)
        self.optimizer = torch.optim.SGD([*self.gru.parameters(), *self.head.parameters()], lr=0.1)
        self.training = self.loader(40, shuffle=True)
        self.validation = self.loader(16, shuffle=False)
        self.losses: list[float] = []
        self.validated: list[float] = []
        self.saved = 0

    def loader(self, count: int, shuffle: bool) -> Loader:
        return DataLoader(TensorDataset(torch.randn(count, 5, 2), torch.randn(count, 1)), 4, shuffle=shuffle)

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(self.head(self.gru(x)[0][:, -1]), y)

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        self.losses.append(loss.item())
        self.optimizer.step()

    def epoch(self) -> None:
        for x, y in self.training:
            self.step(x, y)

    @torch.no_grad()
    def validate(self, take: Callable[[Loader], Iterable[Any]] = iter) -> None:
        for x, y in take(self.validation):
            self.validated.append(self.loss(x, y).item())


def early(records: Observation) -> dict[str, Any]:
    assert records.of("sensor_off") == []
    return records.of("early_validation")[-1]


def test_the_script_validates_on_what_the_bare_run_had_trained() -> None:
    with stopped() as records:
        script = Script()
        for _ in range(2):
            script.epoch()
            script.validate()
    assert (early(records)["outcome"], early(records)["epoch"], early(records)["given"]) == ("ended", 10, 3)
    (found,) = records.of("evaluation")
    bare = Script()
    for (x, y), _ in zip(bare.training, range(STEPS), strict=False):
        bare.step(x, y)
    bare.validate()
    assert script.losses == bare.losses
    assert script.validated == bare.validated
    assert found["loss"] == pytest.approx(sum(bare.validated) / 4, rel=1e-6)
    assert (found["step"], found["batches"], found["examples"]["count"]) == (STEPS, 4, 16)
    assert records.of("stop")[0]["reason"] == "steps"


def test_nothing_is_saved_that_would_not_have_been(tmp_path: Path) -> None:
    with stopped() as records:
        script = Script()
        script.epoch()
        torch.save(script.gru.state_dict(), tmp_path / "last.pt")
    assert not (tmp_path / "last.pt").exists()
    assert early(records)["outcome"] == "ended"


def test_no_file_is_written_that_would_not_have_been() -> None:
    # The folder for temporary files is spared, so that this is a folder of its own.
    place = Path(__file__).parent / "written-by-test.txt"
    with stopped() as records:
        script = Script()
        script.epoch()
        place.write_text("results", encoding="utf-8")
    try:
        assert not place.exists()
    finally:
        place.unlink(missing_ok=True)
    assert records.of("stop")[0]["reason"] == "steps"


def test_files_are_read_and_temporary_ones_written(tmp_path: Path) -> None:
    with stopped() as records:
        script = Script()
        script.epoch()
        Path(__file__).read_text(encoding="utf-8")
        (tmp_path / "cache").write_text("x", encoding="utf-8")
        script.validate()
    assert len(records.of("evaluation")) == 1


def test_the_next_epoch_is_not_trained() -> None:
    with stopped() as records:
        script = Script()
        for _ in range(5):
            script.epoch()
    assert len(script.losses) == STEPS
    assert len(records.steps) == STEPS
    assert records.of("evaluation") == []


def test_a_script_that_has_validated_is_ended_at_once() -> None:
    with stopped() as records:
        script = Script()
        for number, (x, y) in enumerate(script.training):
            script.step(x, y)
            if number == 0:
                script.validate()
    assert records.of("early_validation") == []
    assert [e["step"] for e in records.of("evaluation")] == [1]


def test_it_can_be_switched_off() -> None:
    with stopped(validate=False) as records:
        script = Script()
        script.epoch()
        script.validate()
    assert (early(records)["outcome"], script.validated) == ("off", [])


@pytest.mark.parametrize("epochs", [1, 3])
def test_an_epoch_that_a_library_has_come_to_the_end_of(epochs: int) -> None:
    """Its last batch is trained on when its loader is exhausted already: there is nothing to cut."""
    with stopped() as records:
        script = Script()
        script.training = script.loader(4 * STEPS, shuffle=True)
        for _ in range(epochs):
            for x, y in one_ahead(script.training):
                script.step(x, y)
            script.validate(one_ahead)
    assert (early(records)["outcome"], early(records)["given"]) == ("ended", STEPS)
    assert len(script.losses) == STEPS
    (found,) = records.of("evaluation")
    assert (found["step"], found["batches"]) == (STEPS, 4)


def test_after_such_an_epoch_the_next_is_not_trained() -> None:
    with stopped() as records:
        script = Script()
        script.training = script.loader(4 * STEPS, shuffle=True)
        for _ in range(3):
            for x, y in one_ahead(script.training):
                script.step(x, y)
    assert (len(script.losses), len(records.steps)) == (STEPS, STEPS)


def _by_hand(script: Script) -> None:
    for _ in range(10):
        script.step(torch.randn(4, 5, 2), torch.randn(4, 1))


def _by_next(script: Script) -> None:
    batches = iter(script.training)
    for _ in range(10):
        script.step(*next(batches))


@pytest.mark.parametrize(("train", "outcome"), [(_by_hand, "by_hand"), (_by_next, "by_next")])
def test_where_no_epoch_can_be_ended(train: Callable[[Script], None], outcome: str) -> None:
    with stopped() as records:
        script = Script()
        train(script)
        script.validate()
    assert early(records)["outcome"] == outcome
    assert (len(script.losses), script.validated) == (STEPS, [])
    assert records.of("stop")[0]["reason"] == "steps"


def test_a_script_that_fails_afterwards_is_not_blamed() -> None:
    with stopped() as records:
        script = Script()
        script.epoch()
        records.observer.crashed(IndexError, IndexError("epoch too short"), None)
    assert (early(records)["outcome"], early(records)["error"]) == ("failed", "IndexError: epoch too short")
    assert records.of("crash") == []
    assert records.of("stop")[0]["reason"] == "steps"
