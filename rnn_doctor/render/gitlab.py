"""The report as a Code Quality report of GitLab: findings in the merge request and beside its changed lines.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rnn_doctor.render import expected, places, telling
from rnn_doctor.render.wording import inert, short
from rnn_doctor.schema.report import Finding, Report
from rnn_doctor.schema.rule import Severity

_SEVERITIES: Mapping[Severity, str] = {"error": "critical", "warning": "major", "note": "info"}


def render(report: Report) -> str:
    """A JSON list with one issue a finding, and one for whatever else the manifest asks for in vain."""
    return together([report])


def together(reports: Sequence[Report]) -> str:
    """The issues of several reports in one list."""
    seen: Counter[str] = Counter()
    issues = [
        issue
        for report in reports
        for issue in (
            *(_issue(finding, report, seen) for finding in report.findings),
            *(_unmet(line, report, seen) for line in expected.lines(report) if line.fails),
        )
    ]
    return inert(json.dumps(issues, indent=2, ensure_ascii=False)) + "\n"


def _issue(finding: Finding, report: Report, seen: Counter[str]) -> dict[str, Any]:
    line = places.line(finding.location) if finding.location else None
    mark = places.mark(finding, report)
    return {
        "description": short(finding.message) or telling.title(finding),
        "check_name": telling.title(finding),
        "fingerprint": _fingerprint(mark, seen),
        "severity": "info" if expected.accepted(finding, report) else _SEVERITIES[finding.severity],
        "location": {
            "path": places.path(places.file_of(finding, report) or report.subject.script or "-"),
            "lines": {"begin": line or 1},
        },
    }


def _unmet(line: expected.Line, report: Report, seen: Counter[str]) -> dict[str, Any]:
    """A rule that must be found and was not, or a script that could not be judged."""
    about = short(line.rule, 200) if line.rule else "script"
    return {
        "description": line.text or "not judged",
        "check_name": f"rnn-doctor {expected.outcome(report)}: {about}",
        "fingerprint": _fingerprint(json.dumps([report.subject.script, about]), seen),
        "severity": "critical",
        "location": {"path": places.path(report.subject.script or "-"), "lines": {"begin": 1}},
    }


def _fingerprint(mark: str, seen: Counter[str]) -> str:
    """GitLab drops what has the fingerprint of another issue: of the same runs of one script, say."""
    seen[mark] += 1
    return hashlib.sha256(f"{mark} {seen[mark]}".encode()).hexdigest()
