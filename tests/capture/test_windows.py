"""Whether sequences are windows that move along one series."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.sensors.windows import Windows

B, T = 12, 10


def windows(stride: int) -> torch.Tensor:
    """Shapes: (B, T, 1)"""
    series = torch.randn(400, generator=torch.Generator().manual_seed(0))
    return series[stride * torch.arange(B)[:, None] + torch.arange(T)].unsqueeze(2)


def follow(x: torch.Tensor, batch_first: bool = True) -> bool | None:
    looks = Windows()
    looks.on_call(nn.GRU(1, 2, batch_first=batch_first), x if batch_first else x.transpose(0, 1))
    return looks.follow


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_windows_that_overlap(stride: int, batch_first: bool) -> None:
    assert follow(windows(stride), batch_first)


@pytest.mark.parametrize(
    "other",
    [
        lambda x: x[torch.randperm(B, generator=torch.Generator().manual_seed(1))],
        torch.ones_like,
        lambda x: x[:1].expand_as(x),
        lambda x: x[:2],
    ],
)
def test_what_is_no_series(other: Callable[[torch.Tensor], torch.Tensor]) -> None:
    assert follow(other(windows(1))) is False


def test_windows_side_by_side_share_nothing() -> None:
    assert follow(windows(T)) is False


def test_cells() -> None:
    looks, cell = Windows(), nn.GRUCell(1, 2)
    x = windows(1)
    looks.on_call(cell, x[:, 0])
    assert looks.follow is None
    looks.on_call(cell, x[:, 1])
    assert looks.follow
    looks = Windows()
    for t in (0, 1):
        looks.on_call(cell, torch.randn(B, 1, generator=torch.Generator().manual_seed(t)))
    assert looks.follow is False


def test_an_update_without_a_call() -> None:
    looks = Windows()
    looks.updated()
    assert looks.follow is False
