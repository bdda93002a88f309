"""What was expected of a script of the manifest and what became of it, in sentences that every format tells."""

from collections.abc import Iterator
from typing import NamedTuple

from rnn_doctor.render.wording import joined, short
from rnn_doctor.schema.expectation import Expected
from rnn_doctor.schema.report import Finding, Report

_INTERRUPTED = 130


class Line(NamedTuple):
    """One sentence, the rule that it is about, and whether it fails the gate."""

    text: str
    rule: str | None = None
    fails: bool = False


def outcome(report: Report) -> str:
    """The outcome in two words: `as expected`, `failed`, `not judged` or `interrupted`."""
    code = report.exit.code if report.exit else int(not (report.expected and report.expected.met))
    words = {0: "as expected", 1: "failed", _INTERRUPTED: "interrupted"}
    return words.get(code, "not judged")


def accepted(finding: Finding, report: Report) -> str | None:
    """`known` or `expected` of a finding whose rule the manifest lists; it fails nothing."""
    expected = report.expected
    if expected is None or finding.rule not in expected.listed:
        return None
    return "expected" if finding.rule in expected.required else "known"


def lines(report: Report) -> Iterator[Line]:
    """What is no finding: what kept it from a verdict, what is missing, then what the manifest should be told."""
    expected = report.expected
    if expected is None:
        return
    if expected.note:
        yield Line(short(expected.note), fails=outcome(report) in ("not judged", "interrupted"))
    for rule in expected.missing:
        yield Line(f"{short(rule, 200)} must be found, and was not", rule, fails=True)
    yield from _undecided(expected)
    seen = [rule for rule in expected.found if rule in expected.required]
    known = [rule for rule in expected.found if rule not in expected.required]
    if seen:
        yield Line(
            f"{_joined(seen)} found, as it must be"
            if len(seen) == 1
            else f"{_joined(seen)} found, as they must be"
        )
    if known:
        yield Line(f"known: {_joined(known)}")
    if expected.suppressed:
        yield Line(f"suppressed in the source: {_joined(expected.suppressed)}")
    if expected.fixed:
        yield Line(f"fixed: {_joined(expected.fixed)}; remove it from `known`")


def _undecided(expected: Expected) -> Iterator[Line]:
    """What could not be judged; where the whole script could not, its note says so for all of them."""
    for entry in expected.undecided:
        must = entry.rule in expected.required
        if entry.reason != expected.note:
            wanted = "must be found" if must else "is known"
            text = f"{short(entry.rule, 200)} {wanted}, and could not be judged: {short(entry.reason)}"
            yield Line(text, entry.rule, fails=must)


def _joined(rules: tuple[str, ...] | list[str]) -> str:
    return short(joined(rules), 500)
