"""Cells of torch's in a loop that keeps the state of rows that have ended: the gain against autograd on the states."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tests.capture.records import observed

T, B, N, H = 9, 4, 3, 5

Keep = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def by_product(mask: torch.Tensor, new: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
    return mask * new + (1 - mask) * old


def by_choice(mask: torch.Tensor, new: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
    return torch.where(mask > 0, new, old)


@pytest.mark.parametrize("keep", [by_product, by_choice])
@pytest.mark.parametrize("read_all", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_the_gain_reaches_back_over_the_masked_steps(kind: Any, read_all: bool, keep: Keep) -> None:
    torch.manual_seed(0)
    ends = torch.tensor([T, T, 7, 6])
    with observed() as records:
        cell = kind(N, H)
        states: list[tuple[torch.Tensor, ...]] = [(torch.zeros(B, H),) * (2 if kind is nn.LSTMCell else 1)]
        for t, x in enumerate(torch.randn(T, B, N)):
            old = states[-1]
            new = cell(x, old if len(old) > 1 else old[0])
            mask = (ends > t).float().unsqueeze(1)
            pairs = zip(new if isinstance(new, tuple) else (new,), old, strict=True)
            states.append(tuple(keep(mask, n, o) for n, o in pairs))
        read = torch.stack([s[0] for s in states[1:]]) if read_all else states[-1][0]
        flat = [part for state in states[1:] for part in state]
        pulled = sum((part * torch.randn(B, H)).sum() for part in states[-1])
        back = torch.autograd.grad(pulled, flat, retain_graph=True, allow_unused=True)  # type: ignore[arg-type]
        read.square().sum().backward()  # type: ignore[no-untyped-call]
        torch.optim.SGD(cell.parameters(), lr=0.01).step()
    assert records.of("sensor_off") == []
    (gain,) = records.of("lag_gain")
    furthest = gain["lags"][-1]
    assert furthest >= T - 3  # the steps at both ends may lack a term
    parts = len(states[-1])
    squares = torch.stack([torch.zeros(B) if g is None else g.square().sum(1) for g in back])
    norms = squares.reshape(T, parts, B).sum(1).sqrt().log10().flip(0)
    truth = float((norms[furthest] - norms[0]).median())
    # The cotangent is another one: the slope must be the same, not the numbers.
    assert gain["decades"][-1] / furthest == pytest.approx(truth / furthest, abs=0.12)
