"""Findings in the order of a report: causes before what they explain, the gravest family first."""

from collections.abc import Iterator

from rnn_doctor.schema.report import Finding

_SEVERITY = {"error": 0, "warning": 1, "note": 2}
_CONFIDENCE = {"certain": 0, "high": 1, "moderate": 2, "hint": 3}
_Weight = tuple[int, int, str, str]


def causes_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Root causes by the gravest finding of their family, each followed by what it explains.

    A finding with several causes stands under the last of them, so that every cause comes before it.
    """
    by_rule: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=_weight):
        by_rule.setdefault(finding.rule, []).append(finding)
    causes = {
        rule: {cause for f in group for cause in f.explained_by if cause in by_rule}
        for rule, group in by_rule.items()
    }
    roots = [rule for rule in by_rule if not causes[rule]]
    gravest = {
        root: min(_weight(f) for rule in _family(root, causes) for f in by_rule[rule]) for root in roots
    }
    done: dict[str, list[Finding]] = {}

    def emit(rule: str) -> None:
        done[rule] = by_rule[rule]
        for other in by_rule:
            if rule in causes[other] and causes[other] <= done.keys():
                emit(other)

    for root in sorted(roots, key=lambda root: (gravest[root], _weight(by_rule[root][0]))):
        emit(root)
    return tuple(finding for group in done.values() for finding in group)


def _family(cause: str, causes: dict[str, set[str]]) -> Iterator[str]:
    """The rule and all that it explains, directly or through others."""
    yield cause
    for rule, its in causes.items():
        if cause in its:
            yield from _family(rule, causes)


def _weight(finding: Finding) -> _Weight:
    return (
        _SEVERITY[finding.severity],
        _CONFIDENCE[finding.confidence.word],
        finding.rule,
        finding.subject,
    )
