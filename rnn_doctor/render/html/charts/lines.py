"""Curves over a common axis. What is not finite is a gap with a mark; nothing is drawn where nothing was seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from rnn_doctor.render.html.charts import scales
from rnn_doctor.render.html.charts.rooms import Room, freest
from rnn_doctor.render.html.charts.svg import (
    STRETCH,
    drawing,
    label,
    number,
    percent,
    stretched,
    tag,
)

_HEIGHT = 190
_TOP, _BELOW = 22, 38
_BARE_TOP = 10
"""Pixels above a y axis without a name."""
_GUTTER = 50
"""Pixels for the labels of the y axis."""
_MOST_DOTS, _X_TICKS = 40, 6
_MARK = 4
_CHARACTER, _NARROW = 7, 240
"""Pixels: of a character, of a picture on a phone."""


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
class Band:
    """The room between two curves, shaded in the colour of a tone."""

    xs: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]
    tone: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line across the picture, at a place on either axis, with words on it; a level one has them where no
    curve is in their way."""

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
    bands: Sequence[Band] = ()
    log: bool | None = None
    """Whether the y axis is logarithmic; None leaves it to the values."""
    y_range: tuple[float, float] | None = None
    """What the y axis holds at least."""
    y_words: Mapping[float, str] = field(default_factory=dict)
    """What is written in place of a number of the y axis."""
    height: int = _HEIGHT
    """Pixels of the y axis."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things are: the scales of both axes, pixels of the y axis and of what is above it."""

    x: scales.Scale
    y: scales.Scale
    height: int
    top: int

    def up(self, share: float) -> float:
        """Pixels from the top of the picture of a share of the y axis."""
        return self.top + (1 - share) * self.height

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def places(self, xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float | None]]:
        """Shares of both axes; where a value has no place on its own, None."""
        return [
            (x, self.y.at(value))
            for at, value in zip(xs, ys, strict=True)
            if (x := self.x.at(at)) is not None
        ]


def gaps(series: Sequence[Series]) -> int:
    """How many values have no place on an axis."""
    return sum(not _finite(y) for each in series for y in each.ys)


def _finite(value: float) -> bool:
    return value - value == 0


def draw(chart: Chart) -> Markup:
    """The picture: the labels of the y axis, beside them the curves over the x axis."""
    frame = _frame(chart)
    ruled = [_ruled(rule, frame, chart.series) for rule in chart.rules]
    name = chart.y_name + (" (log scale)" if frame.y.log else "")
    return tag(
        "div",
        _y_axis(frame, chart.y_words),
        drawing(
            label(name, 0, 10, anchor="start", class_="name"),
            *_grid(frame),
            *_x_axis(frame, chart.x_name),
            *(line for line, _ in ruled),
            stretched(
                *(_band(band, frame) for band in chart.bands),
                *(_path(series, frame) for series in chart.series),
                y=frame.top,
                height=frame.height,
            ),
            *(mark for each in chart.series for mark in _marks(each, frame)),
            *(_flag(flag, frame) for flag in chart.flags),
            *(words for _, words in ruled),
            height=frame.bottom + _BELOW,
        ),
        class_="plot",
    )


def _frame(chart: Chart) -> _Frame:
    ys = [y for each in chart.series for y in each.ys]
    ys += [y for band in chart.bands for curve in (band.lows, band.highs) for y in curve]
    ys += [rule.at for rule in chart.rules if rule.axis == "y"]
    ys += chart.y_range or ()
    scale = {True: scales.logarithmic, False: scales.linear, None: scales.fitting}[chart.log]
    x = scales.linear([x for each in chart.series for x in each.xs], most=_X_TICKS, whole=True, tight=True)
    return _Frame(x, scale(ys), chart.height, _TOP if chart.y_name else _BARE_TOP)


def _y_axis(frame: _Frame, words: Mapping[float, str]) -> Markup:
    texts = [
        tag(
            "text",
            words.get(t, scales.words(t)),
            x=_GUTTER - 8,
            y=frame.up(frame.y.at(t) or 0) + 4,
            text_anchor="end",
        )
        for t in frame.y.ticks
    ]
    return tag(
        "svg",
        *texts,
        class_="axis",
        width=_GUTTER,
        height=frame.bottom + _BELOW,
        aria_hidden="true",
        focusable="false",
    )


def _grid(frame: _Frame) -> Iterator[Markup]:
    for tick in frame.y.ticks:
        y = frame.up(frame.y.at(tick) or 0)
        yield tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid")


def _x_axis(frame: _Frame, name: str) -> Iterator[Markup]:
    yield tag("line", x1=0, x2="100%", y1=frame.bottom, y2=frame.bottom, class_="base")
    for tick in frame.x.ticks:
        yield label(scales.words(tick), frame.x.at(tick) or 0, frame.bottom + 16)
    yield label(name, 0.5, frame.bottom + 33, class_="name")


def _ruled(rule: Rule, frame: _Frame, series: Sequence[Series]) -> tuple[Markup, Markup]:
    """A rule, and its words, which stand above all curves and where few of them run: at the foot or the head of an
    upright one; at the end of a level one, above or below it, where no curve runs, and else in the key alone.
    """
    share = (frame.x if rule.axis == "x" else frame.y).at(rule.at)
    if share is None:
        return Markup(""), Markup("")
    if rule.axis == "y":
        y, long = frame.up(share), _share(rule.text)
        ends = [Room(base, *reach) for reach in ((1 - long, 1.0), (0.0, long)) for base in (y - 5, y + 14)]
        room, crowd = _freest(ends, frame, series)
        left = room.start == 0
        words = label(
            rule.text, 0 if left else 1, room.base, anchor="start" if left else "end", class_="told"
        )
        line = tag("line", x1=0, x2="100%", y1=y, y2=y, class_="rule")
        return line, Markup("") if crowd else words
    x, before = percent(share), share > 0.5
    reach = (share - _share(rule.text), share) if before else (share, share + _share(rule.text))
    room, _ = _freest([Room(base, *reach) for base in (frame.bottom - 8, frame.top + 14)], frame, series)
    return (
        tag("line", x1=x, x2=x, y1=frame.top, y2=frame.bottom, class_="rule"),
        tag(
            "text",
            rule.text,
            x=x,
            dx=-6 if before else 6,
            y=room.base,
            text_anchor="end" if before else "start",
            class_="told",
        ),
    )


def _share(text: str) -> float:
    """About how much of a narrow picture's width a text takes: what is free there is free everywhere."""
    return len(text) * _CHARACTER / _NARROW


def _freest(rooms: Sequence[Room], frame: _Frame, series: Sequence[Series]) -> tuple[Room, int]:
    curves = [
        [(x, frame.up(y)) for x, y in piece]
        for each in series
        for piece in _pieces(frame.places(each.xs, each.ys))
    ]
    return freest(rooms, curves, frame.bottom)


def _pieces(places: Sequence[tuple[float, float | None]]) -> Iterator[list[tuple[float, float]]]:
    """What can be drawn in one stroke: a value without a place breaks it."""
    for seen, group in groupby(places, key=lambda place: place[1] is not None):
        if seen:
            yield [(x, y or 0.0) for x, y in group]


def _drawn(points: Sequence[tuple[float, float]], frame: _Frame) -> str:
    return "L".join(f"{number(x * STRETCH)} {number((1 - y) * frame.height)}" for x, y in points)


def _path(series: Series, frame: _Frame) -> Markup:
    """The curve in pieces."""
    pieces = [
        # A lone point is a line to itself, which round caps make a dot.
        f"M{_drawn(piece if len(piece) > 1 else piece * 2, frame)}"
        for piece in _pieces(frame.places(series.xs, series.ys))
    ]
    return tag("path", d="".join(pieces), class_=f"line tone{series.tone}") if pieces else Markup("")


def _band(band: Band, frame: _Frame) -> Markup:
    """There along the upper edge, and back along the lower one; nothing where an edge is not known throughout."""
    high, low = (frame.places(band.xs, edge) for edge in (band.highs, band.lows))
    around = [(x, y) for x, y in (*high, *reversed(low)) if y is not None]
    if len(around) < len(high) + len(low) or not around:
        return Markup("")
    return tag("path", d=f"M{_drawn(around, frame)}Z", class_=f"band tone{band.tone}")


def _marks(series: Series, frame: _Frame) -> Iterator[Markup]:
    """Dots where they are wanted, and crosses at the top edge where a value has no place."""
    places = frame.places(series.xs, series.ys)
    if series.dots and len(places) <= _MOST_DOTS:
        for x, y in places:
            if y is not None:
                yield tag("circle", cx=percent(x), cy=frame.up(y), r=3, class_=f"dot tone{series.tone}")
    missing = [x for x, y in places if y is None]
    for x in missing[:: max(1, len(missing) // _MOST_DOTS)]:
        yield _cross(x, frame.top)


def _cross(x: float, top: float) -> Markup:
    """A cross at the top edge. (A nested svg can stand at a share of the width; a path cannot.)"""
    d = f"M{-_MARK} {-_MARK}L{_MARK} {_MARK}M{-_MARK} {_MARK}L{_MARK} {-_MARK}"
    return tag("svg", tag("path", d=d, class_="gap"), x=percent(x), y=top, overflow="visible")


def _flag(flag: Flag, frame: _Frame) -> Markup:
    x = frame.x.at(flag.at)
    if x is None:
        return Markup("")
    return tag(
        "svg",
        tag("path", d="M-4 0L4 0L0 7Z", class_="flag"),
        x=percent(x),
        y=frame.top - 5,
        overflow="visible",
    )
