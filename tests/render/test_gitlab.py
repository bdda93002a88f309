"""The Code Quality report, against the structure that GitLab documents."""

import json

import pytest

from rnn_doctor.render.gitlab import render, together
from tests.render import readers, reports

_SEVERITIES = {"critical": "error", "major": "warning", "info": "note"}


@pytest.mark.parametrize("name", ["ill", "full", "healthy", "hostile"])
def test_it_keeps_the_documented_structure(name: str) -> None:
    readers.gitlab(render(getattr(reports, name)()))


def test_findings_lines_and_severities_are_those_of_the_report() -> None:
    report = reports.full()
    read = [
        (
            issue["check_name"],
            _SEVERITIES[issue["severity"]],
            issue["location"]["path"],
            issue["location"]["lines"]["begin"],
            issue["description"],
        )
        for issue in readers.gitlab(render(report))
    ]
    assert read == [
        (f"{rule} {finding.name}", severity, file, line or 1, finding.message)
        for finding in report.findings
        for rule, severity, file, line in [readers.found(finding, "train.py")]
    ]


def test_a_healthy_report_is_an_empty_list() -> None:
    assert json.loads(render(reports.healthy())) == []


def test_a_fingerprint_outlives_a_moved_line_and_differs_from_script_to_script() -> None:
    report = reports.full()
    first = report.findings[0]
    assert first.location
    moved = first.model_copy(update={"location": first.location.model_copy(update={"line": 99})})
    other = report.subject.model_copy(update={"script": "other.py"})

    def mark(**changes: object) -> str:
        return str(readers.gitlab(render(report.model_copy(update=changes)))[0]["fingerprint"])

    assert mark(findings=(moved,)) == mark()
    assert mark(subject=other) != mark()


def test_several_reports_are_one_list_even_on_the_same_script() -> None:
    report = reports.full()
    assert len(readers.gitlab(together([report, report, reports.healthy()]))) == 2 * len(report.findings)
