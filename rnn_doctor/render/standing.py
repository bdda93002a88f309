"""Where a report stands to what was agreed on: suppressions, changed thresholds, the baseline."""

from collections import Counter
from collections.abc import Iterable

from rnn_doctor.render import expected
from rnn_doctor.render.page import Page
from rnn_doctor.render.wording import count
from rnn_doctor.schema.report import Baseline, ChangedThreshold, Finding, Report, Suppressed


def suppressed(page: Page, entries: Iterable[Suppressed]) -> None:
    """One line for each finding that the source says to ignore."""
    page.blank()
    for each in entries:
        page.add(
            ("suppressed: ", "bold"), f"{named(each.finding)}: {each.reason or 'no reason given'}", hang=2
        )


def thresholds(page: Page, changes: Iterable[ChangedThreshold]) -> None:
    """What the rules were judged by instead of their own."""
    page.blank()
    for each in changes:
        page.add(
            ("threshold: ", "bold"),
            f"{each.rule} asks for {each.signal} {each.used}, as shipped {each.shipped}",
            hang=2,
        )


def baseline(page: Page, older: Baseline) -> None:
    """What the baseline had and this report has not."""
    if older.gone or older.unjudged:
        page.blank()
    for finding in older.gone:
        page.add(("gone: ", "bold green"), f"{finding.severity} {named(finding)}", hang=2)
    for finding in older.unjudged:
        page.add(("not judged this time: ", "bold"), f"{finding.severity} {named(finding)}", hang=2)


def mark(finding: Finding, report: Report) -> str:
    """How a finding stands to the baseline and the manifest, behind its rule: `, new`, `, known to the manifest`."""
    accepted = expected.accepted(finding, report)
    listed = {"known": ", known to the manifest", "expected": ", as the manifest expects"}.get(
        accepted or "", ""
    )
    return _change(finding) + listed


def _change(finding: Finding) -> str:
    if finding.change in ("worse", "better") and finding.was:
        return f", {finding.change} (was {'an' if finding.was == 'error' else 'a'} {finding.was})"
    return f", {finding.change}" if finding.change else ""


def summary(findings: Iterable[Finding], ignored: int) -> str:
    """`; 1 new, 2 known; 1 suppressed`, for the last line of a report."""
    counted = Counter(finding.change for finding in findings if finding.change)
    changes = ", ".join(
        f"{counted[word]} {word}" for word in ("new", "worse", "better", "known") if counted[word]
    )
    parts = [changes, f"{count(ignored, 'finding')} suppressed" if ignored else ""]
    return "".join(f"; {part}" for part in parts if part)


def named(finding: Finding) -> str:
    """`RD303 over-clipping in encoder at train.py:57`"""
    subject = "" if finding.subject == "run" else f" in {finding.subject}"
    place = f" at {finding.location.file}:{finding.location.line}" if finding.location else ""
    return f"{finding.rule} {finding.name}{subject}{place if place not in subject else ''}"
