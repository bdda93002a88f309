"""Selecting rules by id, prefix and name."""

from typing import Any

import pytest

from rnn_doctor.diagnose.select import enabled
from rnn_doctor.errors import SettingsError
from tests.diagnose.books import book, rule

BOOK = book(
    rule("RD101", name="vanishing"),
    rule("RD103", name="spikes"),
    rule("RD301", name="step-too-large"),
    rule("RD302", name="new-one", status="preview"),
    rule("RD303", name="old-one", status="deprecated"),
)


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, {"RD101", "RD103", "RD301"}),
        ({"preview": True}, {"RD101", "RD103", "RD301", "RD302"}),
        ({"select": ["RD1"]}, {"RD101", "RD103"}),
        ({"select": ["RD103", "step-too-large"]}, {"RD103", "RD301"}),
        ({"ignore": ["spikes"]}, {"RD101", "RD301"}),
        ({"ignore": ["RD"]}, set()),
        ({"select": ["RD103"], "ignore": ["RD1"]}, {"RD103"}),
        ({"select": ["RD1"], "ignore": ["RD103"]}, {"RD101"}),
        ({"select": ["RD1"], "ignore": ["RD1"]}, set()),
        ({"select": ["RD3"]}, {"RD301"}),
        ({"select": ["old-one"]}, {"RD303"}),
        ({"select": ["RD302"], "preview": True}, {"RD302"}),
        ({"ignore": ["RD302"]}, {"RD101", "RD103", "RD301"}),
    ],
)
def test_enabled(options: dict[str, Any], ids: set[str]) -> None:
    assert enabled(BOOK, **options) == ids


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"select": ["RD1033"]}, r"select: no rule matches 'RD1033' \(did you mean 'RD103'"),
        ({"ignore": ["spike"]}, r"ignore: no rule matches 'spike' \(did you mean 'spikes'\?\)"),
        ({"select": ["rd103"]}, r"did you mean 'RD103'"),
        ({"select": [""]}, "no rule matches ''"),
        ({"select": ["RD302"]}, "RD302 new-one is a preview rule"),
    ],
)
def test_a_wrong_code_is_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        enabled(BOOK, **options)
