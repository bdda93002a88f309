"""Remedies that the findings warn of: what people try in vain, or to their harm."""

from collections.abc import Iterable

from rnn_doctor.schema.report import Contraindication, Finding, Prescription
from rnn_doctor.schema.rulebook import Rulebook


def warnings(findings: Iterable[Finding], rulebook: Rulebook) -> dict[str, Contraindication]:
    """What the findings warn of, by the id of the remedy, in the order of the findings."""
    said: dict[str, dict[str, str]] = {}
    for finding in findings:
        for each in rulebook.rules[finding.rule].contraindication:
            if each.use in finding.contraindicated:
                said.setdefault(each.use, {})[finding.rule] = each.because.rstrip(".")
    return {
        use: Contraindication(
            id=use,
            title=rulebook.remedies[use].title,
            rules=tuple(by_rule),
            because=_joined(by_rule),
        )
        for use, by_rule in said.items()
    }


def contraindications(
    findings: Iterable[Finding], recommended: Iterable[Prescription], rulebook: Rulebook
) -> tuple[Contraindication, ...]:
    """What the findings warn of and nothing recommends: the warning of a recommended remedy is its caution."""
    given = {prescription.id for prescription in recommended}
    return tuple(warning for use, warning in warnings(findings, rulebook).items() if use not in given)


def _joined(by_rule: dict[str, str]) -> str:
    """The reasons, with the rules that give them where there are several."""
    if len(set(by_rule.values())) == 1:
        return next(iter(by_rule.values()))
    return "; ".join(f"{rule}: {because}" for rule, because in by_rule.items())
