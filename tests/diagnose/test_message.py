"""Messages: what their formats make of numbers, and of what is missing."""

import math

import pytest

from rnn_doctor.diagnose.message import Message


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0.0% above"),
        (0.034, "3.4% above"),
        (0.38, "38% above"),
        (0.994, "99% above"),
        (1.0, "2.0 times"),
        (1.44, "2.4 times"),
        (48.82, "50 times"),
        (1234.5, "1236 times"),
        (-0.12, "12% below"),
        (math.inf, "inf times"),
        (math.nan, "nan times"),
    ],
)
def test_how_far_above(share: float, said: str) -> None:
    assert Message().format("{x:above}", x=share) == said


def test_what_no_format_fits_is_plain_and_what_is_missing_unknown() -> None:
    assert Message().format("{a:.2f} {b:above} {c:.0%}", a="text", b=None) == "text unknown unknown"
    assert Message().format("{a:above}", a="text") == "text"
