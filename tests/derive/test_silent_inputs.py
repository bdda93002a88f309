"""Inputs of which nothing was found to tell of their targets."""

from typing import Any

import pytest

from rnn_doctor.schema.recurrence import DataLag
from tests.derive.logs import batch, log, lstm, measure, value_of

CLAIM, COUNT = "inputs_tell_nothing", "sequences_tested"


def silent(**fields: Any) -> DataLag:
    return DataLag(**{
        "record": "data_lag", "step": 20, "module": 0, "target": "sequence", "statistic": "information",
        "rows": 640, "lags": (0, 1, 2), "scores": (0.4, -0.1, 0.9), "shares": (0.0, 0.0, 0.0), "whole": 0.5, **fields,
    })  # fmt: skip


def claim(**fields: Any) -> bool | float | str | None:
    return value_of(CLAIM, log(lstm(), silent(**fields)), "lstm")


def test_nothing_was_found() -> None:
    found = measure(CLAIM, log(lstm(), silent()), "lstm")
    assert (found.value, found.n) == (True, 640)
    assert value_of(COUNT, log(lstm(), silent()), "lstm") == 640


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"scores": (0.4, 1.0, 0.9)}, True),
        ({"scores": (0.4, 1.01, 0.9)}, None),
        ({"scores": (0.4, 1.26, 0.9)}, False),
        ({"whole": 1.01}, None),
        ({"whole": 1.26}, False),
        ({"whole": None}, None),
        ({"rows": 400}, True),
        ({"rows": 399}, None),
        ({"rows": 200, "scores": (3.0, 0.0, 0.0)}, False),
        ({"target": "step"}, None),
        ({"target": "step", "scores": (3.0, 0.0, 0.0)}, False),
    ],
)
def test_near_the_thresholds(fields: dict[str, Any], expected: bool | None) -> None:
    assert claim(**fields) is expected


def test_another_recurrence_may_read_what_tells() -> None:
    pair = log(lstm(), lstm(1, "other"), silent(), batch(1, 0), batch(1, 1))
    assert "another recurrence" in (measure(CLAIM, pair, "lstm").absent or "")


def test_what_was_not_tested() -> None:
    absent = DataLag(record="data_lag", step=1, module=0, absent="packed")
    assert "packed" in (measure(CLAIM, log(lstm(), absent), "lstm").absent or "")
    for name in (CLAIM, COUNT):
        assert "not tested" in (measure(name, log(lstm()), "lstm").absent or "")
