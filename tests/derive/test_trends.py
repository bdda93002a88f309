import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_doctor.derive.trends import MOST_POINTS, ends, mann_kendall, running_median

SERIES = st.lists(st.integers(-1000, 1000).map(float), min_size=3, max_size=40)


def test_strictly_rising_series_of_ten() -> None:
    # S = 45 pairs, variance 10 * 9 * 25 / 18 = 125: Z = 44 / sqrt(125)
    assert mann_kendall(range(10)) == pytest.approx(44 / 125**0.5)


def test_ties_reduce_the_variance() -> None:
    # Two groups of two: S = 4, variance (4*3*13 - 2*2*1*9) / 18
    assert mann_kendall([1, 1, 2, 2]) == pytest.approx(3 / ((156 - 36) / 18) ** 0.5)


def test_constant_and_short_series_have_no_trend() -> None:
    assert mann_kendall([3.0] * 20) == 0
    assert mann_kendall([1.0, 2.0]) == 0


@given(SERIES)
def test_only_the_order_of_the_values_counts(series: list[float]) -> None:
    z = mann_kendall(series)
    assert mann_kendall([7 * v + 3 for v in series]) == pytest.approx(z)
    assert mann_kendall([-v for v in series]) == pytest.approx(-z)
    assert mann_kendall(series[::-1]) == pytest.approx(-z)


def test_long_series_are_thinned() -> None:
    noise = np.random.default_rng(0).normal(size=100_000)
    begin = time.process_time()
    z = mann_kendall((noise - np.linspace(0, 5, 100_000)).tolist())
    assert z < -10
    assert time.process_time() - begin < 5  # all pairs of 100,000 values would not fit into memory
    assert MOST_POINTS < 1000


def test_ends_are_medians_of_quarters() -> None:
    assert ends([9, 1, 1, 5, 5, 5, 5, 5, 5, 2, 2, 8]) == (1, 2)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(1, 25))
def test_running_median_is_that_of_the_values_before(series: list[float], window: int) -> None:
    expected = [float(np.median(series[max(0, k - window) : k])) for k in range(1, len(series))]
    assert running_median(series, window) == pytest.approx(expected)
