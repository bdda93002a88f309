"""Batches that repeat themselves: what is a fault, and what is meant."""

from typing import Any

import pytest

from rnn_doctor.schema.runlog import Record
from tests.derive.logs import batch, log, lstm, measure, readout, value_of

CLAIM, OVER = "input_repeated", "input_repeated_over"


def run(alike: tuple[str | None, ...], *others: Record, **fields: Any) -> tuple[object, object]:
    """Of two batches of 16 rows and 20 steps."""
    shape = {"time": 20, "batch": 16, "state": "none", **fields}
    made = log(lstm(), *(batch(k + 1, alike=each, **shape) for k, each in enumerate(alike)), *others)
    return value_of(CLAIM, made, "lstm"), value_of(OVER, made, "lstm")


def test_one_sequence_in_all_rows() -> None:
    assert run(("rows", "rows")) == (True, "samples")
    assert value_of("batch_rows", log(lstm(), batch(1, batch=16), batch(2, batch=9)), "lstm") == 16


def test_one_input_at_all_steps_of_what_reads_the_last() -> None:
    assert run(("steps", "steps"), readout(1, last_share=1.0)) == (True, "steps")


def test_one_input_that_begins_what_answers_at_each_step() -> None:
    assert run(("steps", "steps"), readout(1, last_share=0.05)) == (False, "nothing")
    assert run(("steps", "steps")) == (False, "nothing")
    assert run(("steps", "steps"), readout(1, last_share=1.0), calls=4, time=1) == (False, "nothing")


@pytest.mark.parametrize("alike", [(None, None), ("rows", None), ("rows", "steps")])
def test_batches_that_vary(alike: tuple[str | None, ...]) -> None:
    assert run(alike) == (False, "nothing")


@pytest.mark.parametrize("state", ["given", "carried"])
def test_a_decoder_that_is_given_a_state(state: str) -> None:
    assert run(("rows", "rows"), state=state) == (False, "nothing")


@pytest.mark.parametrize("fields", [{"batch": 3}, {"time": 2}, {"time": 1, "calls": 2}])
def test_too_small_to_tell(fields: dict[str, Any]) -> None:
    assert run(("rows", "rows"), **fields) == (None, None)


def test_a_single_batch_tells_nothing() -> None:
    assert run(("rows",)) == (None, None)
    assert (
        "not called" in (measure("batch_rows", log(lstm()), "lstm").absent or "")
        or value_of("batch_rows", log(lstm()), "lstm") is None
    )
