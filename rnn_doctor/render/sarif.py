"""The report as SARIF 2.1.0, the format of code scanning: one run, with every rule's page.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnn_doctor.render import expected, foreign, places, sarif_rules, telling
from rnn_doctor.render.sarif_rules import literal
from rnn_doctor.render.unjudged import listed
from rnn_doctor.render.wording import evidence, inert, short
from rnn_doctor.schema.report import Change, Finding, NotAssessed, Report
from rnn_doctor.schema.rule import ConfidenceWord
from rnn_doctor.schema.values import Location

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_RANKS: Mapping[ConfidenceWord, float] = {"certain": 100.0, "high": 75.0, "moderate": 50.0, "hint": 25.0}
"""Of findings without a record on the fault bench: the order of the words, and nothing more."""
_BASELINE: Mapping[Change, str] = {
    "new": "new",
    "known": "unchanged",
    "worse": "updated",
    "better": "updated",
}
_FINISHED = (0, 1)
"""Exit codes of an examination that came to its end."""


def render(report: Report) -> str:
    """The report as a SARIF log."""
    return together([report])


def together(reports: Sequence[Report]) -> str:
    """Several reports as one run with an invocation each: GitHub takes one run of a tool in a file."""
    rules = sarif_rules.rules(reports)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    scripts = list(dict.fromkeys(report.subject.script for report in reports))
    category = f"rnn-doctor/{places.path(scripts[0])}/" if len(scripts) == 1 else "rnn-doctor/"
    versions = sorted({report.tool.version for report in reports})
    run = {
        "tool": {
            "driver": {"name": "rnn-doctor", "version": short(", ".join(versions), 100), "rules": rules}
        },
        "automationDetails": {"id": category},
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": "The working directory of the examined script."}}
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, index) for report in reports],
        "results": [result for report in reports for result in _results(report, index)],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return inert(json.dumps(log, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _invocation(report: Report, index: Mapping[str, int]) -> dict[str, Any]:
    """How the examination ended, and what it could not judge."""
    ended: dict[str, Any] = {"executionSuccessful": True}
    if report.exit is not None:
        ended = {
            "executionSuccessful": report.exit.code in _FINISHED,
            "exitCode": report.exit.code,
        }
    return ended | {
        "toolExecutionNotifications": [
            *(_remark(line, index) for line in expected.lines(report)),
            *(
                {"level": "note", "message": {"text": literal(doubt)}}
                for doubt in foreign.doubts(report.subject.imported)
            ),
            *(_notification(entry, index) for entry in listed(report)),
        ],
        "properties": {
            "script": short(report.subject.script),
            "arguments": [short(argument) for argument in report.subject.arguments],
            "steps": report.observation.steps,
            "stopped": short(report.observation.stopped),
            "conditions": {
                name: getattr(report.conditions, name).verdict
                for name in type(report.conditions).model_fields
            },
        }
        | ({"manifest": short(report.expected.name)} if report.expected else {}),
    }


def _remark(line: expected.Line, index: Mapping[str, int]) -> dict[str, Any]:
    """What became of the expectation: a rule that was not found has no place to point to, and is no result."""
    told = {"level": "error" if line.fails else "note", "message": {"text": literal(line.text)}}
    return told | _associated(line.rule or "", index)


def _notification(entry: NotAssessed, index: Mapping[str, int]) -> dict[str, Any]:
    text = literal(f"{short(entry.what)} was not assessed: {short(entry.reason)}")
    return {"level": "note", "message": {"text": text}} | _associated(entry.what.partition(" ")[0], index)


def _associated(rule: str, index: Mapping[str, int]) -> dict[str, Any]:
    return {"associatedRule": {"id": rule, "index": index[rule]}} if rule in index else {}


def _results(report: Report, index: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for finding in report.findings:
        yield _result(finding, report, index)
    for each in report.suppressed:
        reason = {"justification": literal(short(each.reason))} if each.reason else {}
        yield _result(each.finding, report, index) | {"suppressions": [{"kind": "inSource"} | reason]}
    if report.baseline:
        for finding in report.baseline.gone:
            yield _result(finding, report, index) | {"baselineState": "absent"}


def _result(finding: Finding, report: Report, index: Mapping[str, int]) -> dict[str, Any]:
    rule = sarif_rules.identifier(finding.rule)
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": finding.severity,
        "message": {"text": literal("\n".join(telling.lines(finding, report)))},
        "locations": [_location(finding, report)],
        "relatedLocations": list(_related(finding, report)),
        "partialFingerprints": {"rnnDoctor/v1": places.mark(finding, report)},
        "rank": _rank(finding),
        "properties": {
            "subject": short(finding.subject),
            "condition": finding.condition,
            "confidence": finding.confidence.word,
            "evidence": [short(evidence(piece)) for piece in finding.evidence],
            "explains": [short(rule) for rule in finding.explains],
            "explainedBy": [short(rule) for rule in finding.explained_by],
        },
    }
    if word := expected.accepted(finding, report):
        result["suppressions"] = [{"kind": "external", "justification": f"{word}, by pyproject.toml"}]
    return result | ({"baselineState": _BASELINE[finding.change]} if finding.change else {})


def _rank(finding: Finding) -> float:
    """How sure it is, 0 to 100: the share of right ones in the runs of the fault bench, or what the word stands for."""
    bench = finding.confidence.bench
    return round(100 * bench.right / bench.of, 1) if bench else _RANKS[finding.confidence.word]


def _location(finding: Finding, report: Report) -> dict[str, Any]:
    """Where it is in the source, and what of the network it is about."""
    place: dict[str, Any] = {}
    if finding.location and finding.location.file:
        place = {"physicalLocation": _physical(finding.location)}
        if finding.location.function:
            place["message"] = {"text": literal(f"in {short(finding.location.function)}")}
    elif file := places.file_of(finding, report):
        place = {"physicalLocation": {"artifactLocation": _artifact(file)}}
    subject = {"fullyQualifiedName": short(finding.subject), "kind": "object"}
    return place | ({} if finding.subject == "run" else {"logicalLocations": [subject]})


def _physical(location: Location) -> dict[str, Any]:
    line = places.line(location)
    if line is None:
        return {"artifactLocation": _artifact(location.file)}
    snippet = {"snippet": {"text": short(location.code)}} if location.code else {}
    return {"artifactLocation": _artifact(location.file), "region": {"startLine": line} | snippet}


def _artifact(file: str) -> dict[str, Any]:
    uri, below_root = places.uri(file)
    return {"uri": uri} | ({"uriBaseId": _ROOT} if below_root else {})


def _related(finding: Finding, report: Report) -> Iterator[dict[str, Any]]:
    """The lines of its cause, of its consequences, and of the layer that it is about."""
    number = 0
    for other in report.findings:
        if other is finding or other.location is None or not other.location.file:
            continue
        word = (
            "the cause"
            if other.rule in finding.explained_by
            else "a consequence"
            if other.rule in finding.explains
            else ""
        )
        if word:
            yield _relation(number, f"{word}: {telling.title(other)}: {short(other.message)}", other.location)
            number += 1
    for layer in report.subject.recurrent:
        if layer.name == finding.subject and layer.location and layer.location.file:
            yield _relation(number, f"{short(layer.kind)} {short(layer.name)} is made here", layer.location)
            number += 1


def _relation(number: int, text: str, location: Location) -> dict[str, Any]:
    return {"id": number, "message": {"text": literal(text)}, "physicalLocation": _physical(location)}
