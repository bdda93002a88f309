import math
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_doctor.derive.generalization import LOOK_AHEAD, _pairs
from rnn_doctor.derive.view import View
from tests.derive.logs import evaluations, log, loss_call, measure, steps, value_of

NAMES = (
    "gap_growth", "validation_rise_early", "training_fall_since_best", "validation_below_training",
    "validation_lowest_share",
)  # fmt: skip
LEVEL = [2.0] * 20 + [1.0] * 20 + [0.5] * 20
"""Training losses, halved after 20 and 40 updates."""


def test_gap_that_opens() -> None:
    run = log(steps(LEVEL), evaluations([3.0, 2.4, 3.6], every=20))
    # 3/2, 2.4/1 and 3.6/0.5: of the last two the smaller counts.
    assert value_of("gap_growth", run) == pytest.approx(2.4 / 1.5 - 1)


def test_both_losses_fall_alike() -> None:
    assert value_of(
        "gap_growth", log(steps(LEVEL), evaluations([2.2, 1.1, 0.55], every=20))
    ) == pytest.approx(0)


@pytest.mark.parametrize("name", NAMES)
def test_unit_of_the_loss_does_not_matter(name: str) -> None:
    losses = [3.0, 2.4, 3.6]
    plain = log(steps(LEVEL + [0.5] * 5), evaluations(losses, every=20))
    scaled = log(steps([9 * v for v in LEVEL] + [4.5] * 5), evaluations([9 * v for v in losses], every=20))
    assert value_of(name, scaled) == pytest.approx(value_of(name, plain))


@pytest.mark.parametrize("name", NAMES[:3])
def test_a_sum_against_a_mean_does_not_matter(name: str) -> None:
    plain, summed = evaluations([3.0, 2.4, 3.6], every=20), evaluations([90.0, 72.0, 108.0], every=20)
    assert value_of(name, log(steps(LEVEL), summed)) == pytest.approx(
        value_of(name, log(steps(LEVEL), plain))
    )


def test_rise_needs_two_validations_above_the_best() -> None:
    def rise(losses: list[float]) -> object:
        return value_of("validation_rise_early", log(steps(LEVEL), evaluations(losses, every=10)))

    assert rise([2.0, 1.0, 1.2, 1.5]) == pytest.approx(0.2)
    assert rise([2.0, 1.0, 0.9, 1.5]) == pytest.approx(-0.1)
    assert rise([2.0, 1.0, 1.5, 0.9]) == pytest.approx(-0.1)


def test_training_goes_on_falling_after_the_best_validation() -> None:
    run = log(steps(LEVEL), evaluations([3.0, 2.4, 3.6], every=20))
    assert value_of("training_fall_since_best", run) == pytest.approx(0.5)
    last = log(steps(LEVEL), evaluations([3.0, 2.4, 2.0], every=20))
    assert value_of("training_fall_since_best", last) == 0


def test_validation_below_the_losses_after_it() -> None:
    run = log(steps(LEVEL), evaluations([0.8, 0.4], every=20))
    assert value_of("validation_below_training", run) == pytest.approx(0.2)
    assert value_of("validation_lowest_share", run) == 1
    # The mean of the epoch before is not what it is held against.
    assert value_of("validation_lowest_share", log(steps(LEVEL), evaluations([1.5, 0.7], every=20))) == 0


def test_one_lower_training_loss_is_enough() -> None:
    noisy = [2.0] * 22 + [0.7] + [2.0] * 37
    run = log(steps(noisy), evaluations([0.8, 0.8], every=20))
    assert value_of("validation_lowest_share", run) == 0.5


def test_best_validation_over_an_answer_that_knows_nothing() -> None:
    run = log(steps(LEVEL), evaluations([3.0, 2.0, 2.5]), loss_call(input_shape=(16, 4)))
    assert value_of("validation_uninformed_ratio", run) == pytest.approx(2 / math.log(4))
    two = log(steps(LEVEL), evaluations([3.0]), loss_call(), loss_call("mse_loss", site=1, baseline=0.3))
    assert "knows nothing" in (measure("validation_uninformed_ratio", two).absent or "")


@pytest.mark.parametrize("name", NAMES)
def test_absent(name: str) -> None:
    assert measure(name, log(evaluations([1.0] * 5))).absent == "no training step was seen"
    assert "no validation loss" in (measure(name, log(steps(LEVEL))).absent or "")
    assert (
        measure(name, log(steps([None] * 60), evaluations([1.0] * 5))).absent == "no training loss was seen"
    )
    assert "not positive" in (measure(name, log(steps(LEVEL), evaluations([1.0, -1.0, 1.0]))).absent or "")
    assert "needed" in (measure(name, log(steps(LEVEL), evaluations([1.0], every=20))).absent or "")


@given(
    st.lists(st.floats(0.1, 9), min_size=1, max_size=60),
    st.lists(st.integers(1, 70), min_size=1, max_size=20, unique=True),
    st.data(),
)
def test_pairs_are_those_of_a_look_at_every_step(
    losses: list[float], at: list[int], data: st.DataObject
) -> None:
    kept = data.draw(st.sets(st.integers(0, len(losses) - 1), min_size=1))
    records = [step for k, step in enumerate(steps(losses)) if k in kept]
    series = [
        e.model_copy(update={"step": s})
        for e, s in zip(evaluations([1.0] * len(at)), sorted(at), strict=True)
    ]
    found = _pairs(View(log(records, series)))
    assert not isinstance(found, str)
    begin = 0
    for pair, evaluation in zip(found, series, strict=True):
        before = [s.loss for s in records if begin < s.step <= evaluation.step and s.loss is not None]
        late = before[len(before) // 2 :]
        assert pair.before == (fmean(late) if late else None)
        assert pair.after == tuple(s.loss for s in records if 0 < s.step - evaluation.step <= LOOK_AHEAD)
        begin = evaluation.step
