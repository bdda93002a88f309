"""Flattened targets in another order than the outputs."""

from typing import Any

import pytest

from rnn_doctor.schema.wiring import AxisDependence
from tests.derive.logs import batch, log, loss_call, lstm, measure, value_of

CLAIM, SHARE = "targets_in_another_order", "targets_told_turned"


def looked_at(**fields: Any) -> AxisDependence:
    """Targets of which the inputs tell in the other order alone."""
    return AxisDependence(**{
        "record": "axis_dependence", "step": 8, "module": 0, "batches": 3, "targets": 900, "time_score": 0.8,
        "batch_score": 0.9, "positions": 0.9, "own_share": 0.01, "turned_share": 0.98, **fields,
    })  # fmt: skip


def claim(**fields: Any) -> bool | float | str | None:
    return value_of(CLAIM, log(lstm(), looked_at(**fields)), "lstm")


def test_the_other_order_tells() -> None:
    found = measure(CLAIM, log(lstm(), looked_at()), "lstm")
    assert (found.value, found.n) == (True, 900)
    assert value_of(SHARE, log(lstm(), looked_at()), "lstm") == 0.98


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"turned_share": 0.31}, True),
        ({"turned_share": 0.29}, False),
        ({"own_share": 0.09}, True),
        ({"own_share": 0.11}, False),
        ({"batches": 2}, False),
    ],
)
def test_near_the_thresholds(fields: dict[str, Any], expected: bool) -> None:
    assert claim(**fields) is expected


def test_time_tells_and_nothing_else_was_looked_at() -> None:
    assert claim(time_score=2.0, own_share=None, turned_share=None) is False


@pytest.mark.parametrize(
    ("target", "size", "expected"),
    [
        ((32,), (20, 32), False),  # one of each sequence
        ((32, 20), (20, 32), False),  # with axes of its own
        ((640,), (20, 32), None),
        ((640, 3), (20, 32), None),
        ((32, 32), (32, 32), None),
        ((32,), (1, 32), False),  # a single step has no order
    ],
)
def test_targets_that_cannot_stand_in_another_order(
    target: tuple[int, ...], size: tuple[int, int], expected: bool | None
) -> None:
    call = batch(1, time=size[0], batch=size[1])
    assert value_of(CLAIM, log(lstm(), call, loss_call(target_shape=target)), "lstm") is expected


def test_what_was_not_tested() -> None:
    assert claim(own_share=None, turned_share=None) is None
    assert claim(turned_share=None) is None
    absent = AxisDependence(record="axis_dependence", step=1, module=0, absent="packed")
    for name in (CLAIM, SHARE):
        assert "not tested" in (measure(name, log(lstm(), absent), "lstm").absent or "")
        assert "not tested" in (measure(name, log(lstm()), "lstm").absent or "")
