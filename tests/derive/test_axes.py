"""Which axis the targets depend along, as evidence that batch and time are exchanged."""

from typing import Any

import pytest

from rnn_doctor.schema.recurrence import StepReadout
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


def steps_read(step: int, **fields: Any) -> StepReadout:
    """A loop of 32 steps over 9 rows, of which one is read at every step."""
    return StepReadout(**{
        "record": "step_readout", "step": step, "module": 0, "steps": 32, "rows": 9, "last_share": 0.07,
        "top_row_share": 1.0, "rows_reached": 1, **fields,
    })  # fmt: skip


def looped(**fields: Any) -> bool | float | str | None:
    return value_of(CLAIM, run(steps_read(1, **fields), steps_read(3, **fields)), "lstm")


def test_a_loop_of_which_one_row_is_read() -> None:
    assert looped() is True
    assert value_of(BY, run(steps_read(1), steps_read(3)), "lstm") == "gradient"
    assert looped(rows_reached=9, top_row_share=0.2) is False
    assert looped(rows_reached=2) is False  # another has a part in it
    assert looped(top_row_share=0.99) is False
    assert looped(last_share=0.91) is False  # one sample of those at the end
    assert looped(rows=2) is None


def test_a_loop_that_was_looked_at_once() -> None:
    assert value_of(CLAIM, run(steps_read(1)), "lstm") is False
    assert value_of(CLAIM, run(steps_read(1), steps_read(3, rows_reached=9)), "lstm") is False


def in_a_row(shape: tuple[int, ...] = (32, 12, 2), samples: int | None = 3000, **fields: Any) -> Any:
    """Calls that take all examples of a loader's batch for the steps of one sequence."""
    given = {"time": 32, "batch": 1, "loader": 0, "loader_shape": shape, **fields}
    return lambda shuffled, by: value_of(
        by, run(loader(shuffled=shuffled, samples=samples), *(batch(k, **given) for k in (1, 3))), "lstm"
    )


def test_a_batch_that_is_taken_for_one_sequence() -> None:
    assert in_a_row()(True, CLAIM) is True
    assert in_a_row()(True, BY) == "loader"
    assert in_a_row(shape=(32, 24))(True, CLAIM) is True
    assert in_a_row()(None, CLAIM) is True
    assert in_a_row()(None, BY) == "examples"


@pytest.mark.parametrize(
    "given",
    [
        {"calls": 32},  # each example by itself
        {"shape": (32, 32, 2)},  # or are these the steps?
        {"time": 12},
        {"batch": 2},
        {"shape": (64, 12, 2)},  # not the loader's size
        {"packed": True},
    ],
)
def test_what_is_no_batch_in_a_row(given: dict[str, Any]) -> None:
    assert not in_a_row(**given)(True, CLAIM)
    assert not in_a_row(**given)(None, CLAIM)


def test_an_order_that_is_not_known() -> None:
    assert in_a_row()(False, CLAIM) is None  # frames of a film, one after another
    assert in_a_row(samples=None)(None, CLAIM) is None  # a stream
    assert in_a_row(shape=(32, 24))(None, CLAIM) is None  # rows of a table, or of a series


def test_the_steps_of_a_cell_are_its_calls() -> None:
    def of(calls: int, rows: int) -> bool | float | str | None:
        given = [
            batch(k, time=1, batch=rows, calls=calls, loader=0, loader_shape=(32, 20, 8)) for k in (1, 3)
        ]
        return value_of(CLAIM, log(lstm(kind="LSTMCell"), loader(), *given), "lstm")

    assert of(calls=32, rows=20) is True
    assert of(calls=20, rows=32) is False


def test_one_module_of_two() -> None:
    both = log(lstm(0, "one"), lstm(1, "two"), told(module=1))
    assert value_of(CLAIM, both, "two") is True
    assert value_of(CLAIM, both, "one") is None
