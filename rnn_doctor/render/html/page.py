"""The page: the report in one HTML file that asks for nothing outside itself."""

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rnn_doctor.render import wording
from rnn_doctor.render.html import stories, words
from rnn_doctor.render.html.figures import by_layer, over_updates, through_time, trials
from rnn_doctor.render.html.figures.figure import Figure
from rnn_doctor.schema.report import Report

_LONGEST = 1_000
"""Characters of a text; whole texts are in the JSON report."""
_SUMMARY = 4_000
_CELL = 160
"""Of one of many: a cell of a table, a name in a list."""
_VERDICTS = {
    "present": "Present",
    "suspected": "Suspected",
    "absent": "Absent",
    "not_assessed": "Not assessed",
}
_BASIS = {
    "certain": "certain: it undoes the fault",
    "trial": "measured on this run",
    "literature": "by published evidence",
}


def render(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The report as HTML; width and colour have no meaning here, the page follows its reader's."""
    style, script = _file("page.css"), _file("page.js")
    figures = _figures(report)
    drawn = [figure for figure in figures if figure.drawings]
    remedies = [stories.Remedy(f"remedy-{n}", r) for n, r in enumerate(report.remedies, 1)]
    causes = stories.told(report, remedies, drawn)
    measured = trials.trials(report)
    found = {finding.rule for finding in report.findings}
    return (
        _environment()
        .get_template("page.html")
        .render(
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            report=report,
            standing=bool(report.suppressed or report.remarks or report.thresholds or _older(report)),
            summary=_summary(report, len({story.finding.rule for story in causes})),
            status=_status(report),
            conditions=[(n, getattr(report.conditions, n)) for n in type(report.conditions).model_fields],
            causes=causes,
            story_of=stories.by_rule(causes),
            figures=drawn,
            broad=_broad([*drawn, measured]),
            missing=[f for f in (*figures, measured) if not f.drawings],
            trials=measured,
            remedies=remedies,
            unassessed=stories.unassessed(report),
            rules={page.id: page for page in report.rulebook if page.id in found},
        )
    )


def _figures(report: Report) -> list[Figure]:
    """The pictures in the order in which they are looked at."""
    made: Iterable[Figure | None] = (
        over_updates.losses(report),
        over_updates.norms(report),
        through_time.by_lag(report),
        through_time.by_time(report),
        by_layer.gates(report),
        by_layer.updates(report),
        through_time.states(report),
        over_updates.learning_rate(report),
    )
    return [figure for figure in made if figure is not None]


def _broad(figures: Iterable[Figure]) -> set[str]:
    """The pictures as wide as the page: those of several drawings, and one that would be left alone in its row."""
    broad: set[str] = set()
    alone: str | None = None
    for figure in figures:
        if len(figure.drawings) > 1 or figure.id == "figure-trials":
            broad.add(figure.id)
        else:
            alone = None if alone else figure.id
    return broad | {alone} if alone else broad


def _older(report: Report) -> bool:
    """Whether the baseline held what this report does not."""
    return report.baseline is not None and bool(report.baseline.gone or report.baseline.unjudged)


def _status(report: Report) -> str:
    """The gravest severity found, or `clear`."""
    severities = {finding.severity for finding in report.findings}
    return next((word for word in ("error", "warning", "note") if word in severities), "clear")


def _summary(report: Report, causes: int) -> str:
    """The whole report in a sentence."""
    severities = [finding.severity for finding in report.findings]
    numbers = [
        wording.count(n, word) for word in ("error", "warning", "note") if (n := severities.count(word))
    ]
    verdicts = [getattr(report.conditions, n).verdict for n in type(report.conditions).model_fields]
    open_ = verdicts.count("not_assessed")
    if not numbers:
        if open_:
            return f"Nothing was found; {open_} of the 4 conditions could not be assessed."
        return "Nothing was found, and all 4 conditions were assessed."
    found = wording.joined(numbers)
    alone = len(report.findings) == 1
    return f"{found}." if alone else f"{found}, from {wording.count(causes, 'cause')}."


def _policy(style: str, script: str) -> str:
    """What the page may do: use its own style and script, known by their hashes; load nothing."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _file(name: str) -> str:
    return (files("rnn_doctor.render.html") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rnn_doctor.render.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "code": lambda text: Markup(escape(words.code(text))),
        "told": lambda text: Markup(escape(wording.short(text, _SUMMARY))),
        "cell": lambda value: Markup(escape(wording.short(str(value), _CELL))),
        "figure": words.figure,
        "value": wording.value,
        "record": wording.record,
        "layer": words.layer,
        "prose": lambda text: [
            Markup(escape(wording.short(part, _SUMMARY))) for part in text.strip().split("\n\n")[:20]
        ],
    }
    environment.globals |= {"verdict_words": _VERDICTS, "basis_words": _BASIS, "count": wording.count}
    return environment


def _safe(value: Any) -> Any:
    """What an expression of the template may write: foreign text is cleaned and bounded, then escaped as always."""
    return (
        wording.short(value, _LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value
    )
