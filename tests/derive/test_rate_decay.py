"""Rates that fall by one factor again and again."""

import math

import pytest

from rnn_doctor.schema.built import Scheduler
from rnn_doctor.schema.runlog import RunLog, Stop
from tests.derive.logs import adam, log, measure, steps, value_of


def scheduled(rates: list[float]) -> RunLog:
    return log(adam(), steps([1.0] * len(rates), lr=rates))


@pytest.mark.parametrize(
    ("factor", "span", "count"), [(0.5, 7, 50), (0.5, 7, 46), (0.5, 7, 36), (0.8, 1, 50), (0.1, 5, 30)]
)
def test_what_a_decay_adds_up_to(factor: float, span: int, count: int) -> None:
    """However much of it was seen, span / (1 - factor)."""
    run = scheduled([3e-3 * factor ** (k // span) for k in range(count)])
    assert value_of("lr_updates_in_all", run, "Adam") == pytest.approx(span / (1 - factor))


@pytest.mark.parametrize(
    ("factor", "span", "count"), [(0.1, 30, 50), (0.5, 20, 50), (0.5, 20, 65), (0.95, 40, 41)]
)
def test_a_schedule_that_says_how_it_goes_on(factor: float, span: int, count: int) -> None:
    """One fall is enough."""
    rates = [3e-3 * factor ** (k // span) for k in range(count)]
    plan = Scheduler(record="scheduler", kind="StepLR", optimizer=0, decay=factor)
    run = scheduled(rates).model_copy(update={"schedulers": (plan,)})
    assert value_of("lr_updates_in_all", run, "Adam") == pytest.approx(span / (1 - factor))
    several = run.model_copy(update={"schedulers": (plan, plan)})
    other = run.model_copy(update={"schedulers": (plan.model_copy(update={"decay": 0.3}),)})
    none_yet = scheduled([3e-3] * count).model_copy(update={"schedulers": (plan,)})
    for unsaid in (scheduled(rates), several, other, none_yet):
        assert measure("lr_updates_in_all", unsaid, "Adam").absent


def test_schedules_that_end_or_go_otherwise() -> None:
    count = 50
    cosine = [0.5 * (1 + math.cos(math.pi * k / count)) for k in range(count)]
    linear = [1 - k / count for k in range(count)]
    root = [1 / math.sqrt(1 + k) for k in range(count)]
    stages = [0.1 ** (4 * k // count) for k in range(count)]
    uneven = [0.5 ** (k // 7 + (k > 40)) for k in range(count)]
    rising = [1e-6 * 1.3**k for k in range(count)]
    for rates in (stages, uneven):
        assert measure("lr_updates_in_all", scheduled(rates), "Adam").absent
    for rates in (cosine, linear, root, rising, [1.0] * count):
        assert measure("lr_updates_in_all", scheduled(rates), "Adam").absent
        assert value_of("lr_decays_away", scheduled(rates), "Adam") is False


@pytest.mark.parametrize(("span", "away"), [(7, True), (11, True), (15, False)])
def test_a_decay_that_adds_up_to_next_to_nothing(span: int, away: bool) -> None:
    run = scheduled([0.7 ** (k // span) for k in range(70)])
    assert value_of("lr_decays_away", run, "Adam") is away


@pytest.mark.parametrize(("decay", "away"), [(1.2, True), (0.4, True), (0.2, False), (0.01, False)])
def test_a_rate_that_is_divided_by_the_number_of_updates(decay: float, away: bool) -> None:
    """A million updates add up to some ln(decay * 1e6) / decay."""
    run = scheduled([0.1 / (1 + decay * k) for k in range(50)])
    whole = value_of("lr_updates_in_all", run, "Adam")
    assert whole == pytest.approx(sum(1 / (1 + decay * k) for k in range(1_000_000)), rel=0.02)
    assert value_of("lr_decays_away", run, "Adam") is away


def test_a_decay_after_a_warm_up() -> None:
    run = scheduled([0.25, 0.5, 0.75, *(0.9**k for k in range(47))])
    assert value_of("lr_updates_in_all", run, "Adam") == pytest.approx(1.5 + 10)
    again = scheduled([0.5 ** (k % 25) for k in range(50)])
    assert measure("lr_updates_in_all", again, "Adam").absent


def test_a_rate_that_is_gone() -> None:
    assert value_of("lr_decays_away", scheduled([1.0] * 20 + [0.001] * 30), "Adam") is True
    assert measure("lr_decays_away", scheduled([0.0] * 20), "Adam").absent


def test_rows_of_which_some_are_missing() -> None:
    run = scheduled([0.5 ** (k // 7) for k in range(50)])
    thinned = run.model_copy(update={"steps": run.steps[::2]})
    assert measure("lr_updates_in_all", thinned, "Adam").absent


@pytest.mark.parametrize(
    ("reason", "count", "away"),
    [("steps", 50, True), ("steps", 120, False), ("script_end", 50, False), ("time", 50, False)],
)
def test_a_hundredth_counts_where_the_training_goes_on(reason: str, count: int, away: bool) -> None:
    stop = Stop.model_validate(
        {"record": "stop", "step": count, "reason": reason, "seconds": 1.0, "probe_seconds": 0.1}
    )
    run = scheduled([0.1 ** min(2, 3 * k // count) for k in range(count)]).model_copy(update={"stop": stop})
    assert value_of("lr_decays_away", run, "Adam") is away
