"""The gates of every layer: how far they are saturated, and what they do over the time steps of a sequence."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from markupsafe import Markup

from rnn_doctor.render.html.charts import lines, rows
from rnn_doctor.render.html.charts.svg import tag
from rnn_doctor.render.html.figures.figure import NO_REASON, Figure, Key, table
from rnn_doctor.render.html.words import figure, layer, name
from rnn_doctor.schema.curves import GateCourse, GateCurve
from rnn_doctor.schema.report import Report

_LAYERS = 6
_FIRST, _MIDDLE, _LAST = 2, 3, 1
"""The tones of the looks."""
_NAMES = {
    "i": "input gate",
    "f": "forget gate",
    "g": "cell candidate",
    "o": "output gate",
    "r": "reset gate",
    "z": "update gate",
    "n": "candidate",
    "h": "state",
}
_BOUNDED = frozenset("gnh")
"""tanh: both of its ends are saturation; a gate's are closed and open."""


def shares(report: Report) -> Figure:
    """Shares of each gate closed, at work and open, at the first and the last look."""
    curves = [c for c in report.profiles.gates if c.steps]
    shared = Figure(
        id="figure-gates",
        title="Gates closed and open",
        caption="How much of each gate is closed, at work, or open, over units and time steps. Saturated gates "
        "pass hardly any gradient; an open forget or update gate is memory.",
    )
    if not curves:
        reason = report.profiles.absent.get("gates", NO_REASON)
        return replace(shared, absent=reason)
    layers = [list(g) for _, g in groupby(curves, key=lambda c: (c.module, c.layer, c.reverse))]
    told = [_words(c) for group in layers[:_LAYERS] for c in group]
    more = f" {len(layers) - _LAYERS} more layers are in the JSON report." if len(layers) > _LAYERS else ""
    every_row = [
        (layer(c.module, c.layer, c.reverse), _NAMES[c.gate], str(step), _percent(low), _percent(high))
        for c in curves
        for step, low, high in zip(c.steps, c.low, c.high, strict=True)
    ]
    first, last = min(c.steps[0] for c in curves), max(c.steps[-1] for c in curves)
    above = (
        f"Upper bar: update {first}, lower bar: update {last}." if first != last else f"At update {first}."
    )
    return replace(
        shared,
        caption=f"{shared.caption} {above}",
        summary=" ".join(told) + more,
        drawings=tuple(
            (
                layer(name(group[0].module), group[0].layer, group[0].reverse),
                rows.bars([_bars(c) for c in group], "share of units and time steps"),
            )
            for group in layers[:_LAYERS]
        ),
        key=(
            Key("cell", "part1", "closed (or −1)"),
            Key("cell", "part2", "at work"),
            Key("cell", "part3", "open (or +1)"),
        ),
        tables=(table(("layer", "gate", "update", "low", "high"), every_row),),
    )


def _bars(curve: GateCurve) -> rows.Bars:
    looks = sorted({0, len(curve.steps) - 1})
    return rows.Bars(
        _NAMES[curve.gate],
        [
            (
                f"update {curve.steps[k]}",
                ((1, curve.low[k]), (2, 1 - curve.low[k] - curve.high[k]), (3, curve.high[k])),
            )
            for k in looks
        ],
    )


def _words(curve: GateCurve) -> str:
    low, high = ("at −1", "at +1") if curve.gate in _BOUNDED else ("closed", "open")
    where = layer(name(curve.module), curve.layer, curve.reverse)
    return (
        f"{where}, {_NAMES[curve.gate]}: {_percent(curve.low[-1])} {low}, {_percent(curve.high[-1])} {high}."
    )


def courses(report: Report) -> Figure:
    """Each gate over the time steps of a sequence, at the first, middle and last look."""
    shared = Figure(
        id="figure-gate-times",
        title="Gates over time steps",
        caption="How far each gate is open along a sequence: its mean over units and rows, shaded the middle four "
        "fifths of them at the last look. A gate that is flat at 0 or 1 is moved by no input.",
        stacked=True,
    )
    found = report.profiles.gate_courses
    if not found:
        return replace(shared, absent=report.profiles.absent.get("gate_courses", NO_REASON))
    layers = [list(g) for _, g in groupby(found, key=lambda c: (c.module, c.layer, c.reverse))]
    shown = [_by_gate(group) for group in layers[:_LAYERS]]
    more = f" {len(layers) - _LAYERS} more layers are in the JSON report." if len(layers) > _LAYERS else ""
    every_row = [
        (layer(c.module, c.layer, c.reverse), _NAMES[c.gate], str(c.step), str(time), *map(figure, numbers))
        for c in found
        for time, *numbers in zip(c.times, c.mean, c.p10, c.p90, strict=True)
    ]
    return replace(
        shared,
        summary=" ".join(_course_words(looks) for gates in shown for looks in gates) + more,
        drawings=tuple(
            (
                layer(name(gates[0][0].module), gates[0][0].layer, gates[0][0].reverse),
                tag("div", *map(_panel, gates), class_="panels"),
            )
            for gates in shown
        ),
        key=_looks_key([looks for gates in shown for looks in gates]),
        tables=(
            table(
                ("layer", "gate", "update", "time step", "mean", "a tenth below", "a tenth above"), every_row
            ),
        ),
    )


def _by_gate(layer_courses: Sequence[GateCourse]) -> list[list[GateCourse]]:
    return [list(looks) for _, looks in groupby(layer_courses, key=lambda c: c.gate)]


def _panel(looks: Sequence[GateCourse]) -> Markup:
    """One gate of one layer: a line a look, the last one with its range."""
    last = looks[-1]
    chart = lines.Chart(
        [lines.Series("", c.times, c.mean, tone) for c, tone in zip(looks, _tones(looks), strict=True)],
        "time step",
        "",
        bands=[lines.Band(last.times, last.p10, last.p90, _LAST)],
        log=False,
        y_range=(0, 1),
        y_words={0.0: "closed", 1.0: "open"},
        height=100,
    )
    return tag("div", tag("p", _NAMES[last.gate], class_="panel-title"), lines.draw(chart))


def _tones(looks: Sequence[GateCourse]) -> list[int]:
    """The tones of first, middle and last look, of as many as there are."""
    return [*(_FIRST, _MIDDLE)[: len(looks) - 1], _LAST]


def _looks_key(drawn: Sequence[Sequence[GateCourse]]) -> tuple[Key, ...]:
    """The looks by their updates, where all gates were looked at together."""
    most = max(drawn, key=len)
    names = [*("first look", "in between")[: len(most) - 1], "last look"]
    if len({tuple(c.step for c in looks) for looks in drawn}) == 1:
        names = [f"update {c.step}" for c in most]
    return (
        *(Key("line", f"tone{tone}", words) for tone, words in zip(_tones(most), names, strict=True)),
        Key("cell", f"band tone{_LAST}", f"four fifths of the units, {names[-1]}"),
    )


def _course_words(looks: Sequence[GateCourse]) -> str:
    first, last = looks[0], looks[-1]
    where = f"{layer(name(last.module), last.layer, last.reverse)}, {_NAMES[last.gate]}"
    text = f"{where}: {figure(last.mean[0])} at the first time step, {figure(last.mean[-1])} at the last"
    if first is last:
        return f"{text}."
    return f"{text}; before, at update {first.step}, {figure(first.mean[0])} and {figure(first.mean[-1])}."


def _percent(share: float) -> str:
    return f"{figure(round(100 * share))} %" if share - share == 0 else figure(share)
