"""The table that sums up several scripts: what was expected of each, and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnn_doctor.render.page import Page
from rnn_doctor.render.wording import count, joined
from rnn_doctor.schema.expectation import Examined
from rnn_doctor.schema.report import Finding

_LONGEST_NAME = 30
_STATUS_WIDTH = len("as expected")

_INTERRUPTED = 130


def status(examined: Examined) -> tuple[str, str]:
    """The outcome in two words, and its style."""
    if examined.code == 0:
        return "as expected", "green"
    if examined.code == _INTERRUPTED:
        return "interrupted", "yellow"
    if examined.code == 1:
        return "FAILED", "bold red"
    return "not judged", "bold red"


def render(all_examined: Sequence[Examined], *, width: int = 80, color: bool = False) -> str:
    """One block a script, in a line that sums up at the end."""
    page = Page(width, color=color)
    page.add((f"Summary of {count(len(all_examined), 'script')}", "bold underline"))
    page.blank()
    longest = min(max(len(each.name) for each in all_examined), _LONGEST_NAME)
    for each in all_examined:
        word, style = status(each)
        hang = 2 + longest + 2 + _STATUS_WIDTH + 2
        first, *rest = _told(each)
        page.add(
            f"{each.name:<{longest}}  ",
            (f"{word:<{_STATUS_WIDTH}}", style),
            f"  {first}",
            indent=2,
            hang=hang,
        )
        for line in rest:
            page.add(line, indent=hang)
    page.blank()
    page.add((_total(all_examined), "bold"))
    return page.text()


def _told(each: Examined) -> list[str]:
    lines = list(_lines(each))
    return lines or [
        "no findings" if each.report is not None and not each.report.findings else "nothing of note"
    ]


def _lines(each: Examined) -> Iterator[str]:
    """What decided first, then what the manifest should be told."""
    compared = each.comparison
    if each.note:
        yield each.note
    for finding in _first_of_each(compared.unlisted, each.failed):
        yield f"{finding.severity}[{finding.rule}] {finding.name}{_place(finding)}"
    others = tuple(dict.fromkeys(f.rule for f in compared.unlisted if f.rule not in each.failed))
    if others:
        yield f"{joined(others)}: not severe enough to fail"
    for rule in compared.missing:
        yield f"{rule} must be found, and was not"
    must = set(each.expectation.required)
    for entry in compared.undecided:
        wanted = "must be found" if entry.rule in must else "is known"
        yield f"{entry.rule} {wanted}, and could not be judged: {entry.reason}"
    expected = tuple(rule for rule in compared.listed if rule in must)
    known = tuple(rule for rule in compared.listed if rule not in must)
    if expected:
        yield f"{joined(expected)} found, as it must be"
    if known:
        yield f"known: {joined(known)}"
    if compared.fixed:
        yield f"fixed: {joined(compared.fixed)}; remove it from `known`"


def _first_of_each(findings: Sequence[Finding], rules: Sequence[str]) -> Iterator[Finding]:
    for rule in rules:
        yield next(finding for finding in findings if finding.rule == rule)


def _place(finding: Finding) -> str:
    return f" at {finding.location.file}:{finding.location.line}" if finding.location else ""


def _total(all_examined: Sequence[Examined]) -> str:
    words = [status(each)[0] for each in all_examined]
    numbers = [f"{words.count(word)} {word.lower()}" for word in dict.fromkeys(words)]
    return f"{', '.join(numbers)}."
