"""Targets of which no single step tells, but the sequence as a whole."""

import pytest
import torch

from benchmarks.thresholds import silent_inputs as kinds
from rnn_doctor.capture.probe.sensors.dependence import Dependence, dependence
from rnn_doctor.capture.probe.sensors.summaries import summaries
from rnn_doctor.derive.data_lag import MARGIN

N = 500


def told_of(draw: kinds.Draw) -> Dependence:
    torch.manual_seed(0)
    with torch.no_grad():
        return dependence(*draw(N))


@pytest.mark.parametrize("draw", [kinds.frequency, kinds.neighbours, kinds.palindrome, kinds.spread])
def test_the_whole_tells(draw: kinds.Draw) -> None:
    found = told_of(draw)
    assert max(*found.scores, found.whole or 0.0) > MARGIN


@pytest.mark.parametrize("draw", [kinds.tokens_apart, kinds.numbers_apart])
def test_nothing_tells(draw: kinds.Draw) -> None:
    found = told_of(draw)
    assert max(found.scores) <= 1
    assert found.whole is not None
    assert found.whole <= 1


def test_it_is_not_asked_where_a_step_tells() -> None:
    assert told_of(kinds.recalled).whole is None


@pytest.mark.parametrize("shape", [(N, 30, 1), (N, 2, 9), (N, 1, 3)])
def test_numbers(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    found = summaries(torch.randn(shape))
    assert all(len(each) == N and bool(each.isfinite().all()) for each in found)


def test_tokens_are_described_alike_whatever_they_are_called() -> None:
    torch.manual_seed(0)
    x = torch.randint(0, 6, (N, 12))
    for one, other in zip(summaries(x), summaries(x + 100), strict=True):
        torch.testing.assert_close(one, other)


def test_random_numbers_of_the_script_are_not_drawn() -> None:
    before = torch.get_rng_state()
    summaries(torch.ones(N, 4, 2))
    assert torch.equal(before, torch.get_rng_state())
