"""One severity for a family: no finding stands above what explains it."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_doctor.schema.report import Finding
from rnn_doctor.schema.rule import ConfidenceWord, Severity

_SEVERITY: dict[Severity, int] = {"note": 0, "warning": 1, "error": 2}
_CONFIDENCE: dict[ConfidenceWord, int] = {"hint": 0, "moderate": 1, "high": 2, "certain": 3}


def consistent(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, given with causes before consequences, graded so that none is above all of its causes.

    A consequence may be found graver than its cause: two errors would then stand under a warning, and the exit
    code would come from the symptom. The surer of the two decides. A consequence that is at least as sure lifts
    its cause, for what brings about an error is one; a cause that is surer holds its consequence down. A hint
    is too weak for either: it explains nothing graver than itself.
    """
    graded = _without_hints(list(findings))
    causes = [_causes(finding, graded) for finding in graded]
    sure = [_CONFIDENCE[finding.confidence.word] for finding in graded]
    grade = [_SEVERITY[finding.severity] for finding in graded]
    for number in reversed(range(len(graded))):
        mine = causes[number]
        top = max((grade[cause] for cause in mine), default=grade[number])
        if top < grade[number] and all(sure[cause] <= sure[number] for cause in mine):
            for cause in mine:
                if grade[cause] == top:
                    grade[cause], sure[cause] = grade[number], sure[number]
    for number, mine in enumerate(causes):
        grade[number] = min(grade[number], max((grade[cause] for cause in mine), default=grade[number]))
    words = {rank: word for word, rank in _SEVERITY.items()}
    return [f.model_copy(update={"severity": words[g]}) for f, g in zip(graded, grade, strict=True)]


def _causes(finding: Finding, findings: Sequence[Finding]) -> list[int]:
    """Where the findings stand that explain this one: of a rule those on its own subject, else all."""
    found: list[int] = []
    for rule in finding.explained_by:
        ofrule = [number for number, other in enumerate(findings) if other.rule == rule]
        found += [number for number in ofrule if findings[number].subject == finding.subject] or ofrule
    return found


def _without_hints(findings: list[Finding]) -> list[Finding]:
    """The findings without the links from hints to what is graver."""
    dropped = {
        (rule, number)
        for number, finding in enumerate(findings)
        for rule in finding.explained_by
        if all(
            findings[cause].confidence.word == "hint"
            and _SEVERITY[findings[cause].severity] < _SEVERITY[finding.severity]
            for cause in _causes(finding.model_copy(update={"explained_by": (rule,)}), findings)
        )
    }
    kept = [
        finding.model_copy(
            update={"explained_by": tuple(r for r in finding.explained_by if (r, number) not in dropped)}
        )
        for number, finding in enumerate(findings)
    ]
    explained = {(cause, finding.rule) for finding in kept for cause in finding.explained_by}
    return [
        f.model_copy(update={"explains": tuple(r for r in f.explains if (f.rule, r) in explained)})
        for f in kept
    ]
