"""The verdict on each of the four conditions, from the rules that speak for it."""

from collections.abc import Mapping

from rnn_doctor.diagnose.verdict import RuleVerdict, is_provisional, silence
from rnn_doctor.schema.report import Conditions, ConditionVerdict, Finding
from rnn_doctor.schema.rule import CONDITIONS, Condition, ConfidenceWord, Rule
from rnn_doctor.schema.rulebook import Rulebook
from rnn_doctor.schema.signals import Signals

_WORDS: tuple[ConfidenceWord, ...] = ("certain", "high", "moderate", "hint")


def conditions(
    rulebook: Rulebook,
    verdicts: Mapping[str, RuleVerdict],
    findings: tuple[Finding, ...],
    signals: Signals,
) -> Conditions:
    """The verdicts on all four conditions."""
    return Conditions(**{c: _condition(c, rulebook, verdicts, findings, signals) for c in CONDITIONS})


def _condition(
    condition: Condition,
    rulebook: Rulebook,
    verdicts: Mapping[str, RuleVerdict],
    findings: tuple[Finding, ...],
    signals: Signals,
) -> ConditionVerdict:
    """Present by an error, suspected by a warning, absent only if every decisive rule was clear."""
    mine = [finding for finding in findings if finding.condition == condition]
    for severity, word in (("error", "present"), ("warning", "suspected")):
        speaking = [finding for finding in mine if finding.severity == severity]
        if speaking:
            return ConditionVerdict(
                verdict="present" if word == "present" else "suspected",
                confidence=min((f.confidence.word for f in speaking), key=_WORDS.index),
                reason=_why(speaking, findings, rulebook),
                findings=tuple(dict.fromkeys(finding.rule for finding in speaking)),
            )
    return _without_findings(_decisive(condition, rulebook, verdicts), verdicts, findings, signals)


def _why(speaking: list[Finding], findings: tuple[Finding, ...], rulebook: Rulebook) -> str:
    """What was found, the root cause first where that belongs to another condition or is less grave."""
    first = next((finding for finding in speaking if not finding.explained_by), speaking[0])
    said = _sentence(rulebook.rules[first.rule].summary)
    root = _root(first, findings)
    if root is first:
        return said
    return f"{_sentence(rulebook.rules[root.rule].summary)} ({root.rule}); in consequence: {said}"


def _root(finding: Finding, findings: tuple[Finding, ...]) -> Finding:
    """The first finding of the report that leads to this one and that nothing explains."""
    while finding.explained_by:
        cause = next((other for other in findings if other.rule in finding.explained_by), None)
        if cause is None:
            break
        finding = cause
    return finding


def _decisive(condition: Condition, rulebook: Rulebook, verdicts: Mapping[str, RuleVerdict]) -> list[Rule]:
    """The rules that must be clear: those in use, and the stable ones that were switched off."""
    return [
        rule
        for rule in rulebook.rules.values()
        if rule.condition == condition and rule.decisive and (rule.id in verdicts or rule.status == "stable")
    ]


def _without_findings(
    decisive: list[Rule],
    verdicts: Mapping[str, RuleVerdict],
    findings: tuple[Finding, ...],
    signals: Signals,
) -> ConditionVerdict:
    if not decisive:
        return ConditionVerdict(verdict="not_assessed", reason="no rule of this rulebook can exclude it")
    reasons: dict[str, list[str]] = {}
    for rule in decisive:
        reason = _why_open(rule, verdicts, findings)
        if reason:
            reasons.setdefault(reason, []).append(rule.id)
    if reasons:
        texts = [f"{reason} ({', '.join(ids)})" for reason, ids in reasons.items()]
        return ConditionVerdict(verdict="not_assessed", reason="; ".join(texts))
    provisional = any(is_provisional(rule, signals) for rule in decisive)
    return ConditionVerdict(
        verdict="absent",
        confidence="hint" if provisional else max((rule.confidence for rule in decisive), key=_WORDS.index),
        reason="; ".join(
            filter(None, [_clear([r for r in decisive if not r.silence]), *_said(decisive, signals)])
        ),
        provisional=provisional,
    )


def _why_open(rule: Rule, verdicts: Mapping[str, RuleVerdict], findings: tuple[Finding, ...]) -> str | None:
    """Why a decisive rule does not exclude its condition; None when it does."""
    verdict = verdicts.get(rule.id)
    if verdict is None:
        return "switched off"
    if verdict.state == "found":
        counted = {f.condition for f in findings if f.rule == rule.id and f.severity != "note"}
        for other in sorted(filter(None, counted)):
            return (
                f"what was found is a consequence of something else, and counts as {other.replace('_', ' ')}"
            )
        return "only a note was found, too weak for a verdict"
    if verdict.state == "unknown":
        return next(s.reason for s in verdict.subjects if s.state == "unknown")
    return None


def _said(decisive: list[Rule], signals: Signals) -> list[str]:
    """What the rules themselves say of having found nothing."""
    return [f"{said} ({rule.id})" for rule in decisive if (said := silence(rule, signals))]


def _clear(decisive: list[Rule]) -> str:
    """What was looked for and not found, by the names of the rules; of rules with no words of their own."""
    if not decisive:
        return ""
    names = [rule.name.replace("-", " ") for rule in decisive]
    named = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
    return f"no sign of {named} ({', '.join(rule.id for rule in decisive)})"


def _sentence(summary: str) -> str:
    return summary.rstrip(".")
