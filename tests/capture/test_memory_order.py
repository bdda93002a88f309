"""Samples that were reshaped before they were tensors, told by their numbers."""

# mypy: disable-error-code="no-untyped-call"

import pytest
import torch
from torch import nn

from benchmarks.thresholds import memory_order as kinds
from rnn_doctor.capture.probe.sensors.memory_order import LEAP, leaps, reread
from tests.capture.records import observed

CONTRIVED = (kinds.pulses, kinds.stages)
"""All features are one number, which changes at each F-th part of the time."""


@pytest.mark.parametrize(
    "kind", [k for k in kinds.KINDS if k not in CONTRIVED], ids=lambda kind: kind.__name__
)
def test_samples_as_they_should_be(kind: kinds.Kind) -> None:
    assert max(kinds.scores(kind, reshaped=False)) < 1.2


@pytest.mark.parametrize(
    "kind", [kinds.walks, kinds.waves, kinds.frames, kinds.lagged], ids=lambda k: k.__name__
)
def test_samples_that_were_reshaped(kind: kinds.Kind) -> None:
    assert min(kinds.scores(kind, reshaped=True)) > LEAP


def test_what_is_told() -> None:
    torch.manual_seed(0)
    found = reread(kinds.walks(8, 8, 25).reshape(8, 25, 8))
    assert found is None  # a walk of 25 features over 8 steps is none over 25
    found = reread(kinds.walks(8, 25, 8).transpose(1, 2).reshape(8, 25, 8))
    assert found is not None
    assert (found.shape, found.viewed, found.within, found.by_numbers) == ((8, 8, 25), (8, 25, 8), True, True)


@pytest.mark.parametrize("shape", [(7, 20, 6), (16, 5, 6), (16, 20, 3), (16, 12, 12), (16, 400, 64)])
def test_what_is_too_small_or_alike_or_large(shape: tuple[int, int, int]) -> None:
    assert leaps(torch.randn(shape)) is None


def test_what_does_not_vary_or_is_not_finite() -> None:
    assert leaps(torch.ones(16, 20, 6)) is None
    assert leaps(torch.full((16, 20, 6), torch.nan)) is None


def test_scale_and_offset_do_not_matter() -> None:
    torch.manual_seed(0)
    x = kinds.levels(16, 20, 6)
    assert leaps(3 * x + 7) == pytest.approx(leaps(x), rel=1e-4)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("reshaped", [True, False])
def test_what_is_written(batch_first: bool, reshaped: bool) -> None:
    torch.manual_seed(0)
    data = kinds.walks(64, 25, 6)
    data = data.transpose(1, 2).reshape(64, 25, 6) if reshaped else data
    rnn, head = nn.GRU(6, 4, batch_first=batch_first), nn.Linear(4, 1)
    optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], 0.01)
    with observed() as records:
        for _ in range(3):
            x = data[torch.randperm(64)[:16]]
            last = rnn(x if batch_first else x.transpose(0, 1))[1]
            optimizer.zero_grad()
            head(last[-1]).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    found = [(each["viewed"], each.get("by_numbers")) for each in records.of("mixing")]
    assert found == ([([16, 25, 6], True)] if reshaped else [])
