"""Which axis the targets depend along, as evidence that batch and time are exchanged."""

from typing import Any

import pytest

from rnn_doctor.schema.wiring import AxisDependence
from tests.derive.logs import batch, loader, log, lstm, measure, readout, value_of

CLAIM, BY = "batch_axis_as_time", "batch_axis_told_by"


def told(**fields: Any) -> AxisDependence:
    """Targets that depend along the batch alone, in three batches."""
    return AxisDependence(**{
        "record": "axis_dependence", "step": 8, "module": 0, "batches": 3, "targets": 900, "time_score": 0.8,
        "time_lag": 2, "time_share": 0.01, "batch_score": 8.0, "batch_lag": 1, "batch_share": 0.4,
        "positions": 0.9, **fields,
    })  # fmt: skip


def run(*records: Any) -> Any:
    return log(lstm(), *records)


def test_targets_that_depend_along_the_batch_alone() -> None:
    assert value_of(CLAIM, run(told()), "lstm") is True
    assert value_of(BY, run(told()), "lstm") == "targets"


def test_targets_that_depend_along_time() -> None:
    in_order = run(told(time_score=2.0, batch_score=0.9))
    assert value_of(CLAIM, in_order, "lstm") is False
    assert value_of(CLAIM, run(told(time_score=2.0)), "lstm") is False  # a series in its order: along both
    assert measure(BY, in_order, "lstm").absent == "nothing tells that it runs along the batch"


def test_targets_that_the_batch_tells_altogether() -> None:
    assert value_of(CLAIM, run(told(batch_score=3.0, batch_share=0.8)), "lstm") is True
    assert value_of(CLAIM, run(told(batch_score=2.9, batch_share=1.0)), "lstm") is None
    assert value_of(CLAIM, run(told(batch_score=3.9, batch_share=0.79)), "lstm") is None


@pytest.mark.parametrize(
    "fields",
    [{"batch_score": 3.9}, {"time_score": 1.3}, {"positions": 1.3}, {"batches": 2}],
)
def test_what_leaves_it_open(fields: dict[str, Any]) -> None:
    assert value_of(CLAIM, run(told(**fields)), "lstm") is None
    assert value_of(CLAIM, run(told(**fields), readout(1)), "lstm") is False


def test_what_was_not_tested() -> None:
    absent = AxisDependence(record="axis_dependence", step=1, module=0, absent="packed")
    assert value_of(CLAIM, run(absent), "lstm") is None
    assert value_of(CLAIM, run(told(module=1)), "lstm") is None


def test_a_loader_that_does_not_shuffle_may_give_a_series() -> None:
    assert value_of(CLAIM, run(told(), loader(shuffled=False)), "lstm") is None
    assert value_of(CLAIM, run(told(), loader(shuffled=False, trains=False)), "lstm") is True
    assert value_of(CLAIM, run(told(), loader(shuffled=True)), "lstm") is True


def test_the_surest_evidence_is_named() -> None:
    one_row = [readout(k, top_row_share=1.0, last_share=0.05) for k in (1, 3)]
    assert value_of(BY, run(told(), *one_row), "lstm") == "gradient"
    crossed = [batch(k, time=32, batch=20, loader=0, loader_shape=(32, 20, 8)) for k in (1, 3)]
    assert value_of(BY, run(told(), loader(), *crossed), "lstm") == "loader"


def test_one_module_of_two() -> None:
    both = log(lstm(0, "one"), lstm(1, "two"), told(module=1))
    assert value_of(CLAIM, both, "two") is True
    assert value_of(CLAIM, both, "one") is None
