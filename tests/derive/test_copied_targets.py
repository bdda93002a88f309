"""Targets that are inputs: what is held against a script, and what is left alone."""

from typing import Any

import pytest

from rnn_doctor.schema.wiring import CopiedTargets
from tests.derive.logs import batch, log, lstm, measure, readout, value_of

CLAIM, FROM, SHARE, WHOLE = (
    "targets_copied", "targets_copied_from", "targets_copied_share", "targets_copied_whole",
)  # fmt: skip


def compared(**fields: Any) -> CopiedTargets:
    """A window that ends one step too late."""
    return CopiedTargets(**{
        "record": "copied_targets", "step": 8, "module": 0, "looks": 3, "targets": 192, "place": "last",
        "columns": 1, "of": 1, "still": 0.1, **fields,
    })  # fmt: skip


def test_the_last_input_is_the_target() -> None:
    run = log(lstm(), compared())
    found = measure(CLAIM, run, "lstm")
    assert (found.value, found.n) == (True, 192)
    assert value_of(FROM, run, "lstm") == "the last input of its sequence"
    assert (value_of(SHARE, run, "lstm"), value_of(WHOLE, run, "lstm")) == (1.0, False)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"place": None, "columns": 0}, False),
        ({"targets": 48}, True),
        ({"targets": 47}, None),
        ({"still": 0.5}, True),
        ({"still": 0.51}, False),
    ],
)
def test_near_the_thresholds(fields: dict[str, Any], expected: bool | None) -> None:
    assert value_of(CLAIM, log(lstm(), compared(**fields)), "lstm") is expected


def test_a_reverse_direction_that_the_loss_does_not_read() -> None:
    both, forward = readout(1), readout(1, unread_direction="reverse")
    assert value_of(CLAIM, log(lstm(), compared(place="next"), both), "lstm") is True
    assert value_of(CLAIM, log(lstm(), compared(place="next"), forward), "lstm") is False
    assert value_of(CLAIM, log(lstm(), compared(), forward), "lstm") is True


def test_all_of_a_step() -> None:
    whole = compared(place="same", columns=3, of=3)
    assert value_of(WHOLE, log(lstm(), whole), "lstm") is True
    assert value_of(WHOLE, log(lstm(), whole, batch(1, state="given")), "lstm") is False
    assert value_of(WHOLE, log(lstm(), compared(place="same")), "lstm") is False
    assert value_of(SHARE, log(lstm(), compared(columns=1, of=4)), "lstm") == 0.25


def test_what_was_not_compared() -> None:
    absent = CopiedTargets(record="copied_targets", step=1, module=0, absent="packed")
    assert "packed" in (measure(CLAIM, log(lstm(), absent), "lstm").absent or "")
    for name in (CLAIM, FROM, SHARE, WHOLE):
        assert "not held against" in (measure(name, log(lstm()), "lstm").absent or "")
