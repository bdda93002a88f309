"""All rules against all signals: findings, causes before their consequences, and what stayed unknown."""

from collections.abc import Collection, Iterator

from rnn_doctor.diagnose import grading, order, verdict
from rnn_doctor.diagnose.conditions import conditions
from rnn_doctor.diagnose.fingerprints import fingerprinted
from rnn_doctor.diagnose.verdict import RuleVerdict, SubjectVerdict
from rnn_doctor.schema.calibration import Record
from rnn_doctor.schema.report import Diagnosis, Finding, NotAssessed
from rnn_doctor.schema.rule import Rule
from rnn_doctor.schema.rulebook import Rulebook
from rnn_doctor.schema.signals import Signals


def diagnose(signals: Signals, rulebook: Rulebook, *, enabled: Collection[str] | None = None) -> Diagnosis:
    """The findings of the enabled rules (all stable ones by default), causes first.

    A rule that another found rule explains is listed under that one, and is graded no higher; a rule whose
    measurements another found rule invalidates gives no verdict. What was not measured is reported as such, never as
    healthy.
    """
    if enabled is None:
        enabled = {rule.id for rule in rulebook.rules.values() if rule.status == "stable"}
    rules = [rule for rule in rulebook.rules.values() if rule.id in enabled]
    verdicts = _invalidate({rule.id: verdict.reach(rule, signals) for rule in rules})
    found = [
        finding
        for each in verdicts.values()
        for finding in _found(each, verdicts, signals, rulebook.records.get(each.rule.id))
    ]
    findings = fingerprinted(order.causes_first(grading.consistent(order.causes_first(found))))
    return Diagnosis(
        findings=findings,
        not_assessed=tuple(entry for each in verdicts.values() for entry in _not_assessed(each)),
        conditions=conditions(rulebook, verdicts, findings, signals),
    )


def _invalidate(verdicts: dict[str, RuleVerdict]) -> dict[str, RuleVerdict]:
    """The verdicts, with those made unknown whose measurements a found rule makes meaningless or hides.

    A rule is settled after all rules that could invalidate it, for what is itself meaningless invalidates
    nothing; loading has made sure that this runs in no circle.
    """
    settled: dict[str, RuleVerdict] = {}

    def settle(rule_id: str) -> RuleVerdict:
        if rule_id not in settled:
            result = verdicts[rule_id]
            for other in verdicts.values():
                if rule_id in other.rule.invalidates:
                    result = verdict.without(result, settle(other.rule.id).grave)
            settled[rule_id] = result
        return settled[rule_id]

    invalidated = {rule_id: settle(rule_id) for rule_id in verdicts}
    return {rule_id: _hide(each, invalidated) for rule_id, each in invalidated.items()}


def _hide(each: RuleVerdict, verdicts: dict[str, RuleVerdict]) -> RuleVerdict:
    """The verdict, clear no more where a found rule hides what it looks for."""
    for other in verdicts.values():
        if each.rule.id in other.rule.hides:
            each = verdict.unseen(each, other.grave)
    return each


def _found(
    each: RuleVerdict, verdicts: dict[str, RuleVerdict], signals: Signals, record: Record | None
) -> Iterator[Finding]:
    """The findings of a rule: one a subject, or of a rule that is about a line of source one a line."""
    subjects = [subject for subject in each.subjects if subject.state == "found"]
    if each.rule.location != "line":
        for subject in subjects:
            yield _finding(each, subject, verdicts, signals, record)
        return
    by_line: dict[object, list[SubjectVerdict]] = {}
    for subject in subjects:
        place = _finding(each, subject, verdicts, signals, record).location
        by_line.setdefault((place.file, place.line) if place else subject.subject, []).append(subject)
    for first, *others in by_line.values():
        names = (
            f"{', '.join(s.subject for s in (first, *others[:-1]))} and {others[-1].subject}"
            if others
            else None
        )
        yield _finding(each, first, verdicts, signals, record, named=names)


def _finding(
    each: RuleVerdict,
    subject: SubjectVerdict,
    verdicts: dict[str, RuleVerdict],
    signals: Signals,
    record: Record | None,
    named: str | None = None,
) -> Finding:
    """The finding with its place among the others: what explains it, and what it explains."""
    links: dict[str, list[str]] = {"explained_by": [], "explains": []}
    for other in verdicts.values():
        if each.rule.id in other.rule.explains and _follows(each, subject, other.explaining):
            links["explained_by"].append(other.rule.id)
        if other.rule.id in each.rule.explains and _has_consequence(each, subject, other):
            links["explains"] += [other.rule.id] if verdict.explains(subject) else []
    return verdict.finding(each.rule, subject, signals, links, record, named)


def _follows(each: RuleVerdict, subject: SubjectVerdict, cause: RuleVerdict) -> bool:
    """Whether a finding is a consequence of a rule that explains it: found where it has to do with it, or spreading."""
    if verdict.bears(cause, each.by, subject.subject):
        return True
    return cause.state == "found" and each.rule.id in cause.rule.spreads and verdict.spreads_to(subject)


def _has_consequence(each: RuleVerdict, subject: SubjectVerdict, effect: RuleVerdict) -> bool:
    """The same from the other side: whether a rule is found on a subject that this finding has to do with."""
    if verdict.bears(effect, each.by, subject.subject):
        return True
    found = (other for other in effect.subjects if other.state == "found")
    return effect.rule.id in each.rule.spreads and any(map(verdict.spreads_to, found))


def _not_assessed(each: RuleVerdict) -> Iterator[NotAssessed]:
    """One entry for each reason, naming the subjects where it holds for some of them only."""
    by_reason: dict[tuple[str, str | None], list[str]] = {}
    for subject in each.subjects:
        if subject.state == "unknown":
            by_reason.setdefault((subject.reason, subject.option), []).append(subject.subject)
    for (reason, option), subjects in by_reason.items():
        partly = f"{', '.join(subjects)}: " if len(subjects) < len(each.subjects) else ""
        yield NotAssessed(
            what=_title(each.rule), condition=each.rule.condition, reason=partly + reason, option=option
        )


def _title(rule: Rule) -> str:
    return f"{rule.id} {rule.name}"
