"""The trend of the validation loss since its best, and where the training should have stopped."""

import math

import numpy as np
import pytest

from rnn_doctor.derive.curve_trend import trend_z
from rnn_doctor.derive.trends import mann_kendall
from tests.derive.logs import evaluations, log, measure, steps, value_of

DOWN = [2.0 * 0.97**k for k in range(400)]
VALLEY = [3.0, 2.0, 1.0, *(1.1 + 0.05 * k for k in range(12))]


def test_the_trend_begins_after_the_best() -> None:
    run = log(steps(DOWN), evaluations(VALLEY))
    assert value_of("validation_trend_z", run) == pytest.approx(65 / math.sqrt(12 * 11 * 29 / 18))
    assert value_of("training_trend", run) == pytest.approx(-65 / math.sqrt(12 * 11 * 29 / 18))


def test_where_the_best_is_recent_the_last_ten_count() -> None:
    run = log(steps(DOWN), evaluations([*(5.0 - 0.1 * k for k in range(14)), 3.8]))
    z = value_of("validation_trend_z", run)
    assert isinstance(z, float)
    assert z < -2.33


def test_a_loss_that_rose_and_stays_up_has_risen() -> None:
    rng = np.random.default_rng(0)
    level = [1.0 + 0.4 * (1 - math.exp(-k / 6)) for k in range(80)]
    run = log(steps(DOWN), evaluations([2.0, 1.5, *(v * (1 + 0.005 * rng.normal()) for v in level)]))
    z = value_of("validation_trend_z", run)
    assert isinstance(z, float)
    assert z > 2.33
    last_ten = [e.loss for e in run.evaluations[-10:] if e.loss is not None]
    assert mann_kendall(last_ten) < 2.33, "the last ten alone tell nothing"


def test_wandering_noise_is_no_trend() -> None:
    """Of autocorrelated noise the plain test calls far more than 1 %; the corrected one about as many as it should."""
    rng = np.random.default_rng(1)
    plain = corrected = 0
    for _ in range(200):
        values = [0.0]
        for _ in range(59):
            values.append(0.8 * values[-1] + rng.normal())
        plain += mann_kendall(values) > 2.33
        corrected += trend_z(values) > 2.33
    assert plain > 20
    assert corrected < plain / 2


def test_independent_noise_and_straight_lines_are_judged_as_before() -> None:
    rng = np.random.default_rng(2)
    white = rng.normal(size=60).tolist()
    assert trend_z(white) == pytest.approx(mann_kendall(white))
    line = [0.1 * k for k in range(30)]
    assert trend_z(line) == pytest.approx(mann_kendall(line))


def test_neither_scale_nor_offset_matters() -> None:
    rng = np.random.default_rng(3)
    values = (np.cumsum(rng.normal(size=50)) + 30).tolist()
    assert trend_z([3 * v + 7 for v in values]) == pytest.approx(trend_z(values))
    assert trend_z([-v for v in values]) == pytest.approx(-trend_z(values))


def test_absent() -> None:
    few = log(steps(DOWN), evaluations(VALLEY[:3]))
    for name in ("validation_trend_z", "training_trend"):
        assert measure(name, few).absent == "3 validations were seen, 10 are needed"
    assert measure("training_trend", log(steps([None] * 60), evaluations(VALLEY))).absent
