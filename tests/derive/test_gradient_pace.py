"""The rate of plain gradient descent, and the gradients that it is given."""

import pytest

from rnn_doctor.schema.runlog import Step
from tests.derive.logs import adam, log, measure, steps, value_of


def sgd_steps(rates: tuple[float, ...]) -> list[Step]:
    return [step.model_copy(update={"lr": rates}) for step in steps([1.0] * 50)]


@pytest.mark.parametrize(("momentum", "rate"), [(0.0, 0.1), (0.9, 1.0)])
def test_momentum_adds_steps_up(momentum: float, rate: float) -> None:
    of = log(adam(kind="SGD", momentum=momentum), sgd_steps((0.1,)))
    assert value_of("rate_with_momentum", of) == pytest.approx(rate)


def test_of_several_groups_the_slowest() -> None:
    assert value_of("rate_with_momentum", log(adam(kind="SGD"), sgd_steps((0.5, 0.01)))) == pytest.approx(
        0.01
    )


def test_of_others_the_rate_does_not_tell() -> None:
    assert "length of its steps" in (
        measure("rate_with_momentum", log(adam(), sgd_steps((0.1,)))).absent or ""
    )
    assert measure("rate_with_momentum", log(adam(kind="SGD"))).absent
    assert measure("rate_with_momentum", log(adam(kind="SGD", momentum=1.0), sgd_steps((0.1,)))).absent


def test_gradients_are_taken_as_they_are_used() -> None:
    plain = steps([1.0] * 9, [float(k) for k in range(9)])
    assert value_of("grad_norm_used_median", log(adam(), plain)) == 4
    clipped = [step.model_copy(update={"clipped_norm": 0.5}) for step in plain]
    assert value_of("grad_norm_used_median", log(adam(), clipped)) == 0.5
    doubled = steps([1.0] * 9, [2.0 * k for k in range(9)])
    assert value_of("grad_norm_used_median", log(adam(), doubled)) == 8
    assert measure("grad_norm_used_median", log(adam(), steps([1.0] * 9, [None] * 9))).absent
    assert measure("grad_norm_used_median", log(adam())).absent
