"""What happens inside the recurrences: gradients by lag and by time step, states by time step."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Generic, TypeVar

from rnn_doctor.render.html.charts import heat, lines
from rnn_doctor.render.html.figures.figure import NO_REASON, Figure, Key, table
from rnn_doctor.render.html.words import figure, layer, name
from rnn_doctor.render.lags import columns, lost_at
from rnn_doctor.schema.report import LagProfile, Report, TimeProfile

Profile = TypeVar("Profile", LagProfile, TimeProfile)

_MODULES = 4
_ROWS = 8
"""Layers that are drawn of one module."""
_CELLS = 50
_CURVES = 6
"""States that are drawn: as many as there are tones."""
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


@dataclass(frozen=True)
class _Map(Generic[Profile]):
    """How a map is made of profiles: from all of one module, a few rows a picture."""

    places: Callable[[Profile], Sequence[int]]
    """Lags or time steps."""
    values: Callable[[Profile], Sequence[float]]
    draw: Callable[[Sequence[Profile]], heat.Heat]
    words: Callable[[Sequence[Profile]], str]
    head: tuple[str, str, str]
    """Of the table."""


def _drawn(shared: Figure, profiles: Sequence[Profile], how: _Map[Profile], absent: str | None) -> Figure:
    """One map a module."""
    if not profiles:
        return replace(shared, absent=absent or NO_REASON)
    modules = [list(group) for _, group in groupby(profiles, key=lambda p: p.module)]
    shown = [group[:_ROWS] for group in modules[:_MODULES]]
    maps = [(name(group[0].module), how.draw(group)) for group in shown]
    rows = [
        (layer(p.module, p.layer, p.reverse), str(place), figure(value))
        for p in profiles
        for place, value in zip(how.places(p), how.values(p), strict=True)
    ]
    return replace(
        shared,
        summary=" ".join(how.words(group) for group in shown) + _more(len(modules)),
        drawings=tuple((title, heat.draw(drawn)) for title, drawn in maps),
        key=(*_KEY, _GROWN) if any(drawn.holds("grown") for _, drawn in maps) else _KEY,
        key_title="decades lost",
        tables=(table(how.head, rows),),
    )


def _more(modules: int) -> str:
    return f" {modules - _MODULES} more modules are in the JSON report." if modules > _MODULES else ""


def by_lag(report: Report) -> Figure:
    """The gradient by lag, one map a module, with the needed lag marked."""
    shared = Figure(
        id="figure-lag",
        title="Gradient by lag",
        caption="Decades of a gradient that are lost on the way back from one output to earlier inputs; 3 is a "
        "thousandth left. Where the colour fades, inputs so far back cannot be learned from.",
    )
    how = _Map[LagProfile](
        lambda p: p.lags,
        lambda p: p.decades,
        _lag_map,
        lambda group: _lag_words(group[0]),
        ("layer", "lag", "log10 of what is left"),
    )
    profiles = [p for p in report.profiles.by_lag if p.lags]
    return _drawn(shared, profiles, how, report.profiles.absent.get("by_lag"))


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
    """The gradient of the script's own loss by time step, one row a layer, with the needed lag marked."""
    shared = Figure(
        id="figure-time",
        title="Gradient by time step",
        caption="Decades by which the gradient of the script's own loss falls short of the layer's largest. "
        "A loss on the last step alone must send it all the way to the left.",
    )
    needed = {p.module: p.needed_lag for p in report.profiles.by_lag if p.needed_lag is not None}
    how = _Map[TimeProfile](
        lambda p: p.times,
        lambda p: p.hidden_gradient,
        lambda group: _time_map(group, needed.get(group[0].module)),
        lambda group: " ".join(map(_time_words, group)),
        ("layer", "time step", "log10 of the norm"),
    )
    profiles = [p for p in report.profiles.by_time if p.times and p.hidden_gradient]
    return _drawn(shared, profiles, how, report.profiles.absent.get("by_time"))


def _time_map(group: Sequence[TimeProfile], needed: float | None) -> heat.Heat:
    longest = max(group, key=lambda p: len(p.times)).times
    spread = columns(len(longest) - 1, _CELLS)
    rows = [
        heat.Row(
            layer("", p.layer, p.reverse).removeprefix(", "),
            [_cell(_largest(p) - p.hidden_gradient[k]) for k in spread if k < len(p.hidden_gradient)],
        )
        for p in group
    ]
    times = [longest[k] for k in spread]
    marked = None
    if needed is not None and not any(
        p.reverse for p in group
    ):  # a reverse direction carries it the other way
        marked = next((k for k, time in reversed([*enumerate(times)]) if times[-1] - time >= needed), None)
    words = f"needed: lag {figure(needed)} from the end" if needed is not None else ""
    return heat.Heat(rows, times, "time step of the sequence", marked, words)


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
        return replace(shared, absent=report.profiles.absent.get("by_time", NO_REASON))
    drawn = [
        (layer(p.module, p.layer, p.reverse), kind, p.times, values)
        for p in profiles
        for kind, values in (("h", p.hidden_norm), ("c", p.cell_norm))
        if values
    ]
    shown = drawn[:_CURVES]
    series = [
        lines.Series(f"{kind} of {name(where)}", times, values, tone=number + 1)
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
