"""The pages of the rules in use, for a report that has to explain itself."""

from collections.abc import Collection

from rnn_doctor.diagnose.clause import threshold
from rnn_doctor.schema.report import Criterion, RulePage
from rnn_doctor.schema.rule import Rule
from rnn_doctor.schema.rulebook import Rulebook


def pages(rulebook: Rulebook, enabled: Collection[str]) -> tuple[RulePage, ...]:
    """The pages of the enabled rules, in the order of the rulebook."""
    return tuple(_page(rule) for rule in rulebook.rules.values() if rule.id in enabled)


def _page(rule: Rule) -> RulePage:
    return RulePage(
        id=rule.id,
        name=rule.name,
        severity=rule.severity,
        condition=rule.condition,
        confidence=rule.confidence,
        confidence_because=rule.confidence_because,
        summary=rule.summary,
        why=rule.why.strip(),
        when=tuple(
            Criterion(signal=clause.signal, threshold=threshold(clause), because=clause.because)
            for clause in rule.when
        ),
        limits=rule.limits.strip(),
        sources=rule.sources,
    )
