"""The report as Markdown, for a comment on a pull request or the summary of a CI job."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rnn_doctor.render import expected, foreign, markup, overview, telling
from rnn_doctor.render.standing import mark, summary
from rnn_doctor.render.unjudged import checks, listed, offers
from rnn_doctor.render.wording import basis, count, evidence, joined, severities, short
from rnn_doctor.schema.report import Evidence, Finding, NotAssessed, Prescription, Report, Suppressed, Verdict
from rnn_doctor.schema.rule import Severity

_MOST = 60_000
"""Characters of a page: GitHub takes 65,536 of a comment."""
_FINDINGS = 2 / 3
"""The part of a page after which findings are counted, so that the remedies have room."""
_SHOWN = 3
"""Findings of one rule, and remedies, that are shown in full."""
_MOST_EVIDENCE = 10
_MOST_LINES = 50
_LISTED = 8
"""Remedies that are named at all."""
_LAYERS = 3

_VERDICT: dict[Verdict, str] = {
    "present": "🔴 **present**",
    "suspected": "🟡 **suspected**",
    "absent": "🟢 absent",
    "not_assessed": "⚪ not assessed",
}
_SEVERITY: dict[Severity, str] = {"error": "🔴 error", "warning": "🟡 warning", "note": "🔵 note"}


def render(report: Report) -> str:
    """Verdicts first, causes before consequences, remedies with snippets, and folded what was not assessed."""
    return _page(report, _MOST)


def together(reports: Sequence[Report]) -> str:
    """One page after another, all of them no longer than one may be; in front of scripts of the manifest their table.

    What a short page leaves of its share goes to those after it.
    """
    from_manifest = any(report.expected for report in reports)
    texts = [overview.markdown(reports)] if from_manifest else []
    for number, report in enumerate(reports):
        room = _MOST - sum(map(len, texts))
        texts.append(_page(report, room // (len(reports) - number)))
    return "\n".join(texts)


def _page(report: Report, most: int) -> str:
    """What of the report fits into so many characters, and how much more there is."""
    parts = [_head(report), _conditions(report)]
    parts += _findings(report, int(_FINDINGS * most))
    parts += _standing_to_baseline(report)
    parts += _remedies(report)
    if unjudged := listed(report):
        parts.append(_not_assessed(unjudged))
    if further := offers(report):
        parts.append(markup.text(" ".join(further)))
    text, left = "", 0
    for part in parts:
        if text and len(text) + len(part) > most:
            left += 1
        else:
            text += f"{part}\n\n"
    rest = f"{count(left, 'part')} more in the JSON report. " if left else ""
    return f"{text}<sub>{rest}rnn-doctor {markup.text(report.tool.version, 40)}</sub>\n"


def _head(report: Report) -> str:
    numbers = severities(report.findings)
    standing = summary(report.findings, len(report.suppressed))
    script = markup.code(" ".join([report.subject.script, *report.subject.arguments]), 300)
    doubts = "".join(f"\n\n- {markup.text(doubt)}" for doubt in foreign.doubts(report.subject.imported))
    return (
        f"### rnn-doctor: {', '.join(numbers) or 'no findings'}{standing}\n\n"
        f"{script}: {'; '.join(fact for fact in _facts(report) if fact)}."
        f"{doubts}"
        f"{_expected(report)}"
    )


def _facts(report: Report) -> list[str]:
    """What was examined, and how much of it was seen."""
    subject, seen = report.subject, report.observation
    if subject.imported:
        return [markup.text(fact, 600) for fact in foreign.facts(report, subject.imported)]
    layers = [f"{layer.kind} {layer.name}" for layer in subject.recurrent[:_LAYERS]]
    if len(subject.recurrent) > _LAYERS:
        layers.append(f"{len(subject.recurrent) - _LAYERS} more recurrent layers")
    return [
        ", ".join(markup.code(layer) for layer in layers) or "no recurrent layer",
        markup.text(", ".join(dict.fromkeys(subject.optimizers)), 200),
        count(seen.steps, "step")
        + (f", {count(seen.evaluations, 'evaluation')}" if seen.evaluations else ""),
        markup.text(seen.stopped, 300),
        markup.text(seen.one_batch or "", 300),
    ]


def _expected(report: Report) -> str:
    """How the script stands to what the manifest expects of it."""
    if report.expected is None:
        return ""
    said = "; ".join(
        [f"**{expected.outcome(report)}**", *(markup.text(line.text) for line in expected.lines(report))]
    )
    return f"\n\n{markup.code(report.expected.name)} of the manifest: {said}."


def _conditions(report: Report) -> str:
    rows = ["| condition | verdict | why |", "|---|---|---|"]
    for name in type(report.conditions).model_fields:
        verdict = getattr(report.conditions, name)
        word = _VERDICT[verdict.verdict] + (" so far" if verdict.provisional else "")
        if verdict.findings and verdict.confidence:
            word += f" ({verdict.confidence})"
        rules = f" ({markup.text(', '.join(verdict.findings), 200)})" if verdict.findings else ""
        rows.append(f"| {name.replace('_', ' ')} | {word} | {markup.text(verdict.reason, 600)}{rules} |")
    return "\n".join(rows)


def _findings(report: Report, most: int) -> Iterator[str]:
    """Every finding until the page is full; of many alike the first is told in full."""
    if report.findings:
        yield "#### Findings"
    room, left = most, 0
    for (_, explained), group in groupby(report.findings, key=lambda f: (f.rule, bool(f.explained_by))):
        same = list(group)
        for finding in same[:_SHOWN]:
            block = _finding(finding, report, brief=finding is not same[0], explained=explained)
            room -= len(block)
            if room < 0:
                left += 1
            else:
                yield block
        if len(same) > _SHOWN:
            names = ", ".join(markup.code(finding.subject) for finding in same[_SHOWN : _SHOWN + 10])
            yield f"And the same on {len(same) - _SHOWN} more: {names}{' …' if len(same) > _SHOWN + 10 else ''}"
    if left:
        yield f"{count(left, 'finding')} more in the JSON report."


def _finding(finding: Finding, report: Report, *, brief: bool, explained: bool) -> str:
    """Severity, rule and place; what was found; the line of source; evidence, folded."""
    place = finding.location
    where = f" at {markup.code(f'{place.file}:{place.line}')}" if place else ""
    if place and place.function:
        where += f" in {markup.code(place.function)}"
    arrow = "↳ " if explained else ""
    title = f"{_SEVERITY[finding.severity]} {markup.text(telling.title(finding))}{mark(finding, report)}"
    parts = [
        f"{arrow}**{title}**{where}",
        markup.text(finding.message),
    ]
    if explained:
        parts[1] += f" *A consequence of {markup.text(joined(finding.explained_by), 200)}.*"
    if place and place.code:
        parts.append(markup.block(place.code, "python", 400))
    if not brief:
        parts.append(_folded(f"Evidence; confidence {finding.confidence.word}", _grounds(finding)))
    return "\n\n".join(parts)


def _grounds(finding: Finding) -> str:
    lines = [f"- {_evidence(piece)}" for piece in finding.evidence[:_MOST_EVIDENCE]]
    if (sure := telling.sureness(finding)) != finding.confidence.word:
        lines.append(f"- Confidence {markup.text(sure)}")
    if finding.explains:
        lines.append(f"- Explains {markup.text(joined(finding.explains), 200)}")
    if finding.subject != "run":
        lines.append(f"- Subject {markup.code(finding.subject)}")
    lines.append(f"- {markup.code(f'rnn-doctor rule {finding.rule}')} explains the rule")
    return "\n".join(lines)


def _standing_to_baseline(report: Report) -> Iterator[str]:
    """What comments suppress, what is gone since the baseline, and thresholds of the settings."""
    lines = [f"- Suppressed: {_named(each.finding)}: {_reason(each)}" for each in report.suppressed]
    if report.baseline:
        lines += [f"- Gone: {_named(finding)}" for finding in report.baseline.gone]
        lines += [f"- Not judged this time: {_named(finding)}" for finding in report.baseline.unjudged]
    lines += [
        f"- Threshold: {markup.text(each.rule)} asks for {markup.code(each.signal)} {markup.text(each.used)}, "
        f"as shipped {markup.text(each.shipped)}"
        for each in report.thresholds
    ]
    if lines:
        yield "\n".join(lines[:_MOST_LINES])


def _named(finding: Finding) -> str:
    place = telling.place(finding)
    return f"{finding.severity} {markup.text(telling.title(finding))}" + (
        f" at {markup.code(place)}" if place else ""
    )


def _reason(each: Suppressed) -> str:
    return markup.text(each.reason or "no reason given")


def _evidence(piece: Evidence) -> str:
    """As in every format, with the signal as code."""
    return f"{markup.code(piece.signal)} {markup.text(evidence(piece)[len(piece.signal) :])}"


def _remedies(report: Report) -> Iterator[str]:
    """The first remedies with snippets to unfold, the next ones by name, and what is none."""
    if report.remedies:
        yield "#### Remedies, the one to try first in front"
    for remedy in report.remedies[:_SHOWN]:
        yield _folded(f"{remedy.rank}. {remedy.title} ({_standing(remedy)})", _treatment(remedy))
    if further := report.remedies[_SHOWN:_LISTED]:
        titles = [markup.text(f"{short(each.title, 200)} ({_standing(each)})") for each in further]
        more = f", and {len(report.remedies) - _LISTED} more" if len(report.remedies) > _LISTED else ""
        yield f"Then: {'; '.join(titles)}{more}."
    if report.contraindications:
        yield "\n".join(
            [
                "**No remedy here:**",
                "",
                *(
                    f"- {markup.text(each.title, 200)} ({markup.text(', '.join(each.rules), 200)}): "
                    f"{markup.text(each.because)}"
                    for each in report.contraindications
                ),
            ]
        )


def _standing(remedy: Prescription) -> str:
    return "; ".join(filter(None, [short(", ".join(remedy.addresses), 200), basis(remedy)]))


def _treatment(remedy: Prescription) -> str:
    cautions = "\n".join(f"- {markup.text(caution)}" for caution in remedy.cautions)
    parts = [
        markup.text(f"{remedy.because[:1].upper()}{remedy.because[1:].removesuffix('.')}."),
        markup.block(remedy.how, "python"),
        cautions,
    ]
    return "\n\n".join(part for part in parts if part)


def _not_assessed(entries: Sequence[NotAssessed]) -> str:
    by_reason: dict[str, list[str]] = {}
    for entry in entries:
        by_reason.setdefault(entry.reason, []).append(entry.what)
    lines = [
        f"- {markup.text(', '.join(what), 600)}: {markup.text(reason, 600)}"
        for reason, what in by_reason.items()
    ]
    return _folded(f"Not assessed: {count(checks(entries), 'check')}", "\n".join(lines))


def _folded(head: str, body: str) -> str:
    """A block to unfold; the blank lines make what is in it Markdown."""
    return f"<details><summary>{markup.summary(head)}</summary>\n\n{body}\n\n</details>"
