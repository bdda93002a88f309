"""`--deep`: copies of the process learn the batch of one update, and the training goes on as if there had been none."""

# mypy: disable-error-code="no-untyped-call"

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.capture.probe.trials import batch_fit, deep
from rnn_doctor.capture.probe.trials.tape import Recorder
from tests.capture.records import Observation, observed

OTHERS = [arm.name for arm in batch_fit.OTHERS]


@contextlib.contextmanager
def deeply(seconds: float = 60.0) -> Iterator[Observation]:
    """The probe with `--deep`."""
    try:
        with observed(seconds) as records:
            yield records
    finally:
        assert torch._C._len_torch_function_stack() == 0


class Script:
    """A training on batches that are drawn by hand, with dropout, clipping and a schedule."""

    def __init__(self, optimizer: str = "Adam", rate: float = 0.02, warm_up: bool = False) -> None:
        torch.manual_seed(0)
        self.net = nn.ModuleDict({"lstm": nn.LSTM(2, 8, 2, dropout=0.2), "head": nn.Linear(8, 2)})
        self.optimizer = getattr(torch.optim, optimizer)(self.net.parameters(), lr=rate)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: min(1.0, (step + 1) / 1000) if warm_up else 0.99**step
        )
        self.losses: list[float] = []

    def loss(self) -> torch.Tensor:
        x, y = torch.randn(6, 16, 2), torch.randint(2, (16,))
        return functional.cross_entropy(self.net["head"](self.net["lstm"](x)[0][-1]) * 3, y)

    def update(self) -> None:
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        self.losses.append(loss.item())
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()

    def train(self, updates: int = 6) -> "Script":
        for _ in range(updates):
            self.update()
        return self


def arms(records: Observation) -> dict[str, dict[str, Any]]:
    assert records.of("sensor_off") == []
    return {record["arm"]: record for record in records.of("batch_fit")}


def absent(records: Observation) -> str:
    ((name, record),) = arms(records).items()
    assert (name, record["losses"]) == ("own", [])
    return str(record["absent"])


def test_a_network_that_learns_its_batch_needs_no_other_arm() -> None:
    with deeply() as records:
        Script().train()
    (own,) = arms(records).values()
    assert "absent" not in own, own["absent"]
    assert (own["arm"], own["step"], own["learned"], own["rate"]) == ("own", deep.AT, True, 0.02)
    assert own["losses"][-1] <= own["losses"][0] / 2
    assert all(loss > own["losses"][0] / 2 for loss in own["losses"][:-1])


def test_the_first_loss_is_that_of_the_script_at_that_update() -> None:
    with deeply() as records:
        script = Script().train()
    assert arms(records)["own"]["losses"][0] == script.losses[deep.AT - 1]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop"])
def test_the_training_is_the_same_to_the_last_bit(optimizer: str) -> None:
    bare = Script(optimizer).train(8)
    drawn = torch.rand(3)
    with deeply() as records:
        probed = Script(optimizer).train(8)
        assert torch.equal(torch.rand(3), drawn)
    assert "own" in arms(records)
    assert probed.losses == bare.losses
    for name, tensor in bare.net.state_dict().items():
        assert torch.equal(tensor, probed.net.state_dict()[name])


def test_the_losses_of_the_log_are_those_without_it() -> None:
    """The call of a loss function is told once, although torch hands it on to the mode that notes it."""
    with deeply() as records:
        Script().train()
    with deeply(0.0) as without:
        Script().train()
    assert without.of("batch_fit") == []
    for kind in ("loss", "loss_sum", "batch", "readout", "mode"):
        assert records.of(kind) == without.of(kind)
    assert [step["loss"] for step in records.steps] == [step["loss"] for step in without.steps]


def test_a_rate_that_is_far_too_small_is_told_by_another() -> None:
    with deeply() as records:
        Script("SGD", 1e-6).train()
    found = arms(records)
    assert list(found) == ["own", *OTHERS]
    assert not found["own"]["learned"]
    assert found["adam"]["losses"][-1] < found["own"]["losses"][-1]
    assert [found[name]["rate"] for name in ("own", "rate_x10", "rate_x0.1", "rate_x100")] == pytest.approx(
        [1e-6, 1e-5, 1e-7, 1e-4]
    )
    assert {record["losses"][0] for name, record in found.items() if "fresh" not in name} == {
        found["own"]["losses"][0]
    }, "all begin with the same batch, masks and weights"


def test_weights_of_zero_are_told_by_fresh_ones() -> None:
    with deeply() as records:
        script = Script()
        with torch.no_grad():
            for parameter in script.net.parameters():
                parameter.zero_()
        script.train()
    found = arms(records)
    assert found["fresh"]["learned"]
    assert found["fresh"]["share"] == 1.0
    assert not any(found[name]["learned"] for name in found if "fresh" not in name)


def test_where_nothing_of_the_loss_is_optimized_no_arm_learns() -> None:
    with deeply() as records:
        script = Script()
        other = nn.ModuleDict({"lstm": nn.LSTM(2, 8, 2, dropout=0.2), "head": nn.Linear(8, 2)})
        script.net, script.stale = other, script.net  # type: ignore[attr-defined]
        script.train()
    found = arms(records)
    assert list(found) == ["own", *OTHERS]
    assert not any(record["learned"] for record in found.values())


def test_labels_that_mean_nothing_are_learned_all_the_same() -> None:
    """Of one batch; that is what tells them from a network that cannot learn."""
    with deeply() as records:
        script = Script(rate=0.03).train(6)
    assert arms(records)["own"]["learned"]
    assert min(script.losses) > 0.5


def test_the_rate_of_a_warm_up_is_the_one_that_it_leads_to() -> None:
    with deeply() as records:
        Script(warm_up=True).train()
    assert arms(records)["own"]["rate"] == 0.02


def test_gradients_are_clipped_as_the_script_clips_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def noted(*args: Any) -> batch_fit.Subject:
        seen.append(args[3])
        return batch_fit.Subject(*args)

    monkeypatch.setattr(deep, "Subject", noted)
    with deeply():
        Script().train()
    assert seen == [batch_fit.Clip(1.0, False)]


def by_hand(script: Script) -> None:
    script.loss().backward()
    with torch.no_grad():
        for parameter in script.net.parameters():
            assert parameter.grad is not None
            parameter.sub_(parameter.grad, alpha=0.1)
            parameter.grad = None


def in_two_passes(script: Script) -> None:
    script.optimizer.zero_grad()
    for _ in range(2):
        (script.loss() / 2).backward()
    script.optimizer.step()


def shared(script: Script) -> None:
    script.net.share_memory()
    script.update()


def written_as_function(script: Script) -> None:
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x * 1

        @staticmethod
        def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
            return gradients[0]

    script.optimizer.zero_grad()
    (Same.apply(script.loss()) * 2).backward()
    script.optimizer.step()


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        (by_hand, "the script updates its parameters by hand, without an optimizer"),
        (in_two_passes, "an update takes several backward passes"),
        (shared, "its parameters lie in memory that processes share"),
        (
            written_as_function,
            "part of its forward pass was not seen (TorchScript, an autograd.Function, a part before the last update)",
        ),
    ],
)
def test_where_it_cannot_be_tried_the_log_says_why(update: Callable[[Script], None], reason: str) -> None:
    with deeply() as records:
        script = Script()
        for _ in range(6):
            update(script)
    assert absent(records) == reason


def test_a_failure_in_it_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """`deeply` looks that no mode is left entered."""

    def fail(*_: Any) -> None:
        raise RuntimeError("a bug")

    bare = Script().train(8)
    monkeypatch.setattr(Recorder, "tape", fail)
    with deeply() as records:
        probed = Script().train(8)
        assert torch._C._len_torch_function_stack() == 0
    assert [off["sensor"] for off in records.of("sensor_off")] == ["deep"]
    assert probed.losses == bare.losses


@pytest.mark.parametrize("updates", [1, 3])
def test_a_training_that_ends_before_says_so(updates: int) -> None:
    with deeply() as records:
        Script().train(updates)
    assert absent(records) == "fewer than 4 updates were made"


def test_a_pass_that_differs_when_it_runs_again_does_not_count() -> None:
    class Counting(Script):
        seen = torch.zeros(())

        def loss(self) -> torch.Tensor:
            self.seen += 1  # of the process, and of its copy: by each repetition
            return super().loss() * self.seen

    with deeply() as records:
        Counting().train()
    assert "when it was run again" in absent(records)


def test_time_that_is_over_ends_it_with_what_was_tried() -> None:
    with deeply(1e-3) as records:
        Script("SGD", 1e-6).train()
    found = arms(records)
    assert list(found) == ["own"]


def test_the_script_waits_on_no_account_of_its_own() -> None:
    with deeply() as records:
        Script("SGD", 1e-6).train()
    (stop,) = records.of("stop")
    assert stop["seconds"] < 60
    assert stop["probe_seconds"] >= 0
