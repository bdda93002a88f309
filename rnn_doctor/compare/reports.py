"""One report against another: findings, verdicts and numbers that are others now."""

from collections.abc import Iterator, Sequence

from rnn_doctor.compare.baseline import since
from rnn_doctor.compare.matching import matched
from rnn_doctor.compare.numbers import changes
from rnn_doctor.compare.repeats import FEWEST
from rnn_doctor.schema.comparison import ChangedVerdict, Comparison, Side
from rnn_doctor.schema.report import Conditions, Finding, Report, Tool


def compare(olds: Sequence[Report], new: Report, *, version: str) -> Comparison:
    """What changed from the old reports to the new one; all are taken for reports on one script.

    Several old ones are repeats of a run, with other seeds: what differs among them is no change.
    """
    held = since(new, olds, same=True)
    assert held.baseline is not None
    moved = changes(olds, new)
    return Comparison(
        tool=Tool(version=version),
        old=_side(olds[0]),
        new=_side(new),
        repeats=len(olds),
        verdicts=tuple(_verdicts(olds, new)),
        findings=held.findings,
        gone=held.baseline.gone,
        unjudged=held.baseline.unjudged,
        suppressed=tuple(_suppressed(olds[0], new)),
        numbers=moved.moved,
        unsure=moved.unsure,
        claims=moved.claims,
        compared=moved.compared,
        with_noise=moved.known,
        remarks=(*_remarks(olds[0], new), *_among(olds)),
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


def _verdicts(olds: Sequence[Report], new: Report) -> Iterator[ChangedVerdict]:
    for name in Conditions.model_fields:
        before, after = (getattr(report.conditions, name) for report in (olds[0], new))
        if after.verdict not in {getattr(old.conditions, name).verdict for old in olds}:
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


def _among(olds: Sequence[Report]) -> Iterator[str]:
    """How far the old reports are repeats of one run, and what only some of them found."""
    if len(olds) == 1:
        return
    many = f"the {len(olds)} old runs"
    if all(old.signals == olds[0].signals for old in olds[1:]):
        yield f"{many} gave the same numbers, so they tell of no noise: repeat the run with other seeds"
    elif len(olds) < FEWEST:
        yield f"{many} are too few to tell how far numbers scatter: {FEWEST} do"
    if len({old.subject.parameters for old in olds}) > 1:
        yield f"{many} trained other numbers of parameters: they are no repeats of one run"
    if len({old.observation.steps for old in olds}) > 1:
        yield f"{many} saw other numbers of updates, which many numbers depend on"
    some: dict[str, int] = {}
    for old in olds:
        for rule in {finding.rule for finding in old.findings}:
            some[rule] = some.get(rule, 0) + 1
    for rule, times in sorted(some.items()):
        if times < len(olds):
            yield f"{rule} was found in {times} of {many}"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"`{' '.join(value)}`" if value else "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
