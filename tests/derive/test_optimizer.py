import math

import pytest

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema.signals import RUN
from tests.derive.logs import adam, log, measure, steps, value_of


def cosine(count: int, total: int) -> list[float]:
    return [0.5 * (1 + math.cos(math.pi * k / total)) for k in range(count)]


def schedule(rates: list[float]) -> tuple[float, float]:
    run = log(adam(), steps([1.0] * len(rates), lr=rates))
    remaining, starved = value_of("lr_remaining_min", run, "Adam"), value_of("lr_starved_share", run, "Adam")
    assert isinstance(remaining, float)
    assert isinstance(starved, float)
    return remaining, starved


@pytest.mark.parametrize("count", [20, 50, 500])
def test_schedules_that_end_with_the_run_are_not_starved(count: int) -> None:
    one_cycle = [k / (0.3 * count) for k in range(int(0.3 * count))]
    one_cycle += cosine(count - len(one_cycle), count - len(one_cycle))
    thirds = [0.1 ** (3 * k // count) for k in range(count)]
    quadratic = [(1 - k / count) ** 2 for k in range(count)]
    linear = [1 - k / count for k in range(count)]
    restarts = [cosine(10, 10)[k % 10] for k in range(count)]
    for rates in (cosine(count, count), one_cycle, thirds, quadratic, linear, restarts):
        assert schedule(rates)[1] <= 0.1


def test_plateau_and_warm_up_are_not_starved() -> None:
    remaining, starved = schedule([1e-3] * 40 + [1e-4] * 40)
    assert remaining == pytest.approx(0.1)
    assert starved == 0
    assert schedule([1e-6 * 1.3**k for k in range(50)]) == (1.0, 0.0)


@pytest.mark.parametrize("factor", [0.5, 0.8, 0.9])
def test_decay_at_every_batch_is_starved(factor: float) -> None:
    remaining, starved = schedule([factor**k for k in range(50)])
    assert remaining < 0.01
    assert starved > 0.1


def test_only_the_ratio_of_rates_counts() -> None:
    assert schedule([3.0 * r for r in cosine(40, 50)]) == pytest.approx(schedule(cosine(40, 50)))


def test_each_optimizer_has_its_own_rates() -> None:
    both = [
        step.model_copy(update={"optimizers": (0, 1), "lr": (1.0, 1.0, 0.5**k)})
        for k, step in enumerate(steps([1.0] * 30))
    ]
    run = log(adam(0, lr=(1.0, 1.0)), adam(1, kind="SGD"), adam(2, kind="Idle"), both)
    assert value_of("lr_remaining_min", run, "Adam") == 1
    assert value_of("lr_remaining_min", run, "SGD") == 0.5**29
    assert set(signals(run).signals["lr_remaining_min"].measurements) == {"Adam", "SGD"}
    assert measure("lr_remaining_min", run, "SGD").location == adam(1).location


def test_rates_that_cannot_be_told_apart_are_absent() -> None:
    both = steps([1.0] * 5, optimizers=(0, 1))
    run = log(adam(0), adam(1, kind="SGD"), both)
    assert measure("lr_starved_share", run, "SGD").absent
    assert measure("lr_remaining_min", run, "SGD").absent


def test_without_optimizers_there_is_nothing_to_measure() -> None:
    run = log(steps([1.0] * 5, optimizers=()))
    assert signals(run).signals["lr_remaining_min"].measurements == {}


@pytest.mark.parametrize(
    ("kind", "adaptive"), [("AdamW", True), ("RMSprop", True), ("SGD", False), ("LBFGS", False)]
)
def test_kinds_of_optimizers(kind: str, adaptive: bool) -> None:
    assert value_of("optimizer_adaptive", log(adam(kind=kind), steps([1.0]))) is adaptive


def test_adaptive_is_known_only_of_known_optimizers() -> None:
    assert "MyOptimizer" in (
        measure("optimizer_adaptive", log(adam(kind="MyOptimizer"), steps([1.0]))).absent or ""
    )
    assert value_of("optimizer_adaptive", log(steps([1.0], optimizers=()))) is False
    assert measure("optimizer_adaptive", log()).absent


def test_clipping_is_measured_by_what_it_takes_away() -> None:
    run = log(steps([1.0] * 8, [4.0] * 8, clip_limit=1.0, clipped_norm=1.0), steps([1.0] * 2, [0.5] * 2))
    assert value_of("clip_share", run) == 0.8
    assert value_of("clip_ratio_median", run) == 0.25
    doubled = log(steps([1.0] * 8, [8.0] * 8, clip_limit=2.0, clipped_norm=2.0), steps([1.0] * 2, [1.0] * 2))
    assert value_of("clip_ratio_median", doubled) == 0.25


def test_nothing_clips() -> None:
    run = log(steps([1.0] * 5))
    assert value_of("clip_share", run) == 0
    assert value_of("clip_ratio_median", run) == 1
    assert value_of("clip_late_share", run) == 0
    for name in ("clip_share", "clip_ratio_median", "clip_late_share"):
        assert measure(name, log()).absent
    assert measure("clip_share", log(steps([1.0] * 5, [None] * 5))).absent


def test_late_clipping_is_a_share_of_the_steps_with_a_clip_call() -> None:
    late, early = steps([1.0] * 3, clip_late=True), steps([1.0], clip_limit=1.0)
    assert value_of("clip_late_share", log(late, early, steps([1.0] * 9))) == 0.75
    both = steps([1.0] * 3, clip_late=True, clip_limit=1.0, clipped_norm=0.5)
    assert value_of("clip_late_share", log(both)) == 0


def test_steps_are_counted() -> None:
    assert value_of("steps_observed", log(steps([1.0] * 7))) == 7
    assert value_of("steps_observed", log()) == 0
    assert measure("steps_observed", log(), RUN).n == 0


@pytest.mark.parametrize(
    ("order", "alternate"),
    [([0, 1] * 6, True), ([0, 0, 0, 1] * 3, True), ([0] * 6 + [1] * 4, False), ([0] * 12, False)],
)
def test_optimizers_that_take_turns(order: list[int], alternate: bool) -> None:
    rows = [
        step.model_copy(update={"optimizers": (number,)})
        for step, number in zip(steps([1.0] * len(order)), order, strict=True)
    ]
    assert value_of("optimizers_alternate", log(adam(), adam(1), rows)) is alternate
    assert measure("optimizers_alternate", log(adam())).absent
