"""The training loss as the script means it, and what its loss functions are given."""

# mypy: disable-error-code="no-untyped-call"

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.capture.probe.listening import Listening
from rnn_doctor.capture.probe.sensors.differences import Differences
from rnn_doctor.capture.probe.sensors.losses import Losses
from tests.capture.records import Observation, Records, observed


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Loop:
    """A small training under observation."""

    def __init__(self) -> None:
        self.net = nn.Linear(3, 1)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def loss(self) -> torch.Tensor:
        return functional.mse_loss(self.net(torch.randn(8, 3)), torch.randn(8, 1))

    def update(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()


def seen(records: Observation) -> list[float]:
    assert records.of("sensor_off") == []
    return [step["loss"] for step in records.steps]


@pytest.mark.parametrize("divide", [lambda loss: loss / 3, lambda loss: loss * (1 / 3), lambda loss: loss])
def test_accumulation_is_undone(divide: Any) -> None:
    meant = []
    with observed() as records:
        loop = Loop()
        for count in (3, 3, 2):  # the last batches of an epoch are fewer
            values = []
            for _ in range(count):
                loss = loop.loss()
                values.append(loss.item())
                divide(loss).backward()
            meant.append(sum(values) / count)
            loop.update()
    assert seen(records) == pytest.approx(meant, rel=1e-5)
    assert [step["backwards"] for step in records.steps] == [3, 3, 2]


def test_a_division_that_is_no_accumulation_stays() -> None:
    with observed() as records:
        loop = Loop()
        halves = []
        for _ in range(3):
            loss = loop.loss() / 2
            halves.append(loss.item())
            loss.backward()
            loop.update()
    assert seen(records) == pytest.approx(halves, rel=1e-5)


def test_accumulation_under_loss_scaling() -> None:
    meant = []
    with observed() as records:
        loop, scaler = Loop(), torch.amp.GradScaler("cpu", init_scale=256.0)
        for _ in range(3):
            values = []
            for _ in range(2):
                loss = loop.loss()
                values.append(loss.item())
                scaler.scale(loss / 2).backward()
            meant.append(sum(values) / 2)
            scaler.step(loop.optimizer)
            scaler.update()
            loop.optimizer.zero_grad()
    assert seen(records) == pytest.approx(meant, rel=1e-5)


def test_losses_of_several_lines_add_up() -> None:
    meant = []
    with observed() as records:
        loop = Loop()
        for _ in range(3):
            first, second = loop.loss(), loop.loss()
            meant.append(first.item() + second.item())
            first.backward()
            second.backward()
            loop.update()
    assert seen(records) == pytest.approx(meant, rel=1e-5)


def test_a_closure_counts_with_its_first_value() -> None:
    values: list[list[float]] = []
    with observed() as records:
        net = nn.Linear(3, 1)
        x, y = torch.randn(20, 3), torch.randn(20, 1)
        optimizer = torch.optim.LBFGS(net.parameters(), max_iter=5)

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = functional.mse_loss(net(x), y)
            loss.backward()
            values[-1].append(loss.item())
            return loss

        for _ in range(3):
            values.append([])
            optimizer.step(closure)
    assert all(len(v) > 1 for v in values[:1])
    assert seen(records) == pytest.approx([v[0] for v in values], rel=1e-5)
    assert [step["backwards"] for step in records.steps] == [len(v) for v in values]
    assert records.of("optimizer")[0]["closure"] is True


def sensor(records: Records) -> Losses:
    return Losses(records, Differences(Listening()))


def test_a_loss_without_a_single_value() -> None:
    losses = sensor(Records())
    vector = torch.ones(3, requires_grad=True) * 2
    losses.on_backward(vector, ("train.py", 1))
    assert (losses.backwards, losses.take(False), losses.backwards) == (1, None, 0)


def described(function: str, output: torch.Tensor, target: Any, **options: Any) -> dict[str, Any]:
    records = Records()
    result = getattr(functional, function)(output, target, **options)
    sensor(records).describe(1, function, output, target, result, options)
    (record,) = records.of("loss")
    assert record["function"] == function
    assert record["location"]["file"].endswith("test_losses.py")
    return record


def logits(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, requires_grad=True) * 3


def test_classification() -> None:
    output, target = logits(12, 4), torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    record = described("cross_entropy", output, target)
    assert (record["input_shape"], record["target_shape"]) == ([12, 4], [12])
    assert record["value"] == pytest.approx(functional.cross_entropy(output, target).item(), rel=1e-6)
    assert record["baseline"] == pytest.approx(math.log(4), rel=1e-6)
    assert (record["minimum"], record["maximum"]) == (output.min().item(), output.max().item())
    assert (record["simplex_share"], record["log_simplex_share"]) == (0.0, 0.0)
    assert "head" not in record
    assert "target_minimum" not in record


@pytest.mark.parametrize("shape", [(10, 5), (10, 5, 7), (6, 2), (4, 5, 3, 2)])
def test_rows_on_the_simplex(shape: tuple[int, ...]) -> None:
    target = torch.randint(shape[1], (shape[0], *shape[2:]))
    found = {
        name: described("cross_entropy", make(logits(*shape)), target)
        for name, make in (
            ("softmax", lambda x: x.softmax(1)),
            ("log_softmax", lambda x: x.log_softmax(1)),
            ("sigmoid", torch.sigmoid),
        )
    }
    assert {name: record["head"] for name, record in found.items()} == {name: name for name in found}
    shares = {name: (r["simplex_share"], r["log_simplex_share"]) for name, r in found.items()}
    assert shares["softmax"] == (1.0, 0.0)
    assert shares["log_softmax"] == (0.0, 1.0)
    assert max(shares["sigmoid"]) < 0.2


@pytest.mark.parametrize(
    ("function", "shape"), [("ctc_loss", (7, 3, 5)), ("ctc_loss", (7, 5)), ("kl_div", (6, 5))]
)
def test_classes_that_stand_last(function: str, shape: tuple[int, ...]) -> None:
    records = Records()
    for output in (logits(*shape), logits(*shape).log_softmax(-1), logits(*shape).softmax(-1)):
        sensor(records).describe(1, function, output, torch.ones(3), output.sum(), {})
    raw, log_softmax, softmax = records.of("loss")
    assert (log_softmax["simplex_share"], log_softmax["log_simplex_share"]) == (0.0, 1.0)
    assert (softmax["simplex_share"], softmax["log_simplex_share"]) == (1.0, 0.0)
    assert (raw["simplex_share"], raw["log_simplex_share"]) == (0.0, 0.0)


def test_how_far_labels_are_smoothed() -> None:
    labels = torch.zeros(5, dtype=torch.long)
    smoothed = described("cross_entropy", logits(5, 3), labels, label_smoothing=0.1)
    assert smoothed["label_smoothing"] == pytest.approx(0.1)
    assert "label_smoothing" not in described("cross_entropy", logits(5, 3), labels)


def test_what_a_poisson_loss_takes_its_input_for() -> None:
    assert described("poisson_nll_loss", logits(5), torch.ones(5))["log_input"] is True
    assert described("poisson_nll_loss", logits(5), torch.ones(5), log_input=False)["log_input"] is False
    assert "log_input" not in described("mse_loss", logits(5), torch.ones(5))


def test_one_class_is_on_no_simplex() -> None:
    record = described("cross_entropy", logits(5, 1), torch.zeros(5, dtype=torch.long))
    assert "simplex_share" not in record


def test_labels_that_are_ignored_do_not_count() -> None:
    target = torch.tensor([0, 1, 0, 1, 3, 3, 3, 3])
    assert described("cross_entropy", logits(8, 4), target, ignore_index=3)["baseline"] == pytest.approx(
        math.log(2), rel=1e-6
    )
    padded = torch.tensor([0, 0, 1, -100])
    entropy = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3))
    assert described("cross_entropy", logits(4, 2), padded)["baseline"] == pytest.approx(entropy, rel=1e-5)


def test_a_negative_label_that_is_ignored_by_position() -> None:
    records, target = Records(), torch.tensor([0, 1, -1])
    output = logits(3, 2)
    result = functional.cross_entropy(output, target, None, None, -1)
    sensor(records).describe(1, "cross_entropy", output, target, result, {})
    assert records.of("loss")[0]["baseline"] == pytest.approx(math.log(2), rel=1e-6)


def test_regression() -> None:
    target = torch.randn(16, 1) * 2 + 5
    record = described("mse_loss", logits(16, 1), target)
    assert record["baseline"] == pytest.approx(target.var(unbiased=False).item(), rel=1e-5)
    assert record["target_std"] == pytest.approx(target.std(unbiased=False).item(), rel=1e-5)
    assert (record["target_minimum"], record["target_maximum"]) == (target.min().item(), target.max().item())
    assert record["broadcast"] is False


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("l1_loss", {}),
        ("smooth_l1_loss", {}),
        ("smooth_l1_loss", {"beta": 0.1}),
        ("smooth_l1_loss", {"beta": 0.0}),
        ("huber_loss", {}),
        ("huber_loss", {"delta": 3.0}),
    ],
)
def test_the_best_number_for_all_targets_of_other_regressions(function: str, options: dict[str, Any]) -> None:
    target = torch.randn(500).exp()
    found = described(function, logits(500), target, **options)["baseline"]
    loss = getattr(functional, function)
    at = [
        loss(torch.full_like(target, c), target, **options).item() for c in torch.linspace(0, 3, 301).tolist()
    ]
    assert found == pytest.approx(min(at), rel=0.05)
    assert found >= min(at) * (1 - 1e-5)


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(
    ("output", "target", "broadcast"),
    [
        ((8, 1), (8,), True),
        ((8,), (8, 1), True),
        ((5, 5, 1), (5, 5), True),
        ((8, 1), (1, 8), True),
        ((8, 5, 1), (8, 1, 3), False),
        ((8, 1, 4), (1, 8, 4), False),
        ((8, 5), (8, 1), False),
        ((8, 1), (1,), False),
        ((8, 1), (8, 1), False),
        ((1, 1), (1,), False),
    ],
)
@pytest.mark.parametrize("function", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_broadcast(function: str, output: tuple[int, ...], target: tuple[int, ...], broadcast: bool) -> None:
    assert described(function, logits(*output), torch.randn(target))["broadcast"] is broadcast


def test_one_hot_targets() -> None:
    hot = functional.one_hot(torch.randint(4, (9,)), 4).float()
    assert described("binary_cross_entropy_with_logits", logits(9, 4), hot)["target_one_hot"] is True
    hot[0] = 1.0
    assert described("binary_cross_entropy_with_logits", logits(9, 4), hot)["target_one_hot"] is False


def test_a_call_site_is_described_once_a_step() -> None:
    with observed() as records:
        loop = Loop()
        for _ in range(4):
            total = sum((loop.loss() for _ in range(3)), torch.zeros(()))
            total = total + functional.l1_loss(loop.net(torch.randn(2, 3)), torch.zeros(2, 1))
            total.backward()
            loop.update()
    found = [(r["step"], r["function"], r["site"]) for r in records.of("loss")]
    assert found == [(1, "mse_loss", 0), (1, "l1_loss", 1), (3, "mse_loss", 0), (3, "l1_loss", 1)]


def test_a_loss_written_by_hand() -> None:
    with observed() as records:
        net = nn.Linear(3, 1)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        loss = ((net(torch.randn(8, 3)) - torch.randn(8)) ** 2).mean()
        loss.backward()
        optimizer.step()
    (record,) = records.of("loss")
    assert (record["function"], record["broadcast"], record["input_shape"]) == ("expression", True, [8, 1])
    assert record["value"] == pytest.approx(loss.item())


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_the_scales_of_outputs_and_targets_are_told(name: str) -> None:
    with observed() as records:
        loop = Loop()
        targets = 300 * torch.randn(8, 1) + 1000
        outputs = loop.net(torch.randn(8, 3))
        getattr(functional, name)(outputs, targets).backward()
        loop.update()
    (call,) = [record for record in records.of("loss") if record["function"] == name]
    assert (call["mean"], call["std"]) == pytest.approx(
        (outputs.mean().item(), outputs.std(unbiased=False).item())
    )
    assert call["target_mean"] == pytest.approx(targets.mean().item())
    assert call["target_std"] == pytest.approx(targets.std(unbiased=False).item())


def test_the_scales_of_classes_are_not() -> None:
    with observed() as records:
        loop = Loop()
        functional.cross_entropy(loop.net(torch.randn(8, 3)).expand(8, 2), torch.randint(2, (8,))).backward()
        loop.update()
    (call,) = records.of("loss")
    assert {"mean", "std", "target_mean"}.isdisjoint(call)


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_a_target_that_is_one_row_of_many() -> None:
    output, targets = logits(6, 4, 2), torch.randn(6, 4, 2)
    one_of: dict[str, torch.Tensor] = {
        "the last": targets[-1],
        "kept as a row": targets[:1],
        "given to all": targets[2].expand(6, 4, 2),
        "a part of a row": targets[-1, 0],
        "of the last steps the first": torch.randn(6, 9, 2)[:, -1][0],
    }
    for name, target in one_of.items():
        assert described("mse_loss", output, target)["rows_of_one"] == 6, name
    for name, target in {
        "whole": targets,
        "its own": torch.randn(4, 2),
        "a copy, which may be meant": targets[-1].clone(),
        "all rows are one": torch.ones(6, 4, 2)[-1],
        "of other rows": torch.randn(9, 4, 2)[-1],
        "the outputs drawn to the first": output.detach()[0],
        "a step of each": torch.randn(6, 5, 4, 2)[:, -1],
        "one sample, of as many steps as there are samples": torch.randn(6, 6, 4, 2)[0],
    }.items():
        assert described("mse_loss", output, target).get("rows_of_one") is None, name
    assert described("cross_entropy", logits(6, 3), torch.arange(6)[0].expand(6))["rows_of_one"] == 6
