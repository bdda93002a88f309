"""Padding that the loss compares with padding."""

import pytest

from rnn_doctor.schema.recurrence import Padding
from rnn_doctor.schema.wiring import CopiedTargets
from tests.derive.logs import log, lstm, measure, value_of

CLAIM = "padding_in_loss"


def compared(idle: float | None) -> CopiedTargets:
    return CopiedTargets(record="copied_targets", step=8, module=0, looks=3, targets=900, idle=idle)


def padding(read_share: float | None) -> Padding:
    return Padding(
        record="padding", step=1, module=0, rows=16, padded_share=0.9, padding=0.6, read_share=read_share
    )


@pytest.mark.parametrize(
    ("read", "expected"), [(0.6, 0.7), (0.011, 0.7), (0.009, 0.0), (0.0, 0.0), (None, None)]
)
def test_a_mask_lets_no_gradient_through(read: float | None, expected: float | None) -> None:
    assert value_of(CLAIM, log(lstm(), compared(0.7), padding(read)), "lstm") == expected


def test_no_padding() -> None:
    assert value_of(CLAIM, log(lstm(), compared(0.0)), "lstm") == 0.0


def test_what_was_not_compared() -> None:
    for run in (log(lstm()), log(lstm(), compared(None))):
        assert "not held against" in (measure(CLAIM, run, "lstm").absent or "")
    assert "was not seen" in (measure(CLAIM, log(lstm(), compared(0.7)), "lstm").absent or "")
