"""One rule against all signals: found, clear or unknown on every subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rnn_doctor.diagnose import clause as clauses
from rnn_doctor.diagnose.message import Message
from rnn_doctor.schema.calibration import Record
from rnn_doctor.schema.report import Confidence, Evidence, Finding
from rnn_doctor.schema.rule import Clause, Grade, Rule, Severity
from rnn_doctor.schema.signals import RUN, Measurement, Signal, Signals
from rnn_doctor.schema.values import Location

State = Literal["found", "clear", "unknown"]


@dataclass(frozen=True, slots=True)
class SubjectVerdict:
    """A rule's verdict on one subject: its evidence where found, the reason where unknown."""

    subject: str
    state: State
    evidence: tuple[Evidence, ...] = ()
    grade: Grade | None = None
    reason: str = ""
    option: str | None = None
    """The option that has it judged, where it was not asked for."""


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """A rule's verdicts on all its subjects; without subjects it is clear."""

    rule: Rule
    by: str
    """What its subjects are."""
    subjects: tuple[SubjectVerdict, ...]

    @property
    def grave(self) -> RuleVerdict:
        """The same with its findings of more than a note: a hint does not make measurements meaningless."""
        kept = tuple(s for s in self.subjects if s.state != "found" or severity(self.rule, s) != "note")
        return replace(self, subjects=kept)

    @property
    def explaining(self) -> RuleVerdict:
        """The same with the findings from which the rule's consequences follow."""
        kept = tuple(s for s in self.subjects if s.state != "found" or explains(s))
        return replace(self, subjects=kept)

    @property
    def state(self) -> State:
        """Found if found anywhere, else unknown if unknown anywhere, else clear."""
        states = {subject.state for subject in self.subjects}
        return "found" if "found" in states else "unknown" if "unknown" in states else "clear"


def reach(rule: Rule, signals: Signals) -> RuleVerdict:
    """The verdict of a rule on every subject of its signals.

    A run-level signal speaks for every subject. A signal that had nothing to look at makes the rule clear:
    where nothing clips, no clipping is too strong.
    """
    present = [signals.signals[c.signal] for c in rule.when if c.signal in signals.signals]
    by = next((signal.by for signal in present if signal.by != "run"), "run")
    if any(not signal.measurements for signal in present):
        return RuleVerdict(rule, by, ())
    subjects = dict.fromkeys(s for signal in present if signal.by == by for s in signal.measurements)
    return RuleVerdict(rule, by, tuple(_judge(rule, signals, subject) for subject in subjects or (RUN,)))


def _judge(rule: Rule, signals: Signals, subject: str) -> SubjectVerdict:
    outcomes = [clauses.judge(clause, signals, subject) for clause in rule.when]
    if any(outcome.state == "fails" for outcome in outcomes):
        return SubjectVerdict(subject, "clear")
    unknown = dict.fromkeys(outcome.reason or "" for outcome in outcomes if outcome.state == "unknown")
    if unknown:
        option = next((outcome.option for outcome in outcomes if outcome.option), None)
        return SubjectVerdict(subject, "unknown", reason="; ".join(unknown), option=option)
    evidence = [outcome.evidence for outcome in outcomes if outcome.evidence]
    for grade in rule.grade:
        reasons = _all_hold(grade.when, signals, subject)
        if reasons is not None:
            return SubjectVerdict(subject, "found", _distinct([*reasons, *evidence]), grade)
    return SubjectVerdict(subject, "found", tuple(evidence))


def _all_hold(when: tuple[Clause, ...], signals: Signals, subject: str) -> list[Evidence] | None:
    """The evidence of the clauses; None unless every one is known to hold."""
    outcomes = [clauses.judge(clause, signals, subject) for clause in when]
    if any(outcome.state != "holds" for outcome in outcomes):
        return None
    return [outcome.evidence for outcome in outcomes if outcome.evidence]


def _distinct(evidence: list[Evidence]) -> tuple[Evidence, ...]:
    """One piece a signal, the first: the threshold of a grade is sharper than that of the rule."""
    first: dict[str, Evidence] = {}
    for piece in evidence:
        first.setdefault(piece.signal, piece)
    return tuple(first.values())


def bears(other: RuleVerdict, by: str, subject: str) -> bool:
    """Whether a rule is found where it has to do with a subject of another rule.

    Of two rules about layers, only findings on the same layer have; whatever differs in kind has.
    """
    found = {each.subject for each in other.subjects if each.state == "found"}
    return subject in found if other.by == by else bool(found)


def without(effect: RuleVerdict, cause: RuleVerdict) -> RuleVerdict:
    """The verdict with every subject unknown whose measurements the found cause makes meaningless."""
    reason = f"{cause.rule.id} {cause.rule.name} was found, and makes its measurement meaningless"
    return replace(
        effect,
        subjects=tuple(
            SubjectVerdict(each.subject, "unknown", reason=reason)
            if bears(cause, effect.by, each.subject)
            else each
            for each in effect.subjects
        ),
    )


def unseen(hidden: RuleVerdict, cause: RuleVerdict) -> RuleVerdict:
    """The verdict with every clear subject unknown where the found cause hides what the rule looks for."""
    reason = f"{cause.rule.id} {cause.rule.name} was found, and hides what it looks for"
    return replace(
        hidden,
        subjects=tuple(
            SubjectVerdict(each.subject, "unknown", reason=reason)
            if each.state == "clear" and bears(cause, hidden.by, each.subject)
            else each
            for each in hidden.subjects
        ),
    )


def silence(rule: Rule, signals: Signals) -> str | None:
    """What a rule says of having found nothing; None where it has no words of its own."""
    if rule.silence is None:
        return None
    of_run = {
        name: signal.measurements[RUN] for name, signal in signals.signals.items() if signal.by == "run"
    }
    return Message().format(rule.silence.message, **{name: each.value for name, each in of_run.items()})


def is_provisional(rule: Rule, signals: Signals) -> bool:
    """Whether that a rule found nothing holds of what was seen alone."""
    if rule.silence is None or not rule.silence.provisional:
        return False
    return _all_hold(rule.silence.provisional, signals, RUN) is not None


def finding(
    rule: Rule,
    verdict: SubjectVerdict,
    signals: Signals,
    links: Mapping[str, Iterable[str]],
    record: Record | None = None,
    named: str | None = None,
) -> Finding:
    """The finding of a rule on a subject, its message filled in, its source line looked up.

    `record` is what the fault bench counted of the rule's warnings and errors; a note has none. `named` is what the
    message calls its subject, where it is found on several.
    """
    quoted = dict(_mentions(rule, signals, verdict.subject))
    values = {piece.signal: piece.value for piece in (*quoted.values(), *verdict.evidence)}
    grade = verdict.grade
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=severity(rule, verdict),
        confidence=_confidence(rule, grade, None if severity(rule, verdict) == "note" else record),
        condition=(grade and grade.condition) or rule.condition,
        subject=verdict.subject,
        location=_location(rule, signals, verdict.subject),
        message=Message().format(
            (grade and grade.message) or rule.message, subject=named or verdict.subject, **values
        ),
        evidence=_distinct([*verdict.evidence, *quoted.values()]),
        explains=tuple(links["explains"]),
        explained_by=tuple(links["explained_by"]),
        ruled_out=tuple(
            each.use
            for each in rule.remedy
            if (each.unless and _all_hold(each.unless, signals, verdict.subject) is not None)
            or _all_hold(each.when, signals, verdict.subject) is None
        ),
        contraindicated=tuple(
            each.use
            for each in rule.contraindication
            if _all_hold(each.when, signals, verdict.subject) is not None
        ),
    )


def severity(rule: Rule, verdict: SubjectVerdict) -> Severity:
    """Of a finding: the grade's that applies, else the rule's."""
    return verdict.grade.severity if verdict.grade else rule.severity


def explains(verdict: SubjectVerdict) -> bool:
    """Whether the rule's consequences follow from a finding."""
    return verdict.grade is None or verdict.grade.explains


def spreads_to(verdict: SubjectVerdict) -> bool:
    """Whether what is found on other subjects may explain a finding."""
    return verdict.grade is None or not verdict.grade.alone


def _confidence(rule: Rule, grade: Grade | None, record: Record | None) -> Confidence:
    """The rule's own, unless a grade knows better; then the grade's clauses are the reason."""
    if grade is None or grade.confidence is None:
        return Confidence(word=rule.confidence, because=rule.confidence_because, bench=record)
    because = "; ".join(clause.because for clause in grade.when)
    return Confidence(word=grade.confidence, because=because, bench=record)


def _mentions(rule: Rule, signals: Signals, subject: str) -> Iterator[tuple[str, Evidence]]:
    for name in rule.mentions:
        signal = signals.signals.get(name)
        measurement = clauses.measured(signal, subject) if signal else None
        if signal and measurement and measurement.value is not None:
            yield name, clauses.quote(signal, measurement)


def _location(rule: Rule, signals: Signals, subject: str) -> Location | None:
    """The source line that the rule asks for, or the subject's own where that is asked for or unknown."""
    measurements = [
        m
        for m in (_measurement(signals.signals.get(c.signal), subject) for c in rule.when)
        if m is not None and m.location is not None
    ]
    own = measurements[0].location if measurements else None
    role = rule.location
    by = next((s.by for c in rule.when if (s := signals.signals.get(c.signal)) and s.by != "run"), "run")
    if role is None or role in ("subject", "line", by):
        return own or signals.places.get(role or "")
    return signals.places.get(role) or own


def _measurement(signal: Signal | None, subject: str) -> Measurement | None:
    return None if signal is None else clauses.measured(signal, subject)
