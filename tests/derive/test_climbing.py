"""Losses that a training makes larger."""

import pytest

from rnn_doctor.schema.runlog import LossCall
from tests.derive.logs import adam, log, loss_call, measure, steps, value_of

AT = [1, 3, 8, 21]
GROWING = [1.0 + 0.5 * k for k in range(21)]


def calls(factor: float = 1.0, function: str = "cross_entropy") -> list[LossCall]:
    return [loss_call(step=k, value=factor * GROWING[k - 1], function=function) for k in AT]


@pytest.mark.parametrize(
    ("passed", "growth"),
    [
        ([-value for value in GROWING], 11.0),
        (GROWING, 1.0),
        ([-1.01 * value for value in GROWING], 1.0),  # something else is in it
        ([*[-value for value in GROWING[:20]], 1.0], 1.0),
    ],
)
def test_only_the_exact_negative_counts(passed: list[float], growth: float) -> None:
    assert value_of("negated_loss_growth", log(adam(), steps(passed), calls())) == pytest.approx(growth)


def test_the_scale_of_the_loss_does_not_count() -> None:
    run = log(adam(), steps([-2.0 * value for value in GROWING]), calls(2.0))
    assert value_of("negated_loss_growth", run) == pytest.approx(11.0)


def test_an_optimizer_that_maximizes_turns_the_sign() -> None:
    up = adam(maximize=True)
    assert value_of("negated_loss_growth", log(up, steps(GROWING), calls())) == pytest.approx(11.0)
    negative = steps([-value for value in GROWING])  # the negative of a loss is made larger: as it should be
    assert value_of("negated_loss_growth", log(up, negative, calls())) == 1.0
    assert value_of("optimizer_maximizes", log(up)) is True
    assert measure("optimizer_maximizes", log(up, adam(1))).absent


def test_unknown() -> None:
    negative = steps([-value for value in GROWING])
    for parts in (calls(function="expression"), [*calls(), *calls()], calls()[:2], calls(-1.0)):
        assert "needed" in (measure("negated_loss_growth", log(adam(), negative, parts)).absent or "")
    assert measure("negated_loss_growth", log(adam())).absent
