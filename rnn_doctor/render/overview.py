"""The table that sums up several scripts: what was expected of each, and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnn_doctor.render import expected, markup
from rnn_doctor.render.page import Page
from rnn_doctor.render.wording import count, joined
from rnn_doctor.schema.report import Finding, Report

_LONGEST_NAME = 30
_STATUS_WIDTH = len("as expected")
_STYLES = {"as expected": "green", "failed": "bold red", "not judged": "bold red", "interrupted": "yellow"}

_MARKS = {
    "as expected": "🟢 as expected",
    "failed": "🔴 **failed**",
    "not judged": "🔴 **not judged**",
    "interrupted": "🟡 interrupted",
}


def status(report: Report) -> tuple[str, str]:
    """The outcome in two words, and its style."""
    word = expected.outcome(report)
    return "FAILED" if word == "failed" else word, _STYLES[word]


def name(report: Report) -> str:
    """What the manifest calls the script, or what it is."""
    return report.expected.name if report.expected else report.subject.script


def render(reports: Sequence[Report], *, width: int = 80, color: bool = False) -> str:
    """One block a script, in a line that sums up at the end."""
    page = Page(width, color=color)
    page.add((f"Summary of {count(len(reports), 'script')}", "bold underline"))
    page.blank()
    longest = min(max(len(name(each)) for each in reports), _LONGEST_NAME)
    for each in reports:
        word, style = status(each)
        hang = 2 + longest + 2 + _STATUS_WIDTH + 2
        first, *rest = told(each)
        page.add(
            f"{name(each):<{longest}}  ",
            (f"{word:<{_STATUS_WIDTH}}", style),
            f"  {first}",
            indent=2,
            hang=hang,
        )
        for line in rest:
            page.add(line, indent=hang)
    page.blank()
    page.add((total(reports), "bold"))
    return page.text()


def markdown(reports: Sequence[Report]) -> str:
    """The same as a table, for the head of a comment or the summary of a job."""
    rows = [
        f"| {markup.text(name(each), 200)} | {_MARKS[expected.outcome(each)]} | "
        f"{'; '.join(markup.text(line, 300) for line in told(each))} |"
        for each in reports
    ]
    head = f"### rnn-doctor: {total(reports).removesuffix('.')}"
    return "\n".join([head, "", "| script | outcome | why |", "|---|---|---|", *rows, ""])


def told(report: Report) -> list[str]:
    """What decided first, then what the manifest should be told."""
    said = list(expected.lines(report))
    failed = [line.text for line in said if line.fails]
    rest = [line.text for line in said if not line.fails]
    decisive = [*failed, *_findings(report), *rest]
    return decisive or ["nothing of note" if report.findings else "no findings"]


def _findings(report: Report) -> Iterator[str]:
    """The first finding of each rule that fails, and the rules that are listed nowhere and do not."""
    failing = set(report.exit.failing if report.exit else ())
    others = [f for f in report.findings if not expected.accepted(f, report)]
    failed: dict[str, Finding] = {}
    for finding in others:
        if finding.fingerprint in failing:
            failed.setdefault(finding.rule, finding)
    for finding in failed.values():
        place = f" at {finding.location.file}:{finding.location.line}" if finding.location else ""
        yield f"{finding.severity}[{finding.rule}] {finding.name}{place}"
    rest = [finding for finding in others if finding.rule not in failed]
    old = dict.fromkeys(finding.rule for finding in rest if finding.change in ("known", "better"))
    mild = dict.fromkeys(finding.rule for finding in rest if finding.rule not in old)
    if old:
        yield f"in the baseline already: {joined([*old])}"
    if mild:
        yield f"{joined([*mild])}: not severe or not sure enough to fail"


def total(reports: Sequence[Report]) -> str:
    """`2 as expected, 1 failed.`"""
    words = [expected.outcome(report) for report in reports]
    return f"{', '.join(f'{words.count(word)} {word}' for word in dict.fromkeys(words))}."
