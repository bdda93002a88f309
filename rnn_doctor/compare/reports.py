"""One report against another: findings, verdicts and numbers that are others now."""

from collections.abc import Iterator

from rnn_doctor.compare.baseline import since
from rnn_doctor.compare.matching import matched
from rnn_doctor.compare.numbers import changes
from rnn_doctor.schema.comparison import ChangedVerdict, Comparison, Side
from rnn_doctor.schema.report import Conditions, Finding, Report, Tool


def compare(old: Report, new: Report, *, version: str) -> Comparison:
    """What changed from the old report to the new one; both are taken for reports on one script."""
    held = since(new, [old], same=True)
    assert held.baseline is not None
    moved = changes(old, new)
    return Comparison(
        tool=Tool(version=version),
        old=_side(old),
        new=_side(new),
        verdicts=tuple(_verdicts(old, new)),
        findings=held.findings,
        gone=held.baseline.gone,
        unjudged=held.baseline.unjudged,
        suppressed=tuple(_suppressed(old, new)),
        numbers=moved.numbers,
        claims=moved.claims,
        compared=moved.compared,
        remarks=tuple(_remarks(old, new)),
    )


def _side(report: Report) -> Side:
    return Side(
        script=report.subject.script,
        arguments=report.subject.arguments,
        tool_version=report.tool.version,
        torch=report.subject.torch,
        steps=report.observation.steps,
        evaluations=report.observation.evaluations,
        parameters=report.subject.parameters,
    )


def _verdicts(old: Report, new: Report) -> Iterator[ChangedVerdict]:
    for name in Conditions.model_fields:
        before, after = getattr(old.conditions, name), getattr(new.conditions, name)
        if before.verdict != after.verdict:
            yield ChangedVerdict(
                condition=name,
                old=before.verdict,
                new=after.verdict,
                old_confidence=before.confidence,
                new_confidence=after.confidence,
                reason=after.reason,
            )


def _suppressed(old: Report, new: Report) -> Iterator[Finding]:
    """What was a finding in the old report and is suppressed in the new one."""
    kept = matched(old.findings, new.findings).values()
    left = [finding for number, finding in enumerate(old.findings) if number not in kept]
    now = [each.finding for each in new.suppressed]
    for number in matched(left, now):
        yield now[number]


def _remarks(old: Report, new: Report) -> Iterator[str]:
    """What differs besides the training: each may be the reason of what else differs."""
    before, after = _side(old), _side(new)
    told = {
        "script": "the scripts are {} and {}",
        "arguments": "the script's arguments are {} and {}",
        "tool_version": "the reports were made by rnn-doctor {} and {}",
        "torch": "PyTorch was {} and {}",
        "steps": "{} and {} updates were seen: many numbers depend on how many",
        "parameters": "{} and {} parameters were trained",
    }
    for field, text in told.items():
        values = getattr(before, field), getattr(after, field)
        if values[0] != values[1]:
            yield text.format(*map(_shown, values))
    if old.rules and new.rules and set(old.rules) != set(new.rules):
        added, left = set(new.rules) - set(old.rules), set(old.rules) - set(new.rules)
        parts = [f"{', '.join(sorted(ids))} {how}" for ids, how in ((added, "more"), (left, "fewer")) if ids]
        yield f"other rules were in use: {'; '.join(parts)}"
    if old.thresholds != new.thresholds:
        yield "other thresholds were in use"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"`{' '.join(value)}`" if value else "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
