"""Learning rates that grow by a factor at every update."""

import pytest

from rnn_doctor.derive.view import View
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
        ([4e-6, *SEARCH[:-1]], 1.25),  # as Lightning begins one: with two of its steps at once
        ([1e-2 * 0.9**k for k in range(N)], 1.0),
    ],
)
def test_only_a_factor_at_every_update_counts(rates: list[float], growth: float) -> None:
    assert value_of("rate_growth", log(adam(), steps([1.0] * N, lr=rates))) == pytest.approx(growth)


@pytest.mark.parametrize(
    ("rates", "trained"),
    [
        ([*SEARCH[:30], *[1e-3] * 10], 10),
        ([4e-6, *SEARCH[:29], *[1e-3] * 10], 10),
        ([*SEARCH[:15], *[1e-5] * 25], 25),  # near
        ([*SEARCH[:14], *[1e-5] * 26], N),  # too short to tell (near)
        (SEARCH, N),  # nothing came after it
        ([*SEARCH[:30], *[SEARCH[29]] * 10], N),  # a warm-up, as no rate was put back
        ([*(1e-3 * (k + 1) / 20 for k in range(20)), *[5e-4] * 20], N),  # a linear one, then a decay
        ([1e-3] * 20 + [1e-4] * 20, N),
    ],
)
def test_the_training_begins_where_a_search_is_over(rates: list[float], trained: int) -> None:
    """Libraries put the weights back: spikes of the search are none of the training, nor are its losses."""
    view = View(log(adam(), steps([1.0] * N, lr=rates)))
    assert len(view.steps) == trained


def test_spikes_of_a_search_that_is_over_are_not_told() -> None:
    losses, norms = BROKEN[:30] + [1.0] * 10, [1.0] * 25 + [100.0] * 5 + [1.0] * 10
    search = log(adam(), lstm(), weight(), steps(losses, norms, lr=[*SEARCH[:30], *[1e-3] * 10]))
    assert value_of("grad_norm_spike_count", search) == 0
    even = log(adam(), lstm(), weight(), steps(losses, norms, lr=[1e-3] * N))
    assert value_of("grad_norm_spike_count", even) != 0


def test_the_optimizer_of_a_search_leads_no_series() -> None:
    """Lightning makes another for the training, which may have made fewer updates until then."""
    searching = steps([1.0] * 30, lr=SEARCH[:30])
    training = steps([1.0] * 40, lr=[1e-3] * 40, optimizers=(1,))[30:]
    view = View(log(adam(), adam(1), searching, training))
    assert (view.turns, len(view.steps), view.alternates) == ([(1,)], 10, False)


def test_unknown() -> None:
    assert "needed" in (measure("rate_growth", log(adam(), steps([1.0] * 8))).absent or "")
    assert measure("rate_growth", log(adam())).absent


@pytest.mark.parametrize(("rates", "astray"), [(SEARCH, True), ([0.1] * N, False)])
def test_the_spike_of_a_search_is_the_doing_of_its_steps(rates: list[float], astray: bool) -> None:
    near = samples([1, 8, 21], lambda _: 0.01)
    run = log(adam(kind="SGD"), lstm(), weight(), steps(BROKEN, SPIKED, lr=rates), near)
    assert value_of("steps_astray", run) is astray
