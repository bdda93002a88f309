import math

import pytest

from rnn_doctor.schema.wiring import LossSum
from tests.derive.logs import log, loss_call, measure, steps, value_of

STANDING = [1.39 + 0.05 * (k % 3) for k in range(200)]
NAMES = ("loss_end_uninformed", "loss_fall_late")


def test_a_loss_that_stands_at_the_uninformed_level() -> None:
    run = log(steps(STANDING), loss_call(input_shape=(16, 4)))
    assert value_of("loss_end_uninformed", run) == pytest.approx(1.44 / math.log(4))
    assert value_of("loss_fall_late", run) == 0


def test_a_first_fall_to_that_level_is_no_progress() -> None:
    run = log(steps([90.0 * 0.9**k for k in range(60)] + STANDING))
    assert value_of("loss_fall_late", run) == 0


def test_a_loss_that_falls() -> None:
    falling = [2.0 * 0.99**k for k in range(400)]
    run = log(steps(falling), loss_call(input_shape=(16, 4)))
    assert value_of("loss_end_uninformed", run) == pytest.approx(2 * 0.99**349.5 / math.log(4), rel=1e-3)
    assert value_of("loss_fall_late", run) == pytest.approx(1 - 0.99**150, rel=1e-3)


def test_unit_of_the_loss_does_not_matter() -> None:
    scaled = log(steps([7 * v for v in STANDING]), loss_call("mse_loss", baseline=7 * 1.4))
    plain = log(steps(STANDING), loss_call("mse_loss", baseline=1.4))
    for name in NAMES:
        assert value_of(name, scaled) == pytest.approx(value_of(name, plain))


def test_never_before_200_updates() -> None:
    early = log(steps(STANDING[:199]), loss_call())
    assert (
        measure("loss_fall_late", early).absent
        == "199 updates were seen with a training loss, 200 are needed"
    )


@pytest.mark.parametrize("name", NAMES)
def test_absent(name: str) -> None:
    assert "needed" in (measure(name, log(steps(STANDING[:11]), loss_call())).absent or "")
    assert measure(name, log()).absent == "no training step was seen"
    assert "finite" in (measure(name, log(steps([*STANDING, math.nan]), loss_call())).absent or "")


def test_what_an_answer_that_knows_nothing_gets_may_be_unknown() -> None:
    strange = log(steps(STANDING), loss_call("ctc_loss"))
    assert "knows nothing" in (measure("loss_end_uninformed", strange).absent or "")
    two = log(steps(STANDING), loss_call(), loss_call("mse_loss", site=1, baseline=1.4))
    assert "knows nothing" in (measure("loss_end_uninformed", two).absent or "")


def test_a_training_loss_that_is_a_sum_is_held_against_the_sum() -> None:
    sums = [LossSum(record="loss_sum", step=k, calls=1, targets=64, mean=1.4, loss=89.6) for k in (1, 3)]
    run = log(steps([64 * v for v in STANDING]), loss_call("mse_loss", baseline=1.4), sums)
    assert value_of("loss_end_uninformed", run) == pytest.approx(1.44 / 1.4)
