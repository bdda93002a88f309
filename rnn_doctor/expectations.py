"""A report held against what its script is expected to show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from rnn_doctor.errors import SettingsError, did_you_mean
from rnn_doctor.schema.expectation import Expectation, Expected, Undecided
from rnn_doctor.schema.report import Finding, Report
from rnn_doctor.schema.rulebook import Rulebook
from rnn_doctor.settings import MIN_CONFIDENCES, Settings

_SEVERITIES = ("error", "warning", "note")


def severe(severity: str, fail_on: str) -> bool:
    """Whether a severity is `fail_on` or worse; none is for `never`."""
    return fail_on != "never" and _SEVERITIES.index(severity) <= _SEVERITIES.index(fail_on)


def failing(findings: Iterable[Finding], settings: Settings) -> tuple[Finding, ...]:
    """The findings that fail: severe and sure enough, and where there is a baseline, new or worse than in it."""
    sure = MIN_CONFIDENCES.index(settings.min_confidence)
    return tuple(
        finding
        for finding in findings
        if severe(finding.severity, settings.fail_on)
        and MIN_CONFIDENCES.index(finding.confidence.word) >= sure
        and finding.change in (None, "new", "worse")
    )


def resolved(expectation: Expectation, book: Rulebook, enabled: Collection[str], where: str) -> Expectation:
    """The expectation with its rules by id; `where` says in an error who names them.

    Raises: SettingsError: a rule does not exist, or is not in use.
    """
    rules = {word: rule.id for rule in book.rules.values() for word in (rule.id, rule.name)}

    def ids(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_id(name, rules, enabled, where) for name in names))

    expect = "healthy" if expectation.expect == "healthy" else ids(expectation.expect)
    return Expectation(expect=expect, known=ids(expectation.known))


def _id(name: str, rules: Mapping[str, str], enabled: Collection[str], where: str) -> str:
    if name not in rules:
        raise SettingsError(
            f"{where}: no rule {name!r}{did_you_mean(name, list(rules))}", "`rnn-doctor rule` lists them"
        )
    if rules[name] not in enabled:
        raise SettingsError(
            f"{where}: {name} is listed, but not in use", "see select, ignore and preview, which leave it out"
        )
    return rules[name]


def held(
    report: Report, expectation: Expectation, settings: Settings, *, name: str, note: str | None = None
) -> Report:
    """The report with how it stands to the expectation, whose rules are told by id.

    A known rule that could not be judged is not fixed, and an expected one that could not be judged is not found. What
    the source suppresses was found all the same.
    """
    found = {finding.rule for finding in report.findings}
    suppressed = {each.finding.rule for each in report.suppressed} - found
    unjudged = {entry.what.partition(" ")[0]: entry.reason for entry in report.not_assessed}
    listed = tuple(dict.fromkeys(expectation.listed))
    clear = [rule for rule in listed if rule not in found | suppressed]
    missing = tuple(r for r in expectation.required if r in clear and r not in unjudged)
    undecided = tuple(Undecided(rule=r, reason=unjudged[r]) for r in clear if r in unjudged)
    met = not missing and not any(each.rule in expectation.required for each in undecided)
    expected = Expected(
        expect=expectation.expect,
        known=expectation.known,
        name=name,
        met=met and not failing(unlisted(report, expectation), settings),
        found=tuple(rule for rule in listed if rule not in clear),
        suppressed=tuple(rule for rule in listed if rule in suppressed),
        fixed=tuple(r for r in expectation.known if r in clear and r not in unjudged),
        missing=missing,
        undecided=undecided,
        note=note,
    )
    return report.model_copy(update={"expected": expected})


def unlisted(report: Report, expectation: Expectation) -> tuple[Finding, ...]:
    """What was found and is listed nowhere: by its severity it decides."""
    return tuple(finding for finding in report.findings if finding.rule not in expectation.listed)
