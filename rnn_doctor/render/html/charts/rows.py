"""Rows over one axis, each below its name: a range with points on it, or a bar in shares."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup

from rnn_doctor.render.html.charts import scales
from rnn_doctor.render.html.charts.svg import drawing, label, percent, tag

_LABEL, _BAND, _GAP = 18, 14, 8
_BAR = 9
_LINE = 15


@dataclass(frozen=True, slots=True)
class Range:
    """An interval with marked points on it: (value, tone) each. What has no place on the axis is left out. The name may
    have several lines."""

    name: str
    low: float
    high: float
    points: Sequence[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar under another, each with its words and its shares (tone, share), which fill it from the left."""

    name: str
    bars: Sequence[tuple[str, Sequence[tuple[int, float]]]]


Row = TypeVar("Row", Range, Bars)


def ranges(rows: Sequence[Range], scale: scales.Scale, x_name: str, *, zero: bool = False) -> Markup:
    """The rows with intervals. zero: with a line at 0, where nothing has an effect."""

    def band(row: Range, y: float) -> Iterator[Markup]:
        middle = y + _BAND / 2
        low, high = scale.at(row.low), scale.at(row.high)
        if low is not None and high is not None:
            yield tag("line", x1=percent(low), x2=percent(high), y1=middle, y2=middle, class_="range")
            for end in {low, high}:
                yield tag(
                    "line", x1=percent(end), x2=percent(end), y1=middle - 4, y2=middle + 4, class_="range"
                )
        for value, tone in row.points:
            place = scale.at(value)
            if place is not None:
                yield tag("circle", cx=percent(place), cy=middle, r=4.5, class_=f"dot tone{tone}")

    def behind(bottom: float) -> Iterator[Markup]:
        for tick in scale.ticks:
            x = percent(scale.at(tick) or 0)
            yield tag("line", x1=x, x2=x, y1=0, y2=bottom, class_="grid")
        place = scale.at(0.0) if zero else None
        if place is not None:
            yield tag("line", x1=percent(place), x2=percent(place), y1=0, y2=bottom, class_="rule")

    return _stacked(rows, lambda _: _BAND, band, behind, scale, x_name)


def bars(rows: Sequence[Bars], x_name: str) -> Markup:
    """The rows with bars of shares, from 0 to 100 %."""
    scale = scales.Scale(0, 100, False, (0, 50, 100))

    def band(row: Bars, y: float) -> Iterator[Markup]:
        for number, (_, shares) in enumerate(row.bars):
            top, at = y + number * (_BAR + 3), 0.0
            yield tag("rect", x=0, y=top, width="100%", height=_BAR, class_="bar")
            for tone, share in shares:
                if share > 0:
                    place = max(0.0, min(share, 1 - at))
                    yield tag(
                        "rect",
                        x=percent(at),
                        y=top,
                        width=percent(place),
                        height=_BAR,
                        class_=f"bar part{tone}",
                    )
                at = min(1.0, at + max(0.0, share))

    return _stacked(
        rows, lambda row: len(row.bars) * (_BAR + 3), band, lambda _: iter(()), scale, x_name, " %"
    )


def _stacked(
    rows: Sequence[Row],
    height: Callable[[Row], float],
    band: Callable[[Row, float], Iterator[Markup]],
    behind: Callable[[float], Iterator[Markup]],
    scale: scales.Scale,
    x_name: str,
    unit: str = "",
) -> Markup:
    parts: list[Markup] = []
    y = 0.0
    for row in rows:
        for line in row.name.split("\n"):
            parts.append(label(line, 0, y + _LABEL - 5, anchor="start", class_="row"))
            y += _LINE
        y += _LABEL - _LINE
        parts += band(row, y)
        y += height(row) + _GAP
    axis = [
        label(scales.words(t) + unit, scale.at(t) or 0, y + 12, anchor=_anchor(scale.at(t)))
        for t in scale.ticks
    ]
    return tag(
        "div",
        drawing(*behind(y), *parts, *axis, label(x_name, 0.5, y + 29, class_="name"), height=y + 36),
        class_="plot wide",
    )


def _anchor(share: float | None) -> str:
    """Words at the edges stay inside."""
    return "start" if (share or 0) < 0.04 else "end" if (share or 0) > 0.96 else "middle"
