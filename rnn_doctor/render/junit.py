"""The report as JUnit XML: a test case a condition and a rule, as CI servers show test results."""

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rnn_doctor.render import expected, telling
from rnn_doctor.render.unjudged import listed
from rnn_doctor.render.wording import joined, short
from rnn_doctor.schema.report import Exit, Finding, Report

_JUDGED = (0, 1)
"""Exit codes of a script that could be judged."""
_ID = re.compile(r"[A-Z]{2,8}[0-9]{3}")


def render(report: Report) -> str:
    """One test suite with the report's conditions, rules, and limits of the examination."""
    return together([report])


def together(reports: Sequence[Report]) -> str:
    """A test suite a report."""
    suites = [_suite(report) for report in reports]
    root = Element("testsuites", {"name": "rnn-doctor"} | _sum(suites))
    root.extend(suites)
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(report: Report) -> Element:
    script = short(" ".join([report.subject.script, *report.subject.arguments]), 300)
    suite = Element("testsuite", name=f"rnn-doctor {script}")
    suite.extend([*_conditions(report), *_rules(report), *_limits(report), *_examination(report)])
    cases = len(suite)
    failures, skipped = (len(suite.findall(f"testcase/{kind}")) for kind in ("failure", "skipped"))
    suite.attrib |= {"tests": f"{cases}", "failures": f"{failures}", "errors": "0", "skipped": f"{skipped}"}
    return suite


def _sum(suites: Sequence[Element]) -> dict[str, str]:
    keys = ("tests", "failures", "errors")
    return {key: str(sum(int(suite.attrib[key]) for suite in suites)) for key in keys}


def _conditions(report: Report) -> Iterator[Element]:
    failing = {finding.rule for finding in report.findings if _fails(finding, report.exit)}
    for name in type(report.conditions).model_fields:
        verdict = getattr(report.conditions, name)
        case = Element("testcase", classname="rnn-doctor.conditions", name=name.replace("_", " "))
        word = verdict.verdict.replace("_", " ")
        said = f"{word}: {short(verdict.reason)}"
        if verdict.verdict == "not_assessed":
            SubElement(case, "skipped", message=said)
        elif failing.intersection(verdict.findings):
            failed = SubElement(case, "failure", type=word, message=said)
            failed.text = f"Found by {short(joined(verdict.findings), 500)}."
        else:
            SubElement(case, "system-out").text = said
        yield case


def _rules(report: Report) -> Iterator[Element]:
    """Every rule in use: it fails, it passes with or without findings below the limit, or it was not assessed."""
    found = _by_rule(report.findings)
    suppressed = _by_rule(each.finding for each in report.suppressed)
    reasons: dict[str, list[str]] = {}
    unasked = {_rule_of(entry.what, report) for entry in report.not_assessed if entry.option}
    names = {page.id: f"{page.id} {page.name}" for page in report.rulebook if page.id not in unasked}
    names |= {rule: telling.title(same[0]) for rule, same in (found | suppressed).items()}
    for entry in listed(report):
        rule = _rule_of(entry.what, report)
        if rule is not None:
            names.setdefault(rule, entry.what)
            reasons.setdefault(rule, []).append(short(entry.reason))
    for rule, name in names.items():
        case = Element("testcase", classname="rnn-doctor.rules", name=short(name, 200))
        if rule in found:
            _found(case, found[rule], report)
        elif rule in suppressed:
            SubElement(case, "system-out").text = f"Suppressed:\n\n{_told(suppressed[rule], report)}"
        elif rule in reasons:
            SubElement(case, "skipped", message=f"not assessed: {'; '.join(reasons[rule])}")
        yield case


def _by_rule(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    return by_rule


def _found(case: Element, findings: Sequence[Finding], report: Report) -> None:
    failing = [finding for finding in findings if _fails(finding, report.exit)]
    if failing:
        first = failing[0]
        more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
        failed = SubElement(case, "failure", type=first.severity, message=f"{short(first.message)}{more}")
        failed.text = _told(failing, report)
    passed = [finding for finding in findings if finding not in failing]
    if passed:
        SubElement(case, "system-out").text = _told(passed, report)


def _told(findings: Sequence[Finding], report: Report) -> str:
    told = []
    for finding in findings:
        place = telling.place(finding)
        head = f"{place}: {finding.severity}" if place else finding.severity
        told.append("\n".join([f"{head}: {telling.title(finding)}", *telling.lines(finding, report)]))
    return "\n\n".join(told)


def _limits(report: Report) -> Iterator[Element]:
    """What was not assessed and is no rule: sensors that failed, too few steps."""
    for entry in listed(report):
        if _rule_of(entry.what, report) is None:
            case = Element("testcase", classname="rnn-doctor.examination", name=short(entry.what, 200))
            SubElement(case, "skipped", message=f"not assessed: {short(entry.reason)}")
            yield case


def _examination(report: Report) -> Iterator[Element]:
    """Whether the script could be judged, and whether it shows what the manifest expects of it."""
    if report.exit and report.exit.code not in _JUDGED:
        case = Element("testcase", classname="rnn-doctor.examination", name="the script can be judged")
        SubElement(case, "failure", type="not judged", message=short(report.observation.stopped))
        yield case
    if report.expected is None:
        return
    case = Element(
        "testcase", classname="rnn-doctor.manifest", name=f"{short(report.expected.name, 200)} is as expected"
    )
    said = list(expected.lines(report))
    if not report.expected.met:
        failing = next((line.text for line in said if line.fails), "there are findings that fail")
        failed = SubElement(case, "failure", type=expected.outcome(report), message=failing)
        failed.text = "\n".join(line.text for line in said)
    elif said:
        SubElement(case, "system-out").text = "\n".join(line.text for line in said)
    yield case


def _rule_of(what: str, report: Report) -> str | None:
    """The id that the title of a rule begins with: `RD103 gradient-spikes`."""
    identifier = what.partition(" ")[0]
    known = {page.id for page in report.rulebook}
    is_title = identifier in known if known else _ID.fullmatch(identifier)
    return identifier if is_title else None


def _fails(finding: Finding, ended: Exit | None) -> bool:
    """Whether it fails the gate; of a report that does not say, errors do."""
    return finding.severity == "error" if ended is None else finding.fingerprint in ended.failing
