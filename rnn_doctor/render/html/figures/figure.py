"""What a picture is: the drawing, what it shows in words, its key, its numbers as a table; or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_MOST_ROWS = 40

NO_REASON = "this report holds no such numbers; it may come from an earlier version"


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of the key: the classes of its swatch, and what it stands for."""

    shape: str
    """`line`, `dot`, `cell`, `flag` or `gap`."""
    style: str
    words: str


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers; of long ones evenly spread rows."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    seen: int
    """How many rows there are in all."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture of the page."""

    id: str
    title: str
    caption: str
    """What to look for, in a sentence or two."""
    summary: str = ""
    """What it shows, for those who do not see it."""
    drawings: tuple[tuple[str, Markup], ...] = ()
    """Each with a heading of its own, empty where there is one drawing."""
    stacked: bool = False
    """Whether its drawings are wide, and stand one below another."""
    key: tuple[Key, ...] = ()
    key_title: str = ""
    """What its entries are values of."""
    tables: tuple[Table, ...] = ()
    absent: str | None = None
    """Why there is no drawing, as a clause."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The rows, or as many of them as are read, the first and the last included."""
    last = len(rows) - 1
    kept = (
        range(len(rows))
        if last < _MOST_ROWS
        else [round(k * last / (_MOST_ROWS - 1)) for k in range(_MOST_ROWS)]
    )
    return Table(tuple(head), tuple(tuple(rows[k]) for k in kept), len(rows))
