"""The rules of a SARIF run: what each of them is, with its page as help."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rnn_doctor.render import markup
from rnn_doctor.render.wording import short
from rnn_doctor.schema.report import Finding, Report, RulePage
from rnn_doctor.schema.rule import ConfidenceWord

_PRECISION: Mapping[ConfidenceWord, str] = {
    "certain": "very-high",
    "high": "high",
    "moderate": "medium",
    "hint": "low",
}
"""The words of code scanning on GitHub, which sorts and filters by them."""
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}
_LONGEST = 8000
"""Characters of a part of a page: beyond the longest page that ships, four times."""


def rules(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Every rule in use, and every one that was found, each once."""
    found: dict[str, dict[str, Any]] = {}
    for report in reports:
        for page in report.rulebook:
            found.setdefault(identifier(page.id), _rule(page))
        for finding in _findings(report):
            found.setdefault(identifier(finding.rule), _bare(finding))
    return list(found.values())


def identifier(rule: str) -> str:
    """A rule's id; there may be anything in a report that is read from a file."""
    return short(rule, 200) or "-"


def literal(text: str) -> str:
    """The text as a message in which a viewer sees no placeholder (`{0}`) and no link (`[text](target)`)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _findings(report: Report) -> Iterator[Finding]:
    yield from report.findings
    yield from (each.finding for each in report.suppressed)
    yield from report.baseline.gone if report.baseline else ()


def _rule(page: RulePage) -> dict[str, Any]:
    summary = literal(short(page.summary))
    condition = [page.condition.replace("_", "-")] if page.condition else []
    return {
        "id": identifier(page.id),
        "name": short(page.name, 200),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": literal(f"{short(page.summary)} {_prose(page.why)}")},
        "help": {"text": literal(_text(page)), "markdown": literal(_markdown(page))},
        "defaultConfiguration": {"level": page.severity},
        "properties": {
            "tags": ["recurrent-network", *condition],
            "precision": _PRECISION[page.confidence],
            "problem.severity": _PROBLEM[page.severity],
        },
    }


def _bare(finding: Finding) -> dict[str, Any]:
    """A rule of which the report says no more than what was found."""
    text = f"`rnn-doctor rule {identifier(finding.rule)}` explains this rule."
    return {
        "id": identifier(finding.rule),
        "name": short(finding.name, 200),
        "shortDescription": {"text": literal(short(finding.name, 200).replace("-", " "))},
        "help": {"text": literal(text), "markdown": literal(markup.prose(text))},
        "defaultConfiguration": {"level": finding.severity},
        "properties": {"problem.severity": _PROBLEM[finding.severity]},
    }


def _prose(text: str) -> str:
    """One line, whatever the breaks in the rule file."""
    return " ".join(short(text, _LONGEST).split())


def _sections(page: RulePage) -> Iterable[tuple[str, str]]:
    yield "Why", page.why
    yield "Confidence", f"{page.confidence}: {page.confidence_because}"
    yield "Limits", page.limits


def _text(page: RulePage) -> str:
    parts = [short(page.summary)]
    parts += [f"{title}: {_prose(text)}" for title, text in _sections(page)]
    parts.insert(2, "\n".join(["Found when all of these hold:", *(f"- {line}" for line in _criteria(page))]))
    parts.append("\n".join(["Sources:", *(f"- {_prose(source)}" for source in page.sources)]))
    return "\n\n".join(parts)


def _criteria(page: RulePage) -> Iterator[str]:
    for each in page.when:
        yield f"{short(each.signal, 200)} {short(each.threshold, 200)}: {_prose(each.because)}"


def _markdown(page: RulePage) -> str:
    parts = [markup.text(page.summary)]
    for title, text in _sections(page):
        parts += [f"## {title}", markup.prose(text, _LONGEST)]
    found = [
        f"- {markup.code(each.signal)} {markup.text(each.threshold)}: {markup.text(each.because)}"
        for each in page.when
    ]
    parts[3:3] = ["## Found when all of these hold", "\n".join(found)]
    parts += ["## Sources", "\n".join(f"- {markup.text(source)}" for source in page.sources)]
    return "\n\n".join(part for part in parts if part)
