"""A report held against what its script is expected to show."""

from __future__ import annotations

from rnn_doctor.schema.expectation import Comparison, Expectation, Undecided
from rnn_doctor.schema.report import Report


def compare(report: Report, expectation: Expectation) -> Comparison:
    """How the report stands to the expectation, whose rules are told by id.

    A known rule that could not be judged is not fixed, and an expected one that could not be judged is not found.
    """
    found = {finding.rule for finding in report.findings}
    unjudged = {entry.what.partition(" ")[0]: entry.reason for entry in report.not_assessed}
    clear = [rule for rule in expectation.required + expectation.known if rule not in found]
    listed = {*expectation.required, *expectation.known}
    return Comparison(
        unlisted=tuple(finding for finding in report.findings if finding.rule not in listed),
        listed=tuple(dict.fromkeys(f.rule for f in report.findings if f.rule in listed)),
        fixed=tuple(r for r in expectation.known if r in clear and r not in unjudged),
        missing=tuple(r for r in expectation.required if r in clear and r not in unjudged),
        undecided=tuple(Undecided(rule=r, reason=unjudged[r]) for r in clear if r in unjudged),
    )


def holds(comparison: Comparison, expectation: Expectation) -> bool:
    """Whether everything that must be found was found."""
    undecided = {entry.rule for entry in comparison.undecided}
    return not comparison.missing and not undecided & set(expectation.required)


def unlisted(report: Report, comparison: Comparison) -> Report:
    """The report without the findings that are listed: what is left decides the exit code."""
    return report.model_copy(update={"findings": comparison.unlisted})
