"""Curves over a common axis. What is not finite is a gap with a mark; nothing is drawn where nothing was seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from rnn_doctor.render.html.charts import scales
from rnn_doctor.render.html.charts.svg import (
    STRETCH,
    drawing,
    label,
    number,
    percent,
    stretched,
    tag,
)

HEIGHT = 190
_TOP, _BELOW = 22, 38
_GUTTER = 50
"""Pixels for the labels of the y axis."""
_MOST_DOTS = 40
_MARK = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One curve. `tone` is the number of its colour and dash; `dots` marks every point, `steps` holds each value until
    the next."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    tone: int = 1
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line across the picture, at a place on either axis, with words on it."""

    at: float
    text: str
    axis: Literal["x", "y"] = "x"


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark above one place of the x axis."""

    at: float


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: series that share two axes."""

    series: Sequence[Series]
    x_name: str
    y_name: str
    rules: Sequence[Rule] = ()
    flags: Sequence[Flag] = ()
    log: bool | None = None
    """Whether the y axis is logarithmic; None leaves it to the values."""


def gaps(series: Sequence[Series]) -> int:
    """How many values have no place on an axis."""
    return sum(not _finite(y) for each in series for y in each.ys)


def _finite(value: float) -> bool:
    return value - value == 0


def draw(chart: Chart) -> Markup:
    """The picture: the labels of the y axis, beside them the curves over the x axis."""
    ys = [y for each in chart.series for y in each.ys]
    ys += [rule.at for rule in chart.rules if rule.axis == "y"]
    y_scale = {True: scales.logarithmic, False: scales.linear, None: scales.fitting}[chart.log](ys)
    x_scale = scales.linear([x for each in chart.series for x in each.xs], whole=True, tight=True)
    return tag(
        "div",
        _y_axis(y_scale),
        drawing(
            label(
                chart.y_name + (" (log scale)" if y_scale.log else ""), 0, 10, anchor="start", class_="name"
            ),
            *_grid(y_scale),
            *_x_axis(x_scale, chart.x_name),
            *_rules(chart.rules, x_scale, y_scale),
            stretched(*(_path(s, x_scale, y_scale) for s in chart.series), y=_TOP, height=HEIGHT),
            *(mark for each in chart.series for mark in _marks(each, x_scale, y_scale)),
            *(_flag(flag, x_scale) for flag in chart.flags),
            *_rule_words(chart.rules, x_scale, y_scale),
            height=_TOP + HEIGHT + _BELOW,
        ),
        class_="plot",
    )


def _up(share: float) -> float:
    """Pixels from the top of the picture of a share of the y axis."""
    return _TOP + (1 - share) * HEIGHT


def _y_axis(scale: scales.Scale) -> Markup:
    texts = [
        tag("text", scales.words(t), x=_GUTTER - 8, y=_up(scale.at(t) or 0) + 4, text_anchor="end")
        for t in scale.ticks
    ]
    return tag(
        "svg",
        *texts,
        class_="axis",
        width=_GUTTER,
        height=_TOP + HEIGHT + _BELOW,
        aria_hidden="true",
        focusable="false",
    )


def _grid(scale: scales.Scale) -> Iterator[Markup]:
    for tick in scale.ticks:
        y = _up(scale.at(tick) or 0)
        yield tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid")


def _x_axis(scale: scales.Scale, name: str) -> Iterator[Markup]:
    bottom = _TOP + HEIGHT
    yield tag("line", x1=0, x2="100%", y1=bottom, y2=bottom, class_="base")
    for tick in scale.ticks:
        yield label(scales.words(tick), scale.at(tick) or 0, bottom + 16)
    yield label(name, 0.5, bottom + 33, class_="name")


def _rules(rules: Sequence[Rule], x_scale: scales.Scale, y_scale: scales.Scale) -> Iterator[Markup]:
    for rule in rules:
        share = (x_scale if rule.axis == "x" else y_scale).at(rule.at)
        if share is None:
            continue
        if rule.axis == "y":
            y = _up(share)
            yield tag("line", x1=0, x2="100%", y1=y, y2=y, class_="rule")
        else:
            yield tag("line", x1=percent(share), x2=percent(share), y1=_TOP, y2=_TOP + HEIGHT, class_="rule")


def _rule_words(rules: Sequence[Rule], x_scale: scales.Scale, y_scale: scales.Scale) -> Iterator[Markup]:
    """What stands on the rules: at the foot of an upright one, at the end of a level one; above all curves."""
    for rule in rules:
        share = (x_scale if rule.axis == "x" else y_scale).at(rule.at)
        if share is None:
            continue
        if rule.axis == "y":
            y = _up(share)
            yield label(rule.text, 1, y - 5 if y > _TOP + 16 else y + 14, anchor="end", class_="told")
        else:
            before = share > 0.5
            yield tag(
                "text",
                rule.text,
                x=percent(share),
                dx=-6 if before else 6,
                y=_TOP + HEIGHT - 8,
                text_anchor="end" if before else "start",
                class_="told",
            )


def _places(series: Series, x_scale: scales.Scale, y_scale: scales.Scale) -> list[tuple[float, float | None]]:
    return [
        (x, y_scale.at(value))
        for at, value in zip(series.xs, series.ys, strict=True)
        if (x := x_scale.at(at)) is not None
    ]


def _path(series: Series, x_scale: scales.Scale, y_scale: scales.Scale) -> Markup:
    """The curve in pieces: a value without a place breaks it."""
    pieces = []
    for seen, group in groupby(_places(series, x_scale, y_scale), key=lambda place: place[1] is not None):
        if seen:
            points = [f"{number(x * STRETCH)} {number((1 - (y or 0)) * HEIGHT)}" for x, y in group]
            # A lone point is a line to itself, which round caps make a dot.
            pieces.append(f"M{'L'.join(points if len(points) > 1 else points * 2)}")
    return tag("path", d="".join(pieces), class_=f"line tone{series.tone}") if pieces else Markup("")


def _marks(series: Series, x_scale: scales.Scale, y_scale: scales.Scale) -> Iterator[Markup]:
    """Dots where they are wanted, and crosses at the top edge where a value has no place."""
    places = _places(series, x_scale, y_scale)
    if series.dots and len(places) <= _MOST_DOTS:
        for x, y in places:
            if y is not None:
                yield tag("circle", cx=percent(x), cy=_up(y), r=3, class_=f"dot tone{series.tone}")
    missing = [x for x, y in places if y is None]
    for x in missing[:: max(1, len(missing) // _MOST_DOTS)]:
        yield _cross(x)


def _cross(x: float) -> Markup:
    """A cross at the top edge. (A nested svg can stand at a share of the width; a path cannot.)"""
    d = f"M{-_MARK} {-_MARK}L{_MARK} {_MARK}M{-_MARK} {_MARK}L{_MARK} {-_MARK}"
    return tag("svg", tag("path", d=d, class_="gap"), x=percent(x), y=_TOP, overflow="visible")


def _flag(flag: Flag, scale: scales.Scale) -> Markup:
    x = scale.at(flag.at)
    if x is None:
        return Markup("")
    return tag(
        "svg", tag("path", d="M-4 0L4 0L0 7Z", class_="flag"), x=percent(x), y=_TOP - 5, overflow="visible"
    )
