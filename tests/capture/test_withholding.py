"""Where the script does not validate, a copy learns without some of its examples; nothing of it reaches the script."""

# mypy: disable-error-code="no-untyped-call"

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

from rnn_doctor.capture.probe.stopping import StopProbe
from rnn_doctor.capture.probe.trials.tape import Recorder
from tests.capture.records import Observation, observed

STEPS = 24


@contextlib.contextmanager
def watched(steps: int = STEPS) -> Iterator[Observation]:
    """The probe as `check` sets it, for so many updates."""
    try:
        with observed(steps=steps, validate=True) as records:
            yield records
    finally:
        assert torch._C._len_torch_function_stack() == 0


class Script:
    """A training that goes through few sequences again and again: their labels mean nothing."""

    size, batch_size, length = 32, 16, 6

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.net = nn.ModuleDict({"lstm": nn.LSTM(2, 16, 2, dropout=0.1), "head": nn.Linear(16, 2)})
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.03)
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.99)
        self.losses: list[float] = []
        self.state: Any = None

    def data(self) -> Dataset[Any]:
        return TensorDataset(torch.randn(self.size, self.length, 2), torch.randint(2, (self.size,)))

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.net["head"](self.net["lstm"](x.transpose(0, 1), self.state)[0][-1])
        return scores

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self.scores(x), y)

    def learn(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        self.losses.append(loss.item())
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()

    def after_epoch(self) -> None:
        """Nothing."""

    def train(self, updates: int = STEPS) -> "Script":
        loader = DataLoader(self.data(), self.batch_size, shuffle=True)
        with contextlib.suppress(StopProbe):
            while True:
                for x, y in loader:
                    self.learn(x, y)
                    if len(self.losses) == updates:
                        return self
                self.after_epoch()
        return self


def withheld(records: Observation) -> dict[str, Any]:
    assert records.of("sensor_off") == []
    (record,) = records.of("withheld")
    return record


def test_labels_that_mean_nothing_are_learned_and_carry_nothing_over() -> None:
    with watched() as records:
        Script().train(STEPS)
    found = withheld(records)
    assert "absent" not in found, found["absent"]
    assert (found["step"], found["batches"], found["examples"], found["folds"]) == (STEPS, 2, 32, 4)
    steps = [look["step"] for look in found["looks"]]
    assert steps[-1] == STEPS
    assert steps == list(range(steps[0], STEPS + 1, steps[0])), "at even intervals"
    last = found["looks"][-1]
    assert (last["examples"]["count"], last["trained"]["count"]) == (32, 32)
    assert last["trained"]["mean"] < 0.5 < last["examples"]["mean"]
    assert last["rise"]["paired"]
    assert last["rise"]["mean"] > 0


def last_count(found: dict[str, Any]) -> int:
    return int(found["looks"][-1]["examples"]["count"])


class Regular(Script):
    """The labels follow from the sequences."""

    size = 96

    def data(self) -> Dataset[Any]:
        x = torch.randn(self.size, self.length, 2)
        return TensorDataset(x, (x[:, -1, 0] > 0).long())


def test_what_follows_from_the_inputs_carries_over() -> None:
    with watched(36) as records:
        Regular().train(36)
    found = withheld(records)
    assert found["examples"] == last_count(found) == 96
    first, last = found["looks"][0], found["looks"][-1]
    assert last["examples"]["mean"] < 0.7 * first["examples"]["mean"]
    assert last["rise"]["mean"] < 0


def test_the_training_is_the_same_to_the_last_bit() -> None:
    bare = Script().train(STEPS)
    drawn = torch.rand(3)
    with watched() as records:
        probed = Script().train(STEPS)
    assert torch.equal(torch.rand(3), drawn)
    assert "looks" in withheld(records)
    assert probed.losses == bare.losses
    for name, tensor in bare.net.state_dict().items():
        assert torch.equal(tensor, probed.net.state_dict()[name])
    assert repr(probed.optimizer.state_dict()) == repr(bare.optimizer.state_dict())


class Validating(Script):
    """It looks at other samples after each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.others = DataLoader(TensorDataset(torch.randn(16, 6, 2), torch.randint(2, (16,))), 16)

    def after_epoch(self) -> None:
        assert torch._C._len_torch_function_stack() == 0
        with torch.no_grad():
            for x, y in self.others:
                self.loss(x, y)


def test_where_the_script_validates_there_is_no_copy() -> None:
    with watched() as records:
        Validating().train()
    assert records.of("withheld") == []
    assert records.of("evaluation")


def test_nobody_asked() -> None:
    with observed(steps=STEPS) as records:
        Script().train(STEPS - 1)
    assert records.of("withheld") == []


def test_batches_made_by_hand_need_no_second_reason() -> None:
    with watched(6) as records, contextlib.suppress(StopProbe):
        script = Script()
        for _ in range(6):
            script.learn(torch.randn(16, 6, 2), torch.randint(2, (16,)))
    assert records.of("withheld") == []


class Fresh(Dataset[Any]):
    """Each time it is asked it draws another sample."""

    def __len__(self) -> int:
        return 32

    def __getitem__(self, index: int) -> Any:
        return torch.randn(6, 2), torch.randint(2, ())


class Drawing(Script):
    def data(self) -> Dataset[Any]:
        return Fresh()


class Carrying(Script):
    def scores(self, x: torch.Tensor) -> torch.Tensor:
        output, state = self.net["lstm"](x.transpose(0, 1), self.state)
        self.state = tuple(part.detach() for part in state)
        scores: torch.Tensor = self.net["head"](output[-1])
        return scores


class ByHand(Script):
    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        chances = torch.log_softmax(self.scores(x), -1)
        return -chances[torch.arange(len(y)), y].mean()


class Weighted(Script):
    """The mean of single losses is another one than the script's."""

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self.scores(x), y, torch.tensor([1.0, 5.0]))


class Normalizing(Script):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2)

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.norm(super().scores(x))
        return scores


class Reusing(Script):
    """All batches are copied to the same place."""

    place = torch.empty(16, 6, 2)

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return super().loss(self.place.copy_(x), y)


class Accumulating(Script):
    def learn(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.loss(x[:8], y[:8]).backward()
        super_loss = self.loss(x[8:], y[8:])
        super_loss.backward()
        self.losses.append(super_loss.item())
        self.optimizer.step()
        self.optimizer.zero_grad()


class Large(Script):
    size = 17 * 16


class Long(Script):
    size = 16 * 8


class Tiny(Script):
    size, batch_size = 12, 6


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Drawing, "its training examples are others in each pass"),
        (Carrying, "a state is carried on from batch to batch"),
        (ByHand, "its loss does not fall into examples"),
        (Weighted, "its loss does not fall into examples"),
        (Normalizing, "a layer normalizes over the batch, and so mixes its examples"),
        (Reusing, "its batches lie in memory that is written to again"),
        (Accumulating, "an update takes several backward passes"),
        (Large, "a pass over its data takes more than 16 batches"),
        (Long, "fewer than 4 passes over its data are observed"),
        (Tiny, "a pass over its data has 12 examples, 16 are needed"),
    ],
)
def test_where_there_can_be_no_copy_the_log_says_why(script: type[Script], reason: str) -> None:
    with watched() as records:
        script().train()
    assert withheld(records)["absent"] == reason


def test_a_network_that_was_trained_before_has_no_new_examples() -> None:
    earlier = Script().train(2).optimizer.state_dict()
    with watched() as records:
        script = Script()
        script.optimizer.load_state_dict(earlier)
        script.train()
    assert withheld(records)["absent"] == "its optimizer goes on from an earlier training"


def test_a_failure_in_it_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """`watched` looks that no mode is left entered."""

    def fail(*_: Any) -> None:
        raise RuntimeError("a bug")

    bare = Script().train(STEPS)
    monkeypatch.setattr(Recorder, "tape", fail)
    with watched() as records:
        probed = Script().train(STEPS)
        assert torch._C._len_torch_function_stack() == 0
    assert [off["sensor"] for off in records.of("sensor_off")] == ["withheld"]
    assert probed.losses == bare.losses


def test_its_time_is_not_that_of_the_observation() -> None:
    with watched() as records:
        Script().train(STEPS)
    (stop,) = records.of("stop")
    assert 0 <= stop["probe_seconds"] <= stop["seconds"]
