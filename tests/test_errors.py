"""Suggestions: the closest word, and no id of a rule for the like of its digits."""

import pytest

from rnn_doctor.errors import did_you_mean

RULES = ["RD103", "gradient-spikes", "RD419", "labels-by-heart"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("gradient-spike", " (did you mean 'gradient-spikes'?)"),
        ("rd103", " (did you mean 'RD103'?)"),
        ("RD1033", " (did you mean 'RD103'?)"),
        ("RD999", ""),
        ("RD410", ""),
        ("RD", ""),
        ("", ""),
        ("unlike-anything", ""),
    ],
)
def test_what_is_close(word: str, said: str) -> None:
    assert did_you_mean(word, RULES) == said
