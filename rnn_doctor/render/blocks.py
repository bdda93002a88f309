"""The blocks of a terminal report: findings with their consequences, remedies, what was not assessed."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from rnn_doctor.render import standing
from rnn_doctor.render.page import Page, Part
from rnn_doctor.render.wording import basis, evidence, joined, record, short, study
from rnn_doctor.schema.report import (
    Conditions,
    Contraindication,
    Finding,
    NotAssessed,
    Prescription,
    Report,
)
from rnn_doctor.schema.rule import Severity

SHOWN = 3
"""Findings of one rule, recurrent layers, and remedies that are shown in full."""

_LISTED = 8
"""Remedies that are listed at all; the JSON report has every one."""

_MOST_NAMED = 3
"""Checks of one reason that are told by name: four names are more than a line."""

_MOST_IDS = 16
"""Rules that are told by their ids: two lines. Of another library's log three times as many are not assessed."""

_ABOVE = "for the reasons that the verdicts above give"

_ON_DEMAND = " (-v tells why)"

_RULE_ID = re.compile(r"\b[A-Z]+\d+\b")

_STYLE: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def findings(page: Page, report: Report, *, full: bool = False) -> None:
    """Every finding; what others explain is indented under them, and of many alike one is told whole.

    full: with the reason of each number, and with numbers that decide nothing.
    """
    for (_, explained), group in groupby(report.findings, key=lambda f: (f.rule, bool(f.explained_by))):
        indent = 4 if explained else 0
        same = list(group)
        for finding in same[:SHOWN]:
            page.blank()
            _finding(page, finding, report, indent, brief=finding is not same[0], full=full)
        if len(same) > SHOWN:
            names = ", ".join(finding.subject for finding in same[SHOWN:])
            page.blank()
            page.add(f"and the same on {len(same) - SHOWN} more: {names}", indent=indent, hang=indent + 2)


def _finding(page: Page, finding: Finding, report: Report, indent: int, *, brief: bool, full: bool) -> None:
    style = _STYLE[finding.severity]
    head = f"{finding.severity}[{finding.rule}]{standing.mark(finding, report)}"
    page.add((head, style), (f": {finding.message}", "bold"), indent=indent, hang=indent + 2)
    margin = _place(page, finding, indent)
    if brief:
        return

    def note(*parts: Part) -> None:
        page.add((f"{margin} = ", "blue"), *parts, indent=indent, hang=indent + len(margin) + 3)

    for piece in finding.evidence:
        if full or piece.threshold is not None or piece.because:
            note(evidence(piece, reason=full))
    if finding.explained_by:
        note("a consequence of ", (joined(finding.explained_by), "bold"))
    if finding.explains:
        note("explains ", (joined(finding.explains), "bold"))
    where = "" if finding.subject == "run" else f" in {finding.subject}"
    told = {piece.because for piece in finding.evidence}
    because = f": {finding.confidence.because}" if full and finding.confidence.because not in told else ""
    note(f"{finding.name}{where}; confidence ", (finding.confidence.word, "bold"), because)
    if finding.confidence.bench:
        note(record(finding.confidence.bench))


def _place(page: Page, finding: Finding, indent: int) -> str:
    """The source line, where there is one; returns the margin that the notes below align with."""
    location = finding.location
    if location is None:
        return "  "
    line = str(location.line)
    margin = " " * len(line)
    where = f" in {location.function}" if location.function else ""
    page.add((f"{margin}--> ", "blue"), f"{location.file}:{line}{where}", indent=indent, hang=indent + 5)
    if location.code:
        page.add((f"{margin} |", "blue"), indent=indent)
        page.code(f"{line} | {short(location.code, 1000)}", indent)
        page.add((f"{margin} |", "blue"), indent=indent)
    return margin


def remedies(page: Page, ranked: Sequence[Prescription], *, full: bool = False) -> None:
    """The remedies in their order, the first with snippets and cautions; if full all, and what they did elsewhere."""
    page.blank()
    more = " (-v shows how to do each)" if len(ranked) > SHOWN and not full else ""
    page.add(("Remedies, the one to try first in front", "bold underline"), more)
    for remedy in ranked[:_LISTED]:
        brief = remedy.rank > SHOWN and not full
        if not brief or remedy.rank == SHOWN + 1:
            page.blank()
        _remedy(page, remedy, brief=brief, full=full)
    if len(ranked) > _LISTED:
        page.add(f"and {len(ranked) - _LISTED} more in the JSON report", indent=4)


def _remedy(page: Page, remedy: Prescription, *, brief: bool, full: bool) -> None:
    number = f"{remedy.rank:>2}. "
    page.add(
        (f"{number}{remedy.title}", "bold"),
        f" ({'; '.join(filter(None, [', '.join(remedy.addresses), basis(remedy)]))})",
        hang=len(number),
    )
    page.add(remedy.because, indent=4)
    if brief:
        return
    for measured in remedy.evidence[: int(full)]:
        if measured.effect:
            page.add(f"Elsewhere: {study(measured)}", indent=4)
    page.blank()
    page.code(remedy.how, indent=6, style="cyan")
    if remedy.cautions:
        page.blank()
    for caution in remedy.cautions:
        page.add(f"- {caution}", indent=4, hang=6)


def contraindications(page: Page, warned: Iterable[Contraindication], *, full: bool = False) -> None:
    """What is often tried here and does not help, and if full why."""
    page.blank()
    if not full:
        titles = "; ".join(each.title for each in warned)
        page.add(("No remedy here", "bold underline"), f"{_ON_DEMAND}: {titles}", hang=2)
        return
    page.add(("No remedy here", "bold underline"))
    for each in warned:
        page.add("- ", (each.title, "bold"), f" ({', '.join(each.rules)}): {each.because}.", hang=2)


def not_assessed(
    page: Page, entries: Iterable[NotAssessed], conditions: Conditions, *, full: bool = False
) -> None:
    """What gave no verdict, but for checks that a verdict on a condition names with the reason.

    Of rules the ids, of many their number, or if full the reasons; whatever else is missing always has its reason.
    """
    ids: dict[str, None] = {}
    by_reason: dict[str, dict[str, None]] = {}
    verdicts = [getattr(conditions, name).reason or "" for name in type(conditions).model_fields]
    for entry in entries:
        verdict = getattr(conditions, entry.condition).reason if entry.condition else ""
        rule = _RULE_ID.match(entry.what)
        reason = _untold(entry.reason, [verdict] if entry.condition else verdicts)
        if not reason and rule and rule[0] in _RULE_ID.findall(verdict):
            continue
        if rule and not full:
            ids[rule[0]] = None
        else:
            by_reason.setdefault(reason or _ABOVE, {})[entry.what] = None
    if not ids and not by_reason:
        return
    page.blank()
    named = ", ".join(ids) if len(ids) <= _MOST_IDS else f"{len(ids)} rules"
    page.add(("Not assessed", "bold underline"), f"{_ON_DEMAND}: {named}" if ids else "", hang=2)
    for reason, what in sorted(by_reason.items(), key=lambda each: each[0] != _ABOVE):
        page.add(f"- {', '.join(_short([*what]))}: {reason}", hang=2)


def _untold(reason: str, verdicts: Sequence[str]) -> str:
    """What of a reason no verdict has told: its parts, of which a check of several subjects or signals has several."""
    if any(reason in verdict for verdict in verdicts):
        return ""
    parts = reason.split("; ")
    untold = [part for part in parts if not any(part in verdict for verdict in verdicts)]
    return "; ".join(untold)


def _short(checks: list[str]) -> list[str]:
    """The checks that share a reason, of many the ids alone: a hand-written cell has a dozen."""
    if len(checks) <= _MOST_NAMED:
        return checks
    return [match[0] if (match := _RULE_ID.match(check)) else check for check in checks]
