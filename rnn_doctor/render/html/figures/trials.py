"""The measured effects of remedies, as a forest plot."""

import math

from rnn_doctor.render.html.charts import rows, scales
from rnn_doctor.render.html.figures.figure import Figure, Key, table
from rnn_doctor.render.html.words import figure, name, wrapped
from rnn_doctor.schema.report import Report

_ROOM = 0.2
"""Share of the largest effect that is shown on both sides of 0: help and harm both have a place."""


def trials(report: Report) -> Figure:
    """One row a remedy that was tried on this run: its effect with its interval."""
    tried = [(r.title, r.trial) for r in report.remedies if r.trial is not None]
    title, caption = (
        "Measured effects of remedies",
        "What each remedy did to this very run: the loss with it over the loss without it, as a logarithm. Left of the "
        "line at 0 it helps; an interval that crosses the line may be no effect at all.",
    )
    if not tried:
        return Figure(
            "figure-trials", title, caption, absent="no remedy was tried on this run; `rnn-doctor try` does"
        )
    measured = [v for _, t in tried for v in (t.effect, *t.interval) if math.isfinite(v)]
    room = _ROOM * max(map(abs, measured), default=1.0)
    scale = scales.linear([-room, room, *measured])
    drawn = [rows.Range(wrapped(text), *t.interval, ((t.effect, 1),)) for text, t in tried]
    cells = [
        (
            text,
            figure(t.effect),
            f"{figure(t.interval[0])} to {figure(t.interval[1])}",
            figure(t.p_value),
            str(t.steps),
        )
        for text, t in tried
    ]
    return Figure(
        id="figure-trials",
        title=title,
        caption=caption,
        summary=" ".join(
            f"{name(c[0])}: effect {c[1]}, interval {c[2]}, after {c[4]} updates." for c in cells
        ),
        drawings=(
            ("", rows.ranges(drawn, scale, "← helps · log of the ratio of the losses · harms →", zero=True)),
        ),
        key=(Key("dot", "tone1", "effect"), Key("line", "range", "its interval")),
        tables=(table(("remedy", "effect", "interval", "p", "updates"), cells),),
    )
