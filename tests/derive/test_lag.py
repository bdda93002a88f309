import math

import pytest

from rnn_doctor.schema.runlog import NonFinite
from tests.derive.logs import lag_profile, log, lstm, measure, value_of


def test_the_gain_before_the_first_update() -> None:
    learned = log(lstm(), lag_profile(-0.6), lag_profile(-0.4, step=50))
    assert value_of("lag_gain", learned, "lstm", lag=7) == pytest.approx(-2.8)
    assert value_of("lag_gain_start", learned, "lstm", lag=7) == pytest.approx(-4.2)
    assert measure("lag_gain_start", log(lstm(), lag_profile(step=50)), "lstm", lag=7).absent
    assert measure("lag_gain_start", learned, "lstm").absent, "nobody knows the lag"
    assert measure("lag_gain_start", log(lstm()), "lstm", lag=7).absent


def test_gain_at_the_lag() -> None:
    assert value_of("lag_gain", log(lstm(), lag_profile(-0.2)), "lstm", lag=20) == pytest.approx(-4)
    assert value_of("lag_gain", log(lstm(), lag_profile(-0.1)), "lstm", lag=20) == pytest.approx(-2)


def test_gain_between_measured_lags_is_interpolated() -> None:
    sparse = lag_profile().model_copy(update={"lags": (0, 10, 30), "decades": (0.0, -2.0, -8.0)})
    assert value_of("lag_gain", log(lstm(), sparse), "lstm", lag=20) == pytest.approx(-5)


def test_last_profile_and_better_direction_count() -> None:
    run = log(lstm(), lag_profile(-0.5), lag_profile(-0.3, step=30), lag_profile(-0.1, reverse=True))
    assert value_of("lag_gain", run, "lstm", lag=10) == pytest.approx(-1)
    forward = log(lstm(), lag_profile(-0.5), lag_profile(-0.3, step=30))
    assert value_of("lag_gain", forward, "lstm", lag=10) == pytest.approx(-3)


def test_what_is_measured_of_broken_values_does_not_count() -> None:
    gone = lag_profile().model_copy(update={"step": 30, "lags": (0, 30), "decades": (-math.inf, -math.inf)})
    broken = NonFinite(record="non_finite", step=30, what="input", subject="lstm")
    assert value_of("lag_gain", log(lstm(), lag_profile(-0.2), gone), "lstm", lag=5) == -45
    assert value_of("lag_gain", log(lstm(), lag_profile(-0.2), gone, broken), "lstm", lag=5) == pytest.approx(
        -1
    )
    assert "not measured" in (measure("lag_gain", log(lstm(), gone, broken), "lstm", lag=5).absent or "")


@pytest.mark.parametrize(
    ("start", "last", "expected"),
    [(-0.2, -0.41, True), (-0.2, -0.39, False), (-0.5, -0.9, False), (0.1, -0.1, True), (0.1, 0.05, False)],
)
def test_whether_the_updates_took_the_gradient_away(start: float, last: float, expected: bool) -> None:
    run = log(lstm(), lag_profile(start), lag_profile(last, step=50))
    assert value_of("lag_gain_lost_in_training", run, "lstm", lag=10) is expected
    assert "at the first" in (
        measure("lag_gain_lost_in_training", log(lstm(), lag_profile(step=9)), "lstm", lag=10).absent or ""
    )


def test_what_another_module_keeps() -> None:
    upper = lag_profile(-0.7).model_copy(update={"module": 1})
    both = log(lstm(), lstm(id=1, name="upper"), lag_profile(-0.4), upper)
    assert value_of("lag_gain_elsewhere", both, "upper", lag=9) == pytest.approx(-3.6)
    assert value_of("lag_gain_elsewhere", both, "lstm", lag=9) == pytest.approx(-6.3)
    assert measure("lag_gain_elsewhere", log(lstm(), lag_profile(-0.7)), "lstm", lag=9).absent


def test_gain_of_exactly_zero() -> None:
    cut = lag_profile().model_copy(update={"lags": (0, 5), "decades": (0.0, -math.inf)})
    assert value_of("lag_gain", log(lstm(), cut), "lstm", lag=5) < -7  # type: ignore[operator]


def test_horizon_ends_where_three_decades_are_lost() -> None:
    assert value_of("usable_horizon", log(lstm(), lag_profile(-0.21)), "lstm") == 14
    assert value_of("usable_horizon", log(lstm(), lag_profile(-0.42)), "lstm") == 7
    assert value_of("usable_horizon", log(lstm(), lag_profile(-0.01, longest=25)), "lstm") == 25


def test_absent() -> None:
    run = log(lstm(), lag_profile())
    assert "--lag" in (measure("lag_gain", run, "lstm").absent or "")
    assert "not 99" in (measure("lag_gain", run, "lstm", lag=99).absent or "")
    for name in ("lag_gain", "usable_horizon"):
        assert "not measured" in (measure(name, log(lstm()), "lstm", lag=3).absent or "")


def test_the_slope_before_learning() -> None:
    growing = log([lstm()], [lag_profile(0.05), lag_profile(-0.3, step=50), lag_profile(0.9, layer=1)])
    assert value_of("lag_slope_start", growing, "lstm") == pytest.approx(0.05)
    assert value_of("lag_gain_longest", growing, "lstm") == pytest.approx(0.05 * 30)
    lags = lag_profile().lags
    spread = lag_profile(-0.1, samples=tuple(tuple(s * lag for lag in lags) for s in (-0.2, -0.1, -0.05)))
    measured = measure("lag_slope_start", log([lstm()], [spread]), "lstm")
    assert measured.value == pytest.approx(-0.1)
    assert measured.interval == pytest.approx((-0.2, -0.05))


def test_what_the_first_step_alone_gains_is_no_growth() -> None:
    """As where the read-out passes a saturated tanh, and the state before it the gates."""
    leap = lag_profile(decades=(0.0, *(8.0 + 0.05 * lag for lag in range(1, 31))))
    assert value_of("lag_gain_longest", log([lstm()], [leap]), "lstm") == pytest.approx(0.05 * 30)
    assert value_of("lag_gain_longest", log([lstm()], [lag_profile(3.0, longest=1)]), "lstm") == 3.0


def test_a_stack_whose_layers_shrink_is_not_called_growing() -> None:
    stack = [lag_profile(0.05), *(lag_profile(slope, layer=k) for k, slope in enumerate((-0.2, -0.1, -0.3)))]
    assert value_of("lag_slope_start", log(lstm(), stack), "lstm") == pytest.approx(-0.1)
    growing = [lag_profile(0.05), lag_profile(-0.2, layer=0), lag_profile(0.06, layer=1)]
    assert value_of("lag_slope_start", log(lstm(), growing), "lstm") == pytest.approx(0.05)


def test_one_lag_does_not_decide_the_slope_and_nothing_has_none() -> None:
    values = [-0.2 * lag for lag in range(31)]
    values[10] = -30.0
    values[30] = -math.inf
    spoilt = log([lstm()], [lag_profile(decades=tuple(values))])
    assert value_of("lag_slope_start", spoilt, "lstm") == pytest.approx(-0.2, abs=1e-3)
    assert measure("lag_slope_start", log([lstm()], [lag_profile(longest=2)]), "lstm").absent
    assert measure("lag_slope_start", log([lstm()], [lag_profile(step=50)]), "lstm").absent
    assert measure("lag_gain_longest", log([lstm()]), "lstm").absent
