"""The page: one report or several in one HTML file that asks for nothing outside itself."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from markupsafe import Markup

from rnn_doctor import __version__
from rnn_doctor.render import expected
from rnn_doctor.render.html import headline, stories
from rnn_doctor.render.html.environment import environment, file, policy
from rnn_doctor.render.html.figures import gates, over_updates, through_time, trials, updates
from rnn_doctor.render.html.figures.figure import Figure
from rnn_doctor.schema.report import SCHEMA_VERSION, Conditions, Report

_CONDITIONS = tuple(Conditions.model_fields)


def render(report: Report) -> str:
    """The report as HTML."""
    return together([report])


def together(reports: Sequence[Report]) -> str:
    """The reports on one page; of several a list of them stands in front."""
    style, script = file("page.css"), file("page.js")
    alone = len(reports) == 1
    prefixes = ["" if alone else f"r{number}-" for number in range(1, len(reports) + 1)]
    told = list(zip(prefixes, reports, strict=True))
    return (
        environment()
        .get_template("page.html")
        .render(
            policy=policy(style, script),
            style=Markup(style),
            script=Markup(script),
            title=headline.title(reports),
            heading=headline.heading(reports),
            first=prefixes[0] if prefixes else "",
            version=__version__,
            schema=SCHEMA_VERSION,
            bodies=[
                _body(report, prefix, number, len(told)) for number, (prefix, report) in enumerate(told, 1)
            ],
            entries=[headline.entry(prefix, report) for prefix, report in told],
            prefix="",
            of="",
            rules={},
            story_of={},
            shows={},
            broad=set(),
        )
    )


def _body(report: Report, prefix: str, number: int, count: int) -> Markup:
    """One report, by its number among so many. prefix: of all its ids, so that those of several differ."""
    figures = [replace(figure, id=prefix + figure.id) for figure in _figures(report)]
    drawn = [figure for figure in figures if figure.drawings]
    remedies = [stories.Remedy(f"{prefix}remedy-{n}", r) for n, r in enumerate(report.remedies, 1)]
    causes = stories.told(report, remedies, drawn, prefix)
    measured = trials.trials(report)
    measured = replace(measured, id=prefix + measured.id)
    unseen = headline.unseen(report)
    found = {finding.rule for finding in report.findings}
    text = (
        environment()
        .get_template("report.html")
        .render(
            prefix=prefix,
            alone=count == 1,
            of="" if count == 1 else f", report {number}",
            tool="rnn-doctor" if count == 1 else f"{number} of {count}",
            report=report,
            standing=bool(report.suppressed or report.remarks or report.thresholds or _older(report)),
            summary=headline.summary(report),
            in_all=headline.in_all(report),
            status=headline.status(report),
            unseen=unseen,
            failed=report.observation.failed,
            too_little=headline.too_little(report),
            notices=headline.notices(report),
            number=number,
            unfolded=headline.entry(prefix, report).status in ("error", "warning"),
            judged=any(getattr(report.conditions, n).verdict != "not_assessed" for n in _CONDITIONS),
            judged_all=all(getattr(report.conditions, n).verdict != "not_assessed" for n in _CONDITIONS),
            outcome=expected.outcome(report),
            expectation=list(expected.lines(report)),
            listed={f.rule: word for f in report.findings if (word := expected.accepted(f, report))},
            conditions=[(n, getattr(report.conditions, n)) for n in _CONDITIONS],
            causes=causes,
            story_of=stories.by_rule(causes),
            shows=stories.by_picture(causes),
            figures=drawn,
            broad=_broad([*drawn, measured]),
            missing=[] if unseen else _missing(figures),
            trials=measured,
            remedies=remedies,
            unassessed=stories.unassessed(report),
            rules={page.id: page for page in report.rulebook if page.id in found},
        )
    )
    return Markup(text)


def _figures(report: Report) -> list[Figure]:
    """The pictures in the order in which they are looked at."""
    made: Iterable[Figure | None] = (
        over_updates.losses(report),
        over_updates.norms(report),
        through_time.by_lag(report),
        through_time.by_time(report),
        updates.updates(report),
        through_time.states(report),
        gates.courses(report),
        gates.shares(report),
        over_updates.learning_rate(report),
    )
    return [figure for figure in made if figure is not None]


def _missing(figures: Iterable[Figure]) -> list[tuple[str, list[str]]]:
    """Titles of pictures that cannot be drawn, by the reason."""
    reasons: dict[str, list[str]] = {}
    for figure in figures:
        if not figure.drawings:
            reasons.setdefault(figure.absent or "", []).append(figure.title)
    return list(reasons.items())


def _broad(figures: Iterable[Figure]) -> set[str]:
    """The pictures as wide as the page: those of several drawings, and one that would be left alone in its row."""
    broad: set[str] = set()
    alone: str | None = None
    for figure in figures:
        if figure.stacked or len(figure.drawings) > 1 or figure.id.endswith("figure-trials"):
            broad |= {figure.id, alone} if alone else {figure.id}
            alone = None
        else:
            alone = None if alone else figure.id
    return broad | {alone} if alone else broad


def _older(report: Report) -> bool:
    """Whether the baseline held what this report does not."""
    return report.baseline is not None and bool(report.baseline.gone or report.baseline.unjudged)
