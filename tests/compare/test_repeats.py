"""The range of one further run: that of the textbooks, and right in as many cases as it says."""

import math
import random

import pytest
from scipy import stats

from rnn_doctor.compare.repeats import FEWEST, LEVEL, expected


def test_it_is_the_prediction_interval_by_students_t() -> None:
    values = [3.0, 4.5, 5.0, 3.5, 4.0]
    found = expected(values, multiplies=False)
    assert found
    reach = stats.t.ppf((1 + LEVEL) / 2, 4) * stats.tstd(values) * math.sqrt(1 + 1 / 5)
    assert found == pytest.approx((4.0, 4.0 - reach, 4.0 + reach))


def test_what_multiplies_scatters_by_factors() -> None:
    values = [1.0, 10.0, 100.0]
    found, logs = expected(values, multiplies=True), expected([0.0, 1.0, 2.0], multiplies=False)
    assert found
    assert logs
    assert found == pytest.approx(tuple(10**end for end in logs))
    assert expected([-1.0, 1.0, 2.0], multiplies=True) == expected([-1.0, 1.0, 2.0], multiplies=False)
    huge = expected([1e-300, 1.0, 1e300], multiplies=True)
    assert huge
    assert (huge.low, huge.high) == (0.0, math.inf)


@pytest.mark.parametrize(
    "values", [[1.0, 2.0], [5.0, 5.0, 5.0], [1.0, math.inf, 2.0], [math.nan, 1.0, 2.0], []]
)
def test_what_tells_of_no_spread(values: list[float]) -> None:
    assert expected(values, multiplies=False) is None


@pytest.mark.parametrize("runs", [FEWEST, 5, 12])
@pytest.mark.parametrize("multiplies", [False, True])
def test_as_many_further_runs_lie_in_it_as_it_says(runs: int, multiplies: bool) -> None:
    chance = random.Random(runs)

    def draw() -> float:
        return math.exp(chance.gauss(0, 1)) if multiplies else chance.gauss(0.7, 0.1)

    inside = 0
    for _ in range(2000):
        found = expected([draw() for _ in range(runs)], multiplies=multiplies)
        inside += found is not None and found.low <= draw() <= found.high
    # 2,000 of them at 99 %: four standard errors are 0.9 points
    assert inside / 2000 == pytest.approx(LEVEL, abs=0.009)
