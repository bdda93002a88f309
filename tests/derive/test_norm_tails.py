from collections.abc import Sequence
from typing import Any

import pytest

from rnn_doctor.derive.norm_tails import tail
from tests.derive.logs import adam, log, measure, samples, steps, value_of

CALM = [1.0, 1.2, 0.9] * 10
TWO = [*CALM[:10], 8.0, *CALM[:10], 6.0, *CALM[:5]]


def sgd(**fields: Any) -> Any:
    return adam(kind="SGD", **fields)


def test_the_second_largest_ratio_is_the_tail() -> None:
    assert tail(TWO) == pytest.approx(6.0)
    assert tail([*CALM[:10], 8.0, *CALM]) < 1.5
    assert tail(CALM) == pytest.approx(1.2)


@pytest.mark.parametrize("factor", [1e-3, 7.0, 1e6])
def test_the_unit_of_the_norm_is_no_matter(factor: float) -> None:
    assert tail([factor * norm for norm in TWO]) == pytest.approx(tail(TWO))


def test_the_first_norms_do_not_count() -> None:
    assert tail([90.0, 70.0, 50.0, 30.0, 20.0, *CALM]) < 1.5
    assert value_of("grad_throw_max", log(sgd(), steps(norms=[90.0] * 5 + [1.0] * 30), samples([1]))) == 0.01


def test_a_trend_is_no_tail() -> None:
    assert tail([1.05**k for k in range(50)]) < 2
    assert tail([0.9**k for k in range(50)]) < 1.5


def test_a_throw_is_the_norm_times_the_rate_and_what_momentum_repeats_of_it() -> None:
    run: list[Any] = [steps(norms=TWO, lr=0.05), samples([1, 3])]
    assert value_of("grad_throw_max", log(sgd(), *run)) == pytest.approx(8 * 0.05)
    assert value_of("grad_throw_max", log(sgd(momentum=0.9), *run)) == pytest.approx(8 * 0.5)
    wide: list[Any] = [steps(norms=TWO, lr=0.05), samples([1], parameters=(0, 1, 2, 3))]
    assert value_of("grad_throw_max", log(sgd(), *wide)) == pytest.approx(8 * 0.05 / 2)


@pytest.mark.parametrize(
    ("kind", "fields", "unbounded"),
    [
        ("SGD", {}, True),
        ("ASGD", {}, True),
        ("SGD", {"clip_limit": 5.0}, False),
        ("SGD", {"clipped_norm": 0.5}, False),
        ("SGD", {"clip_late": True}, False),
        ("Adam", {}, False),
        ("RMSprop", {}, False),
        ("LARS", {}, False),
    ],
)
def test_what_bounds_an_update(kind: str, fields: dict[str, Any], unbounded: bool) -> None:
    assert value_of("update_unbounded", log(adam(kind=kind), steps(norms=CALM, **fields))) is unbounded


def test_one_clip_call_in_the_run_is_enough() -> None:
    clipped = steps(norms=CALM)
    clipped[7] = clipped[7].model_copy(update={"clip_limit": 1.0})
    assert value_of("update_unbounded", log(sgd(), clipped)) is False


@pytest.mark.parametrize(
    ("name", "records", "reason"),
    [
        ("update_unbounded", [], "no training step"),
        ("update_unbounded", [adam(kind="Sophia"), steps(norms=CALM)], "Sophia"),
        ("update_unbounded", [adam(kind="LBFGS"), steps(norms=CALM)], "LBFGS"),
        ("update_unbounded", [steps(norms=CALM, optimizers=())], "by hand"),
        ("grad_norm_tail", [], "no training step"),
        ("grad_norm_tail", [sgd(), steps(norms=CALM[:19])], "20 are needed"),
        ("grad_norm_tail", [sgd(), steps(norms=[*CALM[:19], float("inf"), *CALM])], "20 are needed"),
        ("grad_throw_max", [sgd(), steps(norms=CALM[:19]), samples([1])], "20 are needed"),
        ("grad_throw_max", [sgd(), steps(norms=CALM)], "size of the weights"),
    ],
)
def test_what_was_not_seen_is_not_told(name: str, records: Sequence[Any], reason: str) -> None:
    absent = measure(name, log(*records)).absent
    assert absent is not None
    assert reason in absent
