"""The page: one report or several in one HTML file that asks for nothing outside itself."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from markupsafe import Markup

from rnn_doctor import __version__
from rnn_doctor.render import expected, wording
from rnn_doctor.render.html import stories
from rnn_doctor.render.html.environment import environment, file, policy
from rnn_doctor.render.html.figures import gates, over_updates, through_time, trials, updates
from rnn_doctor.render.html.figures.figure import Figure
from rnn_doctor.schema.report import SCHEMA_VERSION, Report


def render(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The report as HTML; width and colour have no meaning here, the page follows its reader's."""
    return together([report])


def together(reports: Sequence[Report]) -> str:
    """The reports on one page; of several a list of them stands in front."""
    style, script = file("page.css"), file("page.js")
    alone = len(reports) == 1
    prefixes = ["" if alone else f"r{number}-" for number in range(1, len(reports) + 1)]
    told = list(zip(prefixes, reports, strict=True))
    script_name = wording.short(reports[0].subject.script, 100) if alone else ""
    return (
        environment()
        .get_template("page.html")
        .render(
            policy=policy(style, script),
            style=Markup(style),
            script=Markup(script),
            title=f"{script_name}: health of its training"
            if alone
            else wording.count(len(reports), "training"),
            first=prefixes[0] if prefixes else "",
            version=__version__,
            schema=SCHEMA_VERSION,
            bodies=[
                _body(report, prefix, number, len(told)) for number, (prefix, report) in enumerate(told, 1)
            ],
            overview=[(prefix, report, _status(report), _standing(report)) for prefix, report in told],
            prefix="",
            of="",
            rules={},
            story_of={},
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
            summary=_summary(report),
            status=_status(report),
            outcome=expected.outcome(report),
            expectation=list(expected.lines(report)),
            listed={f.rule: word for f in report.findings if (word := expected.accepted(f, report))},
            conditions=[(n, getattr(report.conditions, n)) for n in type(report.conditions).model_fields],
            causes=causes,
            story_of=stories.by_rule(causes),
            figures=drawn,
            broad=_broad([*drawn, measured]),
            missing=_missing([*figures, measured]),
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


def _status(report: Report) -> str:
    """The gravest severity found; else `clear`, or `open` where a condition was not assessed."""
    severities = {finding.severity for finding in report.findings}
    silent = "open" if "not_assessed" in _verdicts(report) else "clear"
    return next((word for word in ("error", "warning", "note") if word in severities), silent)


def _verdicts(report: Report) -> list[str]:
    return [getattr(report.conditions, name).verdict for name in type(report.conditions).model_fields]


def _standing(report: Report) -> str:
    """The same, after what the manifest makes of it."""
    if report.expected is None:
        return _summary(report)
    outcome = expected.outcome(report)
    return f"{outcome[0].upper()}{outcome[1:]}. {_summary(report)}"


def _summary(report: Report) -> str:
    """The whole report in a sentence."""
    numbers = wording.severities(report.findings)
    open_ = _verdicts(report).count("not_assessed")
    if not numbers:
        if open_:
            return f"Nothing was found; {open_} of the 4 conditions could not be assessed."
        return "Nothing was found, and all 4 conditions were assessed."
    found = wording.joined(numbers)
    causes = len({finding.rule for finding in report.findings if not finding.explained_by})
    alone = len(report.findings) == 1 or not causes
    return f"{found}." if alone else f"{found}, from {wording.count(causes, 'cause')}."
