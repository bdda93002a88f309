"""The report as a Code Quality report of GitLab: findings in the merge request and beside its changed lines.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rnn_doctor.render import places, telling
from rnn_doctor.render.wording import inert, short
from rnn_doctor.schema.report import Finding, Report
from rnn_doctor.schema.rule import Severity

_SEVERITIES: Mapping[Severity, str] = {"error": "critical", "warning": "major", "note": "info"}


def render(report: Report, *, width: int = 80, color: bool = False) -> str:
    """A JSON list with one issue a finding."""
    return together([report])


def together(reports: Sequence[Report]) -> str:
    """The issues of several reports in one list."""
    seen: Counter[str] = Counter()
    issues = [_issue(finding, report, seen) for report in reports for finding in report.findings]
    return inert(json.dumps(issues, indent=2, ensure_ascii=False)) + "\n"


def _issue(finding: Finding, report: Report, seen: Counter[str]) -> dict[str, Any]:
    line = places.line(finding.location) if finding.location else None
    mark = places.mark(finding, report)
    seen[mark] += 1
    return {
        "description": short(finding.message) or telling.title(finding),
        "check_name": telling.title(finding),
        # GitLab drops what has the fingerprint of another issue: of the same runs of one script, say.
        "fingerprint": hashlib.sha256(f"{mark} {seen[mark]}".encode()).hexdigest(),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": places.path(places.file_of(finding, report) or report.subject.script or "-"),
            "lines": {"begin": line or 1},
        },
    }
