"""Stored reports are read as they were written, and what is none is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from rnn_doctor.errors import ReportError
from rnn_doctor.render import FORMATS
from rnn_doctor.schema import stored
from rnn_doctor.schema.report import Report
from tests.render import reports

_LATER = {"rules", "thresholds", "suppressed", "remarks", "baseline", "contraindications"}
"""Keys of a report that the first version did not write."""


@pytest.mark.parametrize("report", [reports.healthy(), reports.ill(), reports.hostile()])
def test_a_report_is_read_as_it_was_written(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    text = FORMATS["json"](report)
    path.write_text(text, encoding="utf-8")
    assert [FORMATS["json"](again) for again in stored.read(path)] == [text]
    path.write_text(f"\n [{text}, {text}]", encoding="utf-8")
    assert [FORMATS["json"](again) for again in stored.read(path)] == [text, text]


def test_a_report_of_the_first_version_is_read(tmp_path: Path) -> None:
    data = json.loads(FORMATS["json"](reports.ill()))
    first = {key: value for key, value in data.items() if key not in _LATER}
    for finding in first["findings"]:
        for key in ("fingerprint", "change", "was"):
            del finding[key]
    path = tmp_path / "report.json"
    path.write_text(json.dumps(first), encoding="utf-8")
    assert stored.read(path) == [reports.ill()]


def _changed(**fields: Any) -> str:
    return json.dumps(json.loads(FORMATS["json"](reports.healthy())) | fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no report: "),
        ("{", "no report: "),
        ("{}", "no report of rnn-doctor"),
        ("[{}]", "no report of rnn-doctor"),
        ('{"record": "header"}', "no report of rnn-doctor"),
        ("[" * 100_000, "no report: "),
        (_changed(schema_version=2), "schema version 2, this rnn-doctor reads up to 1"),
        (_changed(findings=3), "no report: findings: "),
        (_changed(verse="x"), "holds verse, which this rnn-doctor does not know"),
    ],
)
def test_what_is_no_report_is_said(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReportError) as caught:
        stored.read(path)
    assert caught.value.message.startswith(f"{path}: ")
    assert message in caught.value.message
    assert caught.value.hint
    assert len(caught.value.message.splitlines()) == 1


def test_a_report_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        stored.read(tmp_path / "report.json")
