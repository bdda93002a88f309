"""Numbers and foreign text in words."""

import math

import pytest

from rnn_doctor.render import wording
from rnn_doctor.schema.report import Evidence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (104.24, "104"),
        (12345.6, "12346"),
        (1e7, "1e+07"),
        (0.00012345, "0.000123"),
        (1.0, "1"),
        (-0.5, "-0.5"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred\x07", "[31mred"),
        ("\u202egnp.exe", "gnp.exe"),
        ("zero\u200bwidth", "zerowidth"),
        ("\x9b2J", "2J"),
        ("Größe 漢字", "Größe 漢字"),
        ("\ud800", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert wording.clean(text) == cleaned


def test_joined() -> None:
    assert [wording.joined(list("abc"[:n])) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12.0, "steps", "12 steps"),
        (1.0, "steps", "1 step"),
        (1.0, "units of the input", "1 units of the input"),
        (0.25, "share", "0.25"),
        (True, "claim", "yes"),
        (False, "claim", "no"),
        ("softmax", "words", "softmax"),
        (None, "ratio", "unknown"),
    ],
)
def test_value(value: bool | float | str | None, unit: str, text: str) -> None:
    assert wording.value(Evidence(signal="s", value=value, unit=unit)) == text
