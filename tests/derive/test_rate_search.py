"""Learning rates that grow by a factor at every update."""

import pytest

from tests.derive.logs import adam, log, lstm, measure, samples, steps, value_of, weight

N = 40
SEARCH = [1e-5 * 1.25**k for k in range(N)]
BROKEN = [1.0] * 25 + [1.0 * 3.0**k for k in range(N - 25)]
SPIKED = [1.0] * 25 + [100.0 * 9.0**k for k in range(N - 25)]


@pytest.mark.parametrize(
    ("rates", "growth"),
    [
        (SEARCH, 1.25),
        ([1e-3 * 1.019**k for k in range(N)], 1.0),  # too slow to tell (near)
        ([1e-3 * (k + 1) / 1000 for k in range(N)], 1.0),  # a linear warm-up
        ([1e-3] * N, 1.0),
        ([*SEARCH[:30], *[SEARCH[29]] * 10], 1.0),  # it has come to an end
        ([1e-2 * 0.9**k for k in range(N)], 1.0),
    ],
)
def test_only_a_factor_at_every_update_counts(rates: list[float], growth: float) -> None:
    assert value_of("rate_growth", log(adam(), steps([1.0] * N, lr=rates))) == pytest.approx(growth)


def test_unknown() -> None:
    assert "needed" in (measure("rate_growth", log(adam(), steps([1.0] * 8))).absent or "")
    assert measure("rate_growth", log(adam())).absent


@pytest.mark.parametrize(("rates", "astray"), [(SEARCH, True), ([0.1] * N, False)])
def test_the_spike_of_a_search_is_the_doing_of_its_steps(rates: list[float], astray: bool) -> None:
    near = samples([1, 8, 21], lambda _: 0.01)
    run = log(adam(kind="SGD"), lstm(), weight(), steps(BROKEN, SPIKED, lr=rates), near)
    assert value_of("steps_astray", run) is astray
