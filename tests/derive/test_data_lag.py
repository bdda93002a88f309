"""What the data tell of the needed lag, and what follows for the gradient."""

import math
from typing import Any

import pytest

from rnn_doctor.derive.profiles import profiles
from rnn_doctor.schema.recurrence import DataLag
from tests.derive.logs import lag_profile, log, lstm, measure, readout, value_of
from tests.derive.recurrent_logs import flow

LONG = 30


def dependence(scores: dict[int, float] | None = None, share: float = 0.9, **fields: Any) -> DataLag:
    """A test whose statistics are those of chance but for the lags named; these tell the share of the target."""
    found = scores or {}
    lags = tuple(range(LONG + 1))
    return DataLag(**{
        "record": "data_lag", "step": 50, "module": 0, "target": "sequence", "statistic": "information",
        "rows": 800, "lags": lags, "scores": tuple(found.get(lag, 0.8) for lag in lags),
        "shares": tuple(share if lag in found else 0.01 for lag in lags), **fields,
    })  # fmt: skip


LAST = [readout(time=LONG + 1), readout(step=3, time=LONG + 1)]
EVERY = [readout(time=LONG + 1, last_share=0.05)]


def test_the_lags_that_tell_of_the_target() -> None:
    run = log(lstm(), dependence({4: 1.3, 20: 9.0, 25: 1.24}))
    assert value_of("data_lag_min", run, "lstm") == 4
    assert value_of("data_lag_max", run, "lstm") == 20
    assert value_of("data_lag_share", run, "lstm") == 0.9
    assert measure("data_lag_max", run, "lstm").n == 800


@pytest.mark.parametrize("name", ["data_lag_min", "data_lag_max", "data_lag_share"])
def test_no_lag_tells(name: str) -> None:
    assert "not tested" in (measure(name, log(lstm()), "lstm").absent or "")
    nothing = measure(name, log(lstm(), dependence()), "lstm")
    assert "no lag" in (nothing.absent or "")
    assert "800" in (nothing.absent or "")
    none = DataLag(record="data_lag", step=1, module=0, absent="too many classes")
    assert "too many classes" in (measure(name, log(lstm(), none), "lstm").absent or "")


def test_the_needed_lag_and_how_it_is_known() -> None:
    run = log(lstm(), LAST, dependence({4: 9.0, 20: 9.0}))
    assert value_of("needed_lag", run, "lstm") == 20
    basis = value_of("needed_lag_basis", run, "lstm")
    assert basis == "the data carry information at lags 4 to 20, test on 800 sequences"
    assert value_of("needed_lag", run, "lstm", lag=7) == 7
    assert value_of("needed_lag_basis", run, "lstm", lag=7) == "you said so with --lag"
    one = log(lstm(), LAST, dependence({20: 9.0}), lag_profile())
    assert "at lag 20, test" in str(value_of("needed_lag_basis", one, "lstm"))
    (strip,) = profiles(one).by_lag
    assert (strip.needed_lag, strip.needed_lag_basis) == (
        20,
        value_of("needed_lag_basis", one, "lstm"),
    )
    assert value_of("lag_given", run) is False
    assert value_of("lag_given", run, lag=7) is True


UNTOLD = {
    "nothing significant": (lstm(), LAST, dependence()),
    "a target at every step": (lstm(), LAST, dependence({20: 9.0}, target="step")),
    "two directions": (lstm(bidirectional=True), LAST, dependence({20: 9.0})),
    "of another module": (lstm(), LAST, dependence({20: 9.0}, module=1)),
}


@pytest.mark.parametrize("records", UNTOLD.values(), ids=UNTOLD.keys())
def test_data_that_do_not_tell_how_far_a_gradient_must_reach(records: Any) -> None:
    run = log(*records, lag_profile(-0.3))
    assert value_of("needed_lag", run, "lstm") == LONG  # the most it can be
    assert "at most" in str(value_of("needed_lag_basis", run, "lstm"))
    assert measure("lag_gain", run, "lstm").absent


def test_a_loss_that_reads_every_step_singles_out_no_lag() -> None:
    run = log(lstm(), EVERY, dependence({20: 9.0}), lag_profile(-0.3))
    for name in ("needed_lag", "needed_lag_basis", "lag_gain", "judged_lag"):
        assert "--lag" in (measure(name, run, "lstm").absent or "")


def judged(records: Any, **options: Any) -> tuple[Any, Any]:
    run = log(lstm(), LAST, *records)
    return value_of("judged_lag", run, "lstm", **options), value_of("lag_gain", run, "lstm", **options)


def test_the_nearest_lag_that_tells_is_judged_where_no_gradient_reaches_any() -> None:
    assert judged([dependence({20: 9.0, 28: 9.0}), lag_profile(-0.4)]) == (20, pytest.approx(-8))
    assert judged([dependence({20: 9.0, 28: 9.0}), lag_profile(-0.4)], lag=5) == (5, pytest.approx(-2))


def test_where_no_gradient_passes_at_all_it_is_gone_at_the_longest_lag() -> None:
    dead = lag_profile().model_copy(update={"decades": (-math.inf,) * (LONG + 1)})
    assert judged([dependence({0: 9.0, 5: 9.0}), dead]) == (5, pytest.approx(-45))


def test_the_longest_is_judged_where_a_gradient_reaches_all() -> None:
    assert judged([dependence({2: 9.0, 5: 9.0}), lag_profile(-0.4)]) == (5, pytest.approx(-2))


def test_little_told_within_reach_is_no_verdict() -> None:
    run = log(lstm(), LAST, dependence({2: 9.0, 5: 9.0}, share=0.2), lag_profile(-0.4))
    assert "less than half" in (measure("lag_gain", run, "lstm").absent or "")
    assert judged([dependence({2: 9.0, 5: 9.0}, share=0.3), lag_profile(-0.4)])[0] == 5


def test_some_reached_and_some_not_is_no_verdict() -> None:
    run = log(lstm(), LAST, dependence({0: 9.0, 28: 9.0}), lag_profile(-0.4))
    reason = measure("lag_gain", run, "lstm").absent or ""
    assert "lags 0 to 28" in reason
    assert "10^-11.2" in reason


def test_a_weak_dependence_far_away_is_no_verdict() -> None:
    """Half of the target is left for what nearer inputs tell together."""
    weak = log(lstm(), LAST, dependence({20: 9.0}, share=0.4), lag_profile(-0.4))
    assert "--lag" in (measure("lag_gain", weak, "lstm").absent or "")
    assert judged([dependence({20: 9.0}, share=0.51), lag_profile(-0.4)])[0] == 20


def test_lags_beyond_the_measured_profile() -> None:
    run = log(lstm(), LAST, dependence({20: 9.0}), lag_profile(-0.4, longest=10))
    assert "was not measured" in (measure("lag_gain", run, "lstm").absent or "")
    far = log(lstm(), LAST, dependence({5: 9.0, 20: 9.0}), lag_profile(-0.1, longest=10))
    assert measure("lag_gain", far, "lstm").absent  # the longer is not known to be reached
    assert "not measured" in (
        measure("lag_gain", log(lstm(), LAST, dependence({5: 9.0})), "lstm").absent or ""
    )


def test_a_bound_can_clear_but_never_find() -> None:
    assert judged([lag_profile(-0.05)]) == (30, pytest.approx(-1.5))
    run = log(lstm(), LAST, lag_profile(-0.4))
    reason = measure("lag_gain", run, "lstm").absent or ""
    assert "if your targets depend" in reason
    assert "10^-12.0" in reason
    short = log(lstm(), LAST, lag_profile(-0.05, longest=10))
    assert "over 10 steps" in (measure("lag_gain", short, "lstm").absent or "")


def test_a_state_that_is_carried_on_lifts_the_bound() -> None:
    for carried in ({"continued": 1}, {"detached": 1}, {"kept": 1}):
        run = log(lstm(), LAST, flow(step=3, **carried), lag_profile(-0.05))
        assert "carried on" in (measure("lag_bound", run, "lstm").absent or "")
        assert measure("lag_gain", run, "lstm").absent
