"""What happens inside the recurrences: gradients by lag and by time step, states by time step."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from rnn_doctor.render.html.charts import heat, lines
from rnn_doctor.render.html.figures.figure import NO_REASON, Figure, Key, table
from rnn_doctor.render.html.words import figure, layer, name
from rnn_doctor.render.lags import columns, lost_at
from rnn_doctor.schema.report import LagProfile, Report, TimeProfile

_MODULES = 4
_ROWS = 8
"""Layers that are drawn of one module."""
_CELLS = 50
_LEVELS = (
    (1.0, "l0", "less than 1"),
    (2.0, "l1", "1"),
    (3.0, "l2", "2"),
    (5.0, "l3", "3 to 4"),
    (10.0, "l4", "5 to 9"),
)
"""Below so many decades lost, the level and its words. Up to 3 most networks learn, beyond 5 half of them fail."""

_KEY = (*(Key("cell", level, words) for _, level, words in _LEVELS), Key("cell", "l5", "10 or more"))
_GROWN = Key("cell", "grown", "grown tenfold")


def by_lag(report: Report) -> Figure:
    """The gradient by lag, one map a module, with the needed lag marked."""
    profiles = [p for p in report.profiles.by_lag if p.lags]
    shared = Figure(
        id="figure-lag",
        title="Gradient by lag",
        caption="Decades of a gradient that are lost on the way back from one output to earlier inputs; 3 is a "
        "thousandth left. Where the colour fades, inputs so far back cannot be learned from.",
    )
    if not profiles:
        return _without(shared, report.profiles.absent.get("by_lag", NO_REASON))
    modules = [list(group) for _, group in groupby(profiles, key=lambda p: p.module)]
    rows = [
        (layer(p.module, p.layer, p.reverse), str(lag), figure(decades))
        for p in profiles
        for lag, decades in zip(p.lags, p.decades, strict=True)
    ]
    return replace(
        shared,
        summary=" ".join(_lag_words(group[0]) for group in modules[:_MODULES]) + _more(len(modules)),
        drawings=tuple(
            (name(group[0].module), heat.draw(_lag_map(group[:_ROWS]))) for group in modules[:_MODULES]
        ),
        key=(*_KEY, _GROWN) if any(d >= 1 for p in profiles for d in p.decades) else _KEY,
        tables=(table(("layer", "lag", "log10 of what is left"), rows),),
    )


def _without(shared: Figure, reason: str) -> Figure:
    return replace(shared, absent=reason)


def _more(modules: int) -> str:
    return f" {modules - _MODULES} more modules are in the JSON report." if modules > _MODULES else ""


def _lag_map(group: Sequence[LagProfile]) -> heat.Heat:
    lags = columns(max(max(p.lags) for p in group), _CELLS)
    needed = group[0].needed_lag
    marked = None
    if needed is not None:
        marked = next((k for k, lag in enumerate(lags) if lag >= needed), None)
    rows = [
        heat.Row(
            layer("whole module" if p.layer is None else "", p.layer, p.reverse).removeprefix(", "),
            [_cell(lost_at(p, lag)) for lag in lags if lag <= max(p.lags)],
        )
        for p in group
    ]
    words = f"needed: lag {figure(needed)}" if needed is not None else ""
    return heat.Heat(rows, lags, "lag, in time steps back from the output", marked, words)


def _cell(lost: float) -> tuple[str, str]:
    """Level and character of so many decades lost."""
    if math.isnan(lost):
        return "unknown", "?"
    if lost <= -1:
        return "grown", "+"
    level = next((level for below, level, _ in _LEVELS if lost < below), "l5")
    return level, str(max(0, math.floor(lost))) if lost < 10 else "–"


def _lag_words(profile: LagProfile) -> str:
    """What the map shows of a whole module, in a sentence."""
    longest = max(profile.lags)
    left = figure(round(-lost_at(profile, longest), 1))
    text = f"{name(profile.module)}: over {longest} steps back 10 to the power {left} is left"
    needed = profile.needed_lag
    if needed is None or not math.isfinite(needed):
        return f"{text}; how far back the task must remember is not known."
    if needed > longest:
        return f"{text}; the task needs lag {figure(needed)}, farther than the sequences reach."
    left = figure(round(-lost_at(profile, int(needed)), 1))
    basis = f" ({name(profile.needed_lag_basis)})" if profile.needed_lag_basis else ""
    return f"{text}; at the needed lag {figure(needed)}{basis} it is 10 to the power {left}."


def by_time(report: Report) -> Figure:
    """The gradient of the script's own loss by time step, one row a layer."""
    profiles = [p for p in report.profiles.by_time if p.times and p.hidden_gradient]
    shared = Figure(
        id="figure-time",
        title="Gradient by time step",
        caption="Decades by which the gradient of the script's own loss falls short of the layer's largest. "
        "A loss on the last step alone must send it all the way to the left.",
    )
    if not profiles:
        return _without(shared, report.profiles.absent.get("by_time", NO_REASON))
    modules = [list(group) for _, group in groupby(profiles, key=lambda p: p.module)]
    rows = [
        (layer(p.module, p.layer, p.reverse), str(time), figure(value))
        for p in profiles
        for time, value in zip(p.times, p.hidden_gradient, strict=True)
    ]
    return replace(
        shared,
        summary=" ".join(_time_words(p) for group in modules[:_MODULES] for p in group[:_ROWS])
        + _more(len(modules)),
        drawings=tuple(
            (name(group[0].module), heat.draw(_time_map(group[:_ROWS]))) for group in modules[:_MODULES]
        ),
        key=_KEY,
        tables=(table(("layer", "time step", "log10 of the norm"), rows),),
    )


def _time_map(group: Sequence[TimeProfile]) -> heat.Heat:
    longest = max(group, key=lambda p: len(p.times)).times
    spread = columns(len(longest) - 1, _CELLS)
    rows = [
        heat.Row(
            layer("", p.layer, p.reverse).removeprefix(", "),
            [_cell(_largest(p) - p.hidden_gradient[k]) for k in spread if k < len(p.hidden_gradient)],
        )
        for p in group
    ]
    return heat.Heat(rows, [longest[k] for k in spread], "time step of the sequence")


def _largest(profile: TimeProfile) -> float:
    return max((v for v in profile.hidden_gradient if math.isfinite(v)), default=math.nan)


def _time_words(profile: TimeProfile) -> str:
    lost = _largest(profile) - profile.hidden_gradient[0]
    where = layer(name(profile.module), profile.layer, profile.reverse)
    return f"{where}: {figure(round(lost, 1))} decades below its largest at the first time step."


def states(report: Report) -> Figure:
    """The size of the states over the time steps."""
    profiles = [p for p in report.profiles.by_time if p.times and (p.hidden_norm or p.cell_norm)]
    shared = Figure(
        id="figure-states",
        title="States by time step",
        caption="Root mean square of the states over a sequence, at the last update where it was looked at.",
    )
    if not profiles:
        return _without(shared, report.profiles.absent.get("by_time", NO_REASON))
    drawn = [
        (layer(p.module, p.layer, p.reverse), kind, p.times, values)
        for p in profiles
        for kind, values in (("h", p.hidden_norm), ("c", p.cell_norm))
        if values
    ]
    shown = drawn[: 2 * _MODULES]
    series = [
        lines.Series(f"{kind} of {name(where)}", times, values, tone=number % 6 + 1)
        for number, (where, kind, times, values) in enumerate(shown)
    ]
    ends = [f"{s.name} goes from {figure(s.ys[0])} to {figure(s.ys[-1])}" for s in series]
    more = f"; {len(drawn) - len(shown)} more are in the JSON report" if len(drawn) > len(shown) else ""
    rows = [
        (f"{kind} of {where}", str(time), figure(value))
        for where, kind, times, values in drawn
        for time, value in zip(times, values, strict=True)
    ]
    return replace(
        shared,
        summary="; ".join(ends) + more + ".",
        drawings=(("", lines.draw(lines.Chart(series, "time step of the sequence", "root mean square"))),),
        key=tuple(Key("line", f"tone{s.tone}", s.name) for s in series),
        tables=(table(("state", "time step", "root mean square"), rows),),
    )
