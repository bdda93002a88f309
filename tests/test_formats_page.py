"""docs/formats.md: what it shows is what is rendered, and no format is missing."""

import re
from typing import get_args

import pytest

from rnn_doctor.render import FORMATS
from rnn_doctor.render.gitlab import render
from rnn_doctor.schema.report import Report
from rnn_doctor.settings import SUFFIXES, Format
from tests import stored
from tests.generated import ROOT

PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
_NAMED = "charlm_exploding"


@pytest.mark.parametrize(
    ("name", "language"),
    [("markdown", "markdown"), ("github", "text"), ("gitlab", "json"), ("sarif", "json"), ("junit", "xml")],
)
def test_excerpts_are_of_what_is_rendered(name: str, language: str) -> None:
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (block,) = (
        re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)
        for part in section
        if part.startswith(f"{name}\n")
    )
    rendered = FORMATS[name](Report.model_validate_json(stored.text(_NAMED)))
    pieces = [piece for line in block[0].splitlines() for piece in line.split("...") if piece.strip()]
    assert pieces
    assert f"sample_logs/{_NAMED}.jsonl" in PAGE
    place = 0
    for piece in pieces:
        place = rendered.find(piece, place)
        assert place >= 0, piece


def test_every_format_has_a_row_with_its_suffixes() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (.*?) ?\|$", PAGE, re.MULTILINE))
    assert set(get_args(Format)) <= set(rows)
    for name in get_args(Format):
        told = re.findall(r"`(\S+?)`", rows[name])
        assert sorted(told) == sorted(suffix for suffix, form in SUFFIXES.items() if form == name)


def test_the_severities_of_gitlab_are_those_of_the_page() -> None:
    assert "An error is `critical`" in PAGE
    assert '"severity": "critical"' in render(Report.model_validate_json(stored.text(_NAMED)))
