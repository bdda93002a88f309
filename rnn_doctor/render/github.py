"""The report as workflow commands of GitHub Actions: each finding an annotation on its source line.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from rnn_doctor.render import expected, foreign, places, telling
from rnn_doctor.render.wording import severities, short
from rnn_doctor.schema.report import Finding, Report
from rnn_doctor.schema.rule import Severity

_COMMANDS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {":": "%3A", ",": "%2C"}


def render(report: Report) -> str:
    """One annotation a finding, causes first (GitHub shows the first ten of a kind), and one that sums up."""
    return together([report])


def together(reports: Sequence[Report]) -> str:
    """The same of several: what sums each up, then the first of each, the second of each and so on.

    So of every script its cause is among the ten that GitHub shows.
    """
    commands = [_summary(report) for report in reports]
    columns = [
        [
            *(_remark(line, report) for line in expected.lines(report) if line.fails),
            *(_annotation(finding, report) for finding in report.findings),
            *(_remark(line, report) for line in expected.lines(report) if not line.fails),
        ]
        for report in reports
    ]
    commands += [command for row in zip_longest(*columns) for command in row if command is not None]
    return "\n".join(commands) + "\n"


def _annotation(finding: Finding, report: Report) -> str:
    properties: dict[str, str] = {}
    if file := places.file_of(finding, report):
        properties["file"] = places.path(file)
    if finding.location and (line := places.line(finding.location)):
        properties["line"] = str(line)
    properties["title"] = telling.title(finding)
    # What the baseline or the manifest accepts fails nothing, and is not to be marked as if it did.
    accepted = finding.change in ("known", "better") or expected.accepted(finding, report)
    name = "notice" if accepted else _COMMANDS[finding.severity]
    return _command(name, properties, "\n".join(telling.lines(finding, report)))


def _remark(line: expected.Line, report: Report) -> str:
    """What became of the expectation, at the script."""
    title = f"rnn-doctor{_name(report)}: {expected.outcome(report)}"
    script = report.subject.script
    file = {} if not script or script.startswith("-m ") else {"file": places.path(script)}
    return _command("error" if line.fails else "notice", file | {"title": title}, line.text)


def _summary(report: Report) -> str:
    verdicts = [
        f"{name.replace('_', ' ')}: {verdict.verdict.replace('_', ' ')}"
        for name, verdict in (
            (name, getattr(report.conditions, name)) for name in type(report.conditions).model_fields
        )
    ]
    found = severities(report.findings)
    title = f"rnn-doctor{_name(report)}: {', '.join(found) or 'no findings'}"
    script = short(" ".join([report.subject.script, *report.subject.arguments]), 300)
    doubts = foreign.doubts(report.subject.imported)
    return _command("notice", {"title": title}, "\n".join([script, *verdicts, *doubts]))


def _name(report: Report) -> str:
    """What the manifest calls the script, so that the annotations of several are told apart."""
    return f" {short(report.expected.name, 100)}" if report.expected else ""


def _command(name: str, properties: Mapping[str, str], data: str) -> str:
    """`::name key=value,key=value::data`, with whatever would end a part of it escaped."""
    pairs = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    return f"::{name} {pairs}::{_escaped(data, _DATA)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
