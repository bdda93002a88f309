"""Gradient norms before and after whatever changes them, at sampled and other steps alike."""

# mypy: disable-error-code="no-untyped-call"

import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.sensors.norms import norms, total
from tests.capture.records import Observation, observed

STEPS = 9
"""Steps 1, 3 and 8 are sampled."""


class Net(nn.Module):
    def __init__(self, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 4, sparse=sparse)
        self.gru = nn.GRU(4, 6, batch_first=True)
        self.head = nn.Linear(6, 1)

    def loss(self) -> torch.Tensor:
        output, _ = self.gru(self.embedding(torch.randint(20, (8, 5))))
        loss: torch.Tensor = self.head(output[:, -1]).square().mean() * 50
        return loss


def norm_of(tensors: Iterable[torch.Tensor]) -> float:
    """Plainly, in double precision."""
    dense = [t.grad.to_dense() if t.grad.is_sparse else t.grad for t in tensors if t.grad is not None]
    return math.sqrt(sum(float(g.double().square().sum()) for g in dense))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


Clip = Callable[[list[nn.Parameter]], Any]


def by_norm(limit: float) -> Clip:
    return lambda parameters: nn.utils.clip_grad_norm_(parameters, limit)


def by_norm_named(parameters: list[nn.Parameter]) -> None:
    nn.utils.clip_grad_norm_(parameters=iter(parameters), max_norm=0.5, norm_type=2.0)


def by_largest(parameters: list[nn.Parameter]) -> None:
    nn.utils.clip_grad_norm_(parameters, 0.01, norm_type=math.inf)


def by_value(parameters: list[nn.Parameter]) -> None:
    nn.utils.clip_grad_value_(parameters, 0.01)


def by_hand(parameters: list[nn.Parameter]) -> None:
    for p in parameters:
        assert p.grad is not None
        p.grad.clamp_(-0.01, 0.01)


def in_two_parts(parameters: list[nn.Parameter]) -> None:
    nn.utils.clip_grad_norm_(parameters[:2], 0.5)
    nn.utils.clip_grad_norm_(parameters[2:], 0.5)


def twice(parameters: list[nn.Parameter]) -> None:
    nn.utils.clip_grad_norm_(parameters, 5.0)
    nn.utils.clip_grad_norm_(parameters, 0.5)


def train(clip: Clip | None, momentum: float = 0.0) -> tuple[Observation, list[float], list[float]]:
    """The records, and the norms after backward and at the update as plain torch computes them."""
    before, used = [], []
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=momentum)
        for _ in range(STEPS):
            optimizer.zero_grad()
            net.loss().backward()
            before.append(norm_of(net.parameters()))
            if clip is not None:
                clip(list(net.parameters()))
            used.append(norm_of(net.parameters()))
            optimizer.step()
    assert records.of("sensor_off") == []
    return records, before, used


def test_without_clipping() -> None:
    records, before, _ = train(None)
    assert [s["grad_norm"] for s in records.steps] == pytest.approx(before, rel=1e-5)
    assert not any("clipped_norm" in s or "clip_limit" in s for s in records.steps)


@pytest.mark.parametrize(
    ("clip", "limit"),
    [
        (by_norm(0.5), 0.5), (by_norm_named, 0.5), (by_largest, 0.01), (by_value, 0.01), (by_hand, None),
        (in_two_parts, 0.5), (twice, 0.5),
    ],
)  # fmt: skip
def test_both_sides_of_a_clip(clip: Clip, limit: float | None) -> None:
    records, before, used = train(clip)
    assert all(b > 1.1 * u for b, u in zip(before, used, strict=True))
    assert [s["grad_norm"] for s in records.steps] == pytest.approx(before, rel=1e-4)
    assert [s["clipped_norm"] for s in records.steps] == pytest.approx(used, rel=1e-4)
    assert [s.get("clip_limit") for s in records.steps] == [limit] * STEPS
    places = [place["role"] for place in records.of("place")]
    assert places.count("clip") == (0 if limit is None else 1)


def in_one_part(parameters: list[nn.Parameter]) -> None:
    nn.utils.clip_grad_norm_(parameters, 0.5)


@pytest.mark.parametrize("clip", [in_one_part, twice])
def test_both_sides_of_a_clip_where_the_weights_are_updated_by_hand(clip: Clip) -> None:
    before, used = [], []
    with observed() as records:
        net = Net()
        for _ in range(STEPS):
            net.zero_grad()
            net.loss().backward()
            before.append(norm_of(net.parameters()))
            clip(list(net.parameters()))
            used.append(norm_of(net.parameters()))
            for p in net.parameters():
                assert p.grad is not None
                p.data.add_(p.grad, alpha=-0.001)
    assert records.of("sensor_off") == []
    assert all(b > 1.1 * u for b, u in zip(before, used, strict=True))
    assert [s["grad_norm"] for s in records.steps] == pytest.approx(before, rel=1e-4)
    assert [s["clipped_norm"] for s in records.steps] == pytest.approx(used, rel=1e-4)


def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    records, before, _ = train(by_norm(1e6))
    assert [s["grad_norm"] for s in records.steps] == pytest.approx(before, rel=1e-5)
    assert not any("clipped_norm" in s for s in records.steps)
    assert {s["clip_limit"] for s in records.steps} == {1e6}


@pytest.mark.parametrize("late", [False, True])
def test_a_norm_that_is_only_asked_for_is_no_clipping(late: bool) -> None:
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
        for _ in range(STEPS):
            optimizer.zero_grad()
            net.loss().backward()
            if not late:
                nn.utils.clip_grad_norm_(net.parameters(), math.inf)
            optimizer.step()
            if late:
                nn.utils.clip_grad_norm_(net.parameters(), float("inf"))
    assert all(s["grad_norm"] > 0 for s in records.steps)
    assert not any({"clip_late", "clip_limit", "clipped_norm"} & s.keys() for s in records.steps)


def test_a_clip_after_the_update_is_late() -> None:
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
        for _ in range(STEPS):
            optimizer.zero_grad()
            net.loss().backward()
            optimizer.step()
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    assert [s.get("clip_late", False) for s in records.steps] == [False] + [True] * (STEPS - 1)
    assert not any("clipped_norm" in s for s in records.steps)


@pytest.mark.parametrize("together", [True, False])
def test_two_optimizers(together: bool) -> None:
    """After one backward pass they make one step; with a pass each, two."""
    expected: list[float] = []
    with observed() as records:
        nets = [Net(), Net()]
        optimizers = [torch.optim.SGD(net.parameters(), lr=0.001) for net in nets]
        for _ in range(STEPS):
            for net in nets:
                net.zero_grad()
            if together:
                (nets[0].loss() + nets[1].loss()).backward()
                expected.append(norm_of([*nets[0].parameters(), *nets[1].parameters()]))
                nn.utils.clip_grad_norm_(nets[0].parameters(), 0.5)
                for optimizer in optimizers:
                    optimizer.step()
                continue
            for net, optimizer in zip(nets, optimizers, strict=True):
                net.loss().backward()
                expected.append(norm_of(net.parameters()))
                optimizer.step()
    assert records.of("sensor_off") == []
    assert [s["grad_norm"] for s in records.steps] == pytest.approx(expected, rel=1e-4)
    numbers = [s["optimizers"] for s in records.steps]
    assert numbers == ([[0, 1]] * STEPS if together else [[0], [1]] * STEPS)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("unscales", [False, True])
def test_loss_scaling_is_undone(unscales: bool, fused: bool) -> None:
    expected, losses = [], []
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001, fused=fused)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = net.loss()
            scaler.scale(loss).backward()
            losses.append(loss.item())
            expected.append(norm_of(net.parameters()) / 1024)
            if unscales:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            scaler.step(optimizer)
            scaler.update()
    assert records.of("sensor_off") == []
    assert [s["loss"] for s in records.steps] == pytest.approx(losses, rel=1e-5)
    assert [s["grad_norm"] for s in records.steps] == pytest.approx(expected, rel=1e-4)
    clipped = [s.get("clipped_norm") for s in records.steps]
    assert clipped == (pytest.approx([0.5] * STEPS, rel=1e-3) if unscales else [None] * STEPS)


@pytest.mark.parametrize("fused", [False, True])
def test_clipping_before_the_scaler_divides_is_told(fused: bool) -> None:
    expected = []
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001, fused=fused)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        for _ in range(STEPS):
            optimizer.zero_grad()
            scaler.scale(net.loss()).backward()
            expected.append(norm_of(net.parameters()) / 1024)
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            scaler.step(optimizer)
            scaler.update()
    assert records.of("sensor_off") == []
    assert [s["grad_norm"] for s in records.steps] == pytest.approx(expected, rel=1e-4)
    assert [s["clipped_norm"] for s in records.steps] == pytest.approx([0.5 / 1024] * STEPS, rel=1e-3)
    assert [s["clip_scale"] for s in records.steps] == [1024.0] * STEPS


@pytest.mark.parametrize("enabled", [False, True])
def test_a_scaler_that_divides_first_or_is_switched_off_scales_no_clip_call(enabled: bool) -> None:
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, enabled=enabled)
        for _ in range(STEPS):
            optimizer.zero_grad()
            scaler.scale(net.loss()).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            scaler.step(optimizer)
            scaler.update()
    assert not any("clip_scale" in s for s in records.steps)


def test_sparse_gradients() -> None:
    expected = []
    with observed() as records:
        net = Net(sparse=True)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
        for _ in range(STEPS):
            optimizer.zero_grad()
            net.loss().backward()
            assert net.embedding.weight.grad is not None
            assert net.embedding.weight.grad.is_sparse
            expected.append(norm_of(net.parameters()))
            optimizer.step()
    assert records.of("sensor_off") == []
    assert [s["grad_norm"] for s in records.steps] == pytest.approx(expected, rel=1e-4)


def test_gradients_that_are_nan_were_not_clipped() -> None:
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
        for _ in range(2):
            optimizer.zero_grad()
            (net.loss() * math.nan).backward()
            optimizer.step()
    assert all(math.isnan(s["grad_norm"]) for s in records.steps)
    assert not any("clipped_norm" in s for s in records.steps)
    assert records.of("non_finite")[0]["what"] == "loss"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_norms_in_every_precision(dtype: torch.dtype) -> None:
    # The squares of 300 exceed half precision's largest number.
    tensors = [torch.full((50,), 300.0, dtype=dtype), torch.full((2, 2), -1.0, dtype=dtype)]
    assert [float(n) for n in norms(tensors)] == pytest.approx([math.sqrt(50) * 300, 2.0], rel=1e-6)
    assert total(tensors) == pytest.approx(math.sqrt(50 * 300**2 + 4), rel=1e-6)


def test_norms_of_a_mixture() -> None:
    sparse = torch.sparse_coo_tensor(
        torch.tensor([[0, 0, 2]]), torch.tensor([3.0, 1.0, 3.0]), (4,), check_invariants=True
    )
    # Sparse gradients may hold an index twice: 3 + 1 there.
    tensors = [sparse, torch.tensor([12.0], dtype=torch.float16), torch.tensor(0.0)]
    assert [float(n) for n in norms(tensors)] == [5.0, 12.0, 0.0]
    assert total(tensors) == 13.0
    assert (norms([]), total([])) == ([], None)


def test_a_clip_that_returns_no_norm_does_not_stop_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    original = nn.utils.clip_grad_norm_

    def clip_grad_norm_(parameters: Any, limit: float) -> None:
        original(parameters, limit)

    monkeypatch.setattr(nn.utils.clip_grad, "clip_grad_norm_", clip_grad_norm_)
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
        for _ in range(STEPS):
            optimizer.zero_grad()
            net.loss().backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            optimizer.step()
    assert [off["sensor"] for off in records.of("sensor_off")] == ["norms"]
    assert len(records.steps) == STEPS
