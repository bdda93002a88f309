"""The report as text for a terminal or a log file: plain ASCII of our own, readable without colour."""

from rnn_doctor.render import blocks, foreign, standing, strips
from rnn_doctor.render.page import Page
from rnn_doctor.render.unjudged import checks, listed, offers
from rnn_doctor.render.wording import count, severities
from rnn_doctor.schema.imported import ForeignLog
from rnn_doctor.schema.report import Report

_VERDICT = {
    "present": ("PRESENT", "bold red"),
    "suspected": ("suspected", "bold yellow"),
    "absent": ("absent", "green"),
    "not_assessed": ("not assessed", "dim"),
}
_NAME_WIDTH = len("exploding gradients")
_VERDICT_WIDTH = len("not assessed")
_LEAST_BESIDE = 32
"""Columns that a reason needs beside its verdict; where there are fewer it stands below."""


def render(report: Report, *, width: int = 80, color: bool = False, full: bool = False) -> str:
    """The report: verdicts, findings, remedies, what was not assessed, and a last line that sums up.

    full: with the reason of each number, of what is no remedy, and of what was not assessed.
    """
    page = Page(width, color=color)
    _header(page, report)
    _conditions(page, report)
    strips.by_lag(page, report.profiles.by_lag)
    if report.findings:
        blocks.findings(page, report, full=full)
    if report.suppressed:
        standing.suppressed(page, report.suppressed)
    if report.baseline:
        standing.baseline(page, report.baseline)
    if report.remedies:
        blocks.remedies(page, report.remedies, full=full)
    if report.contraindications:
        blocks.contraindications(page, report.contraindications, full=full)
    if unjudged := listed(report):
        blocks.not_assessed(page, unjudged, report.conditions, full=full)
    if report.thresholds:
        standing.thresholds(page, report.thresholds)
    page.blank()
    if report.findings:
        numbers = "" if full else ", -v each number"
        page.add(f"`rnn-doctor rule {report.findings[0].rule}` explains a rule{numbers}.")
    for offer in offers(report):
        page.add(offer)
    page.add((_summary(report), "bold"))
    return page.text()


def head(report: Report, *, width: int = 80, color: bool = False) -> str:
    """What of the report fits below a test that failed: verdicts, findings, remedies, and the line that sums up."""
    page = Page(width, color=color)
    _header(page, report)
    _conditions(page, report)
    blocks.findings(page, report)
    if report.remedies:
        blocks.remedies(page, report.remedies)
    page.blank()
    page.add((_summary(report), "bold"))
    return page.text()


def _header(page: Page, report: Report) -> None:
    subject, seen = report.subject, report.observation
    if subject.imported:
        _foreign_header(page, report, subject.imported)
        return
    layers = [
        f"{layer.kind} {layer.name}"
        + (f" ({layer.hidden_size} units{_stack(layer.num_layers)})" if layer.hidden_size else "")
        for layer in subject.recurrent[: blocks.SHOWN]
    ]
    if len(subject.recurrent) > blocks.SHOWN:
        layers.append(f"{len(subject.recurrent) - blocks.SHOWN} more recurrent layers")
    parts = [
        ", ".join(layers) or "no recurrent layer",
        ", ".join(dict.fromkeys(subject.optimizers)) or ("updates by hand" if seen.steps else "no optimizer"),
        count(seen.steps, "step")
        + (f", {count(seen.evaluations, 'evaluation')}" if seen.evaluations else ""),
    ]
    if subject.ranks > 1:
        parts.append(f"{subject.ranks} ranks")
    script = " ".join([subject.script, *subject.arguments])
    page.add((script, "bold"), f": {'; '.join(parts)}; {seen.stopped}.", hang=2)
    if seen.one_batch:
        page.add(f"{seen.one_batch[0].upper()}{seen.one_batch[1:]}.", hang=2)


def _foreign_header(page: Page, report: Report, source: ForeignLog) -> None:
    """What was read of a foreign log as what, in place of the network and its optimizer."""
    page.add((report.subject.script, "bold"), f": {'; '.join(foreign.facts(report, source))}.", hang=2)
    for doubt in foreign.doubts(source):
        page.add(f"- {doubt}", hang=2)


def _stack(layers: int) -> str:
    return f" x {layers} layers" if layers > 1 else ""


def _conditions(page: Page, report: Report) -> None:
    page.blank()
    for name in type(report.conditions).model_fields:
        condition = getattr(report.conditions, name)
        word, style = _VERDICT[condition.verdict]
        speaks = [", ".join(condition.findings)] if condition.findings else []
        if condition.findings and condition.confidence:
            speaks.append(f"confidence {condition.confidence}")
        because = f" [{'; '.join(speaks)}]" if speaks else ""
        named, reason = f"{name.replace('_', ' '):<{_NAME_WIDTH}}  ", f"{condition.reason}{because}"
        beside = 2 + _NAME_WIDTH + 2 + _VERDICT_WIDTH + 2
        if page.width - beside < _LEAST_BESIDE:
            page.add(named, (word, style), indent=2)
            page.add(reason, indent=6)
        else:
            page.add(named, (f"{word:<{_VERDICT_WIDTH}}", style), f"  {reason}", indent=2, hang=beside)


def _summary(report: Report) -> str:
    numbers = severities(report.findings)
    unjudged = listed(report)
    rest = f"; {count(checks(unjudged), 'check')} not assessed" if unjudged else ""
    rest = standing.summary(report.findings, len(report.suppressed)) + rest
    if not numbers:
        return f"No findings{rest}."
    return f"{', '.join(numbers)}{rest}."
