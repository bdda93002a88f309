"""Rows of cells shaded by level, with a character in each cell where they are few, an axis and a marked column."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from rnn_doctor.render.html.charts import scales
from rnn_doctor.render.html.charts.svg import drawing, label, percent, tag

_LABEL, _CELL, _GAP = 18, 22, 8
_TOP = 18
_MOST_CHARACTERS, _MOST_TICKS = 36, 7


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its name, and the level and character of each cell. Rows may end early."""

    name: str
    cells: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Heat:
    """What is drawn: rows over common columns."""

    rows: Sequence[Row]
    columns: Sequence[int]
    """What each column stands for, rising; round numbers are written under them."""
    x_name: str
    marked: int | None = None
    """Index of a column with a frame around it."""
    mark: str = ""
    """Words on that frame."""

    def holds(self, level: str) -> bool:
        """Whether a cell has this level."""
        return any(each == level for row in self.rows for each, _ in row.cells)


def draw(heat: Heat) -> Markup:
    """The picture, one row under another, each below its name."""
    width = len(heat.columns)
    top = _TOP if heat.marked is not None else 0
    pitch = _LABEL + _CELL + _GAP
    bottom = top + pitch * len(heat.rows)
    parts: list[Markup] = []
    row_tops = [top + number * pitch + _LABEL for number in range(len(heat.rows))]
    for row, y in zip(heat.rows, row_tops, strict=True):
        parts += _cells(row, width, y)
    parts += _axis(heat, bottom)
    if heat.marked is not None:
        parts += _marked(heat, row_tops)
    for row, y in zip(heat.rows, row_tops, strict=True):
        parts.append(label(row.name, 0, y - 5, anchor="start", class_="row"))
    return tag("div", drawing(*parts, height=bottom + 34), class_="plot wide")


def _cells(row: Row, width: int, y: float) -> Iterator[Markup]:
    """Neighbours of one level are one rectangle: fewer elements, no seams."""
    at = 0
    for level, group in groupby(row.cells, key=lambda cell: cell[0]):
        count = len(list(group))
        yield tag(
            "rect",
            x=percent(at / width),
            y=y,
            width=percent(count / width),
            height=_CELL,
            class_=f"cell {level}",
        )
        at += count
    if width <= _MOST_CHARACTERS:
        for column, (level, character) in enumerate(row.cells):
            yield label(character, (column + 0.5) / width, y + 15, class_=f"digit on-{level}")


def _axis(heat: Heat, bottom: float) -> Iterator[Markup]:
    """Round numbers where they belong, between two columns where no column stands for them."""
    width = len(heat.columns)
    ticks = scales.linear(heat.columns, most=_MOST_TICKS, whole=True, tight=True).ticks
    for tick in ticks:
        after = min(bisect_left(heat.columns, tick), width - 1)
        gap = heat.columns[after] - heat.columns[max(0, after - 1)]
        place = after - ((heat.columns[after] - tick) / gap if gap else 0)
        if 0 <= place < width:
            yield label(scales.words(tick), (place + 0.5) / width, bottom + 10)
    yield label(heat.x_name, 0.5, bottom + 28, class_="name")


def _marked(heat: Heat, row_tops: Sequence[float]) -> Iterator[Markup]:
    """A frame in each row: one around all of them would run through their names."""
    assert heat.marked is not None
    share = (heat.marked + 0.5) / len(heat.columns)
    left, width = percent(heat.marked / len(heat.columns)), percent(1 / len(heat.columns))
    for top in row_tops:
        for class_ in ("frame-back", "frame"):
            yield tag("rect", x=left, y=top - 2, width=width, height=_CELL + 4, class_=class_)
    anchor = "start" if share < 0.25 else "end" if share > 0.75 else "middle"
    yield label(heat.mark, share, 11, anchor=anchor, class_="told")
