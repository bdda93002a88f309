"""Warm-ups: how long a schedule's takes, and the one that RAdam has in itself."""

import pytest

from rnn_doctor.derive.view import View
from rnn_doctor.derive.warm_up import reached
from rnn_doctor.schema.built import Loader, Scheduler
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import adam, log, measure, samples, steps, value_of, weight

AT = (1, 3, 8, 21, 50)


def run(warm_up: int | None, rates: list[float], kind: str = "LinearLR") -> RunLog:
    plan = Scheduler(record="scheduler", kind=kind, optimizer=0, warm_up=warm_up)
    large = weight(shape=(1000, 1000))
    return log(adam(), large, plan, steps([1.0] * len(rates), lr=rates), samples(AT, lambda k: 1e-6 * k))


def loader(samples: int) -> Loader:
    return Loader(
        record="loader", id=0, samples=samples, batch_size=32, shuffled=True, workers=0, trains=True, given=50
    )


RISING = [1e-7 * (k + 1) for k in range(50)]


def test_a_warm_up_takes_as_many_updates_as_its_plan_has_calls() -> None:
    assert value_of("warm_up_updates", run(100_000, RISING)) == 100_000


def test_one_that_is_called_every_fifth_update_takes_five_times_as_many() -> None:
    seldom = [1e-7 * (k // 5 + 1) for k in range(50)]
    assert value_of("warm_up_updates", run(100, seldom)) == pytest.approx(100 * 50 / 9)


def test_one_that_was_not_called_takes_what_was_seen_a_call_or_more() -> None:
    assert value_of("warm_up_updates", run(1000, [1e-7] * 50)) == 50_000


def test_a_schedule_that_does_not_tell_is_not_known() -> None:
    assert "tells how long" in (measure("warm_up_updates", run(None, RISING, "LambdaLR")).absent or "")


@pytest.mark.parametrize(("warm_up", "judged"), [(30_000, False), (40_001, True), (None, False)])
def test_steps_are_judged_where_a_warm_up_is_longer_than_any(warm_up: int | None, judged: bool) -> None:
    found = measure("displacement_per_step", run(warm_up, RISING))
    assert (found.value is not None) == judged
    assert judged or "warming up" in (found.absent or "")


def test_a_schedule_in_updates_that_is_called_by_epochs_is_judged() -> None:
    assert value_of("path_per_step", run(1000, [1e-7] * 50)) is not None
    assert measure("path_per_step", run(5, [1e-7] * 50)).absent


def radam(beta2: float | None = None) -> RunLog:
    return log(adam(kind="RAdam", beta2=beta2), weight(), steps([1.0] * 50), samples(AT, lambda k: 1e-4 * k))


def test_radam_begins_with_steps_of_another_kind_and_then_grows() -> None:
    view = View(radam())
    assert [reached(view, update) for update in (1, 5)] == [0, 0]
    shares = [reached(view, update) for update in (6, 21, 50, 400)]
    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert shares[-1] == 1
    # Of torch: sqrt((rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho)) at 50 over that at 400.
    assert reached(view, 50) == pytest.approx(0.146 / 0.426, rel=0.05)


def test_a_shorter_average_of_radam_settles_sooner() -> None:
    assert reached(View(radam(0.99)), 50) > 1.2 * reached(View(radam()), 50)


def test_steps_of_radam_are_judged_by_what_they_grow_to() -> None:
    plain = log(adam(), weight(), steps([1.0] * 50), samples(AT, lambda k: 1e-4 * k))
    assert value_of("path_per_step", plain) == pytest.approx(0.01)
    grown = value_of("path_per_step", radam())
    assert isinstance(grown, float)
    assert grown > 0.03  # the one of the 21st update, a fifth of its later size
    spread = value_of("displacement_per_step", radam())
    assert isinstance(spread, float)
    assert spread > 3e-4


@pytest.mark.parametrize(
    ("warm_up", "samples", "passes", "judged"),
    [
        (12_000, 1920, 200, True),
        (12_000, 6400, 60, False),  # the longest of a published training has 53
        (3_000, 640, 150, False),  # full batches make passes of few updates
        (50_000, 640_000, 2.5, True),  # beyond all in updates
    ],
)
def test_a_warm_up_is_held_against_passes_over_the_data(
    warm_up: int, samples: int, passes: float, judged: bool
) -> None:
    seen = run(warm_up, RISING).model_copy(update={"loaders": {0: loader(samples)}})
    assert value_of("warm_up_passes", seen) == pytest.approx(passes)
    assert value_of("warm_up_endless", seen) is judged
    assert (measure("displacement_per_step", seen).value is not None) is judged


def test_passes_are_not_known_of_batches_by_hand() -> None:
    assert "by hand" in (measure("warm_up_passes", run(12_000, RISING)).absent or "")
    assert value_of("warm_up_endless", run(12_000, RISING)) is False
    assert "tells how long" in (measure("warm_up_endless", run(None, RISING)).absent or "")


@pytest.mark.parametrize(
    ("warm_up", "size", "given", "endless"),
    [
        (10_000, 100, None, True),  # batches by hand
        (8_000, 100, None, False),
        (10_000, 1_000, None, False),  # as many weights as published networks with such a warm-up
        (10_000, 100, 6_400, True),  # 50 passes
        (10_000, 100, 64_000, False),  # 5 passes: the data are many
    ],
)
def test_of_a_small_network_a_long_warm_up_is_none(
    warm_up: int, size: int, given: int | None, endless: bool
) -> None:
    loaders = {} if given is None else {0: loader(given)}
    plan = Scheduler(record="scheduler", kind="LambdaLR", optimizer=0, warm_up=warm_up)
    held = weight(shape=(1000, size))
    seen = log(adam(), held, plan, steps([1.0] * 50, lr=RISING), samples(AT)).model_copy(
        update={"loaders": loaders}
    )
    assert value_of("warm_up_endless", seen) is endless


@pytest.mark.parametrize(
    ("leads_to", "nothing"),
    [
        (5e-6, True),  # 1e-4 of the weights an update
        (1e-4, False),  # 2e-3
        (None, False),
        (1e-8, False),  # it has come further: the plan was changed
    ],
)
def test_steps_are_judged_by_the_rate_that_a_warm_up_leads_to(leads_to: float | None, nothing: bool) -> None:
    plan = Scheduler(record="scheduler", kind="LambdaLR", optimizer=0, warm_up=4000, warm_up_rate=leads_to)
    # Updates of 2e-7 of the weights at a rate of 1e-8, that grow with it.
    moves = [
        sample.model_copy(update={"update_norm": (2e-7 * sample.step,)})
        for sample in samples(AT, lambda k: 1e-7 * k * (k + 1))
    ]
    seen = log(adam(), weight(), plan, steps([1.0] * 50, lr=[1e-8 * (k + 1) for k in range(50)]), *moves)
    assert value_of("warm_up_to_nothing", seen) is nothing
    if nothing:
        assert value_of("path_per_step", seen) == pytest.approx(1e-4)
        assert value_of("displacement_per_step", seen) == pytest.approx(1e-4, rel=0.1)
    else:
        assert "warming up" in (measure("path_per_step", seen).absent or "")
