"""The findings as they are told: each cause with its consequences, of many alike the first few."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rnn_doctor.render.html.figures.figure import Figure
from rnn_doctor.schema.report import Finding, Prescription, Report

_ALIKE = 3
"""Findings of one rule that are told in full."""
_NAMED = 30

_PICTURES = {
    "RD10": "figure-lag",
    "RD103": "figure-norms",
    "RD104": "figure-norms",
    "RD2": "figure-gates",
    "RD202": "figure-states",
    "RD3": "figure-updates",
    "RD303": "figure-norms",
    "RD304": "figure-rate",
    "RD306": "figure-norms",
    "RD309": "figure-norms",
    "RD310": "figure-norms",
    "RD40": "figure-loss",
    "RD5": "figure-loss",
    "RD6": "figure-updates",
    "RD7": "figure-loss",
}
"""By the beginning of a rule's id, of which the longest decides, the picture to look at."""


@dataclass(slots=True)
class Story:
    """One finding, what follows from it, and where to go from it."""

    id: str
    finding: Finding
    consequences: "list[Story]" = field(default_factory=list)
    alike: list[str] = field(default_factory=list)
    """Subjects of further findings of the same rule."""
    more_alike: int = 0
    """How many of these are not named."""
    remedy: "Remedy | None" = None
    figure: Figure | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """A remedy with its place on the page."""

    id: str
    remedy: Prescription


def told(
    report: Report, remedies: Sequence[Remedy], figures: Iterable[Figure], prefix: str = ""
) -> list[Story]:
    """The causes in the order of the report. prefix: what the ids begin with, also those of the pictures."""
    drawn = {figure.id.removeprefix(prefix): figure for figure in figures}
    causes: list[Story] = []
    at: dict[str, Story] = {}
    """The cause that a rule's findings are told under, by rule."""
    shown: dict[str, list[Story]] = {}
    for number, finding in enumerate(report.findings, 1):
        same = shown.setdefault(finding.rule, [])
        if len(same) == _ALIKE:
            _also(same[-1], finding)
            continue
        story = Story(f"{prefix}finding-{number}", finding, figure=_picture(finding, drawn))
        story.remedy = next((r for r in remedies if finding.rule in r.remedy.addresses), None)
        same.append(story)
        cause = next((at[rule] for rule in finding.explained_by if rule in at), None)
        at.setdefault(finding.rule, cause or story)
        (causes if cause is None else cause.consequences).append(story)
    return causes


def _also(story: Story, finding: Finding) -> None:
    if len(story.alike) < _NAMED:
        story.alike.append(finding.subject)
    else:
        story.more_alike += 1


def _picture(finding: Finding, drawn: Mapping[str, Figure]) -> Figure | None:
    begins = [start for start in _PICTURES if finding.rule.startswith(start)]
    return drawn.get(_PICTURES[max(begins, key=len)]) if begins else None


def by_rule(causes: Iterable[Story]) -> dict[str, str]:
    """The id of the first story of each rule, for links."""
    found: dict[str, str] = {}
    for story in causes:
        for each in (story, *story.consequences):
            found.setdefault(each.finding.rule, each.id)
    return found


def by_picture(causes: Iterable[Story]) -> dict[str, list[Story]]:
    """The first story of each rule that a picture shows, by the picture's id."""
    first: dict[str, Story] = {}
    for story in causes:
        for each in (story, *story.consequences):
            first.setdefault(each.finding.rule, each)
    shown: dict[str, list[Story]] = {}
    for each in first.values():
        if each.figure is not None:
            shown.setdefault(each.figure.id, []).append(each)
    return shown


def unassessed(report: Report) -> list[tuple[str, list[str]]]:
    """What gave no verdict, by reason."""
    reasons: dict[str, list[str]] = {}
    for entry in report.not_assessed:
        reasons.setdefault(entry.reason, []).append(entry.what)
    return list(reasons.items())
