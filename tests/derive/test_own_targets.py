"""Trainings whose targets follow from what the network does, told from those that are given theirs."""

import math
from collections.abc import Sequence

import pytest

from rnn_doctor.derive.own_targets import COPIED, REWARDED, own_targets
from rnn_doctor.derive.view import View
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.wiring import LossSum
from tests.derive.logs import log, loss_call, lstm, measure, steps, value_of

SPIKE = [50.0 if k == 20 else 1.0 for k in range(30)]
RISING = [0.2] * 21 + [5.0] * 9


def run(
    losses: Sequence[float] = (*RISING[:3], -0.1, *RISING[4:]),
    sums: Sequence[tuple[float, float]] = ((0.3, 0.5), (0.3, -0.1)),
    function: str = "mse_loss",
    copied: bool = False,
) -> RunLog:
    """sums: means of the loss function and training losses of sampled updates."""
    records = [
        LossSum(record="loss_sum", step=k, calls=1, targets=16, mean=mean, loss=loss)
        for k, (mean, loss) in enumerate(sums, 1)
    ]
    return log(lstm(copied=copied), loss_call(function), steps(list(losses), SPIKE), records)


def test_an_agents_loss_falls_below_that_of_its_critic() -> None:
    assert own_targets(View(run())) == REWARDED


@pytest.mark.parametrize(
    "given",
    [
        run(losses=RISING),  # it never falls below zero
        run(sums=((0.3, -0.3), (0.4, -0.4))),  # a sign that is wrong: the same multiple throughout
        run(sums=((0.3, 0.5),)),  # one update tells of no other
        run(sums=()),
        run(function="gaussian_nll_loss"),  # may be negative by itself
        run(sums=((0.0, 0.5), (0.3, 0.3), (0.3, 0.301))),
    ],
)
def test_targets_that_are_given(given: RunLog) -> None:
    assert own_targets(View(given)) is None


def test_a_copy_of_the_network_makes_them() -> None:
    assert own_targets(View(run(losses=RISING, copied=True))) == COPIED


@pytest.mark.parametrize("own", [run(), run(losses=RISING, copied=True)])
def test_the_loss_does_not_tell_whether_a_spike_did_harm(own: RunLog) -> None:
    for name in ("grad_norm_spike_count", "grad_norm_spike_recovered"):
        assert "does not tell" in (measure(name, own).absent or "")
    assert value_of("grad_norm_spike_max", own) == 50
    assert value_of("grad_norm_spike_count", run(losses=RISING)) == 1


def test_without_a_spike_it_is_known_that_none_did_harm() -> None:
    quiet = log(lstm(copied=True), steps([1.0] * 30, [1.0] * 30))
    assert value_of("grad_norm_spike_count", quiet) == 0


def test_a_loss_that_breaks_tells_of_harm_whatever_the_targets() -> None:
    broken = run(losses=[*RISING[:22], math.nan, *[1.0] * 7], copied=True)
    assert value_of("grad_norm_spike_count", broken) == 1
