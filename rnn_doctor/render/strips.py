"""The gradient by lag as a strip of characters: one digit a lag, the decades that are lost on the way back."""

import math
from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len, set_cell_size

from rnn_doctor.render.lags import columns, lost_at
from rnn_doctor.render.page import Page, Part
from rnn_doctor.render.wording import number, short
from rnn_doctor.schema.report import LagProfile

_SHOWN = 4
"""Modules whose profiles are shown; the JSON report has every one."""
_MOST_CELLS = 50
_LABEL = 24
_INDENT = 2
_TICKS = 10
"""Columns between two labels of the axis."""
_USABLE, _HARD = 3.0, 5.0
"""Decades: beyond the first learning slows down, beyond the second half of the networks fail."""
_LOST = "-"
_GROWN = "+"


def by_lag(page: Page, profiles: Sequence[LagProfile]) -> None:
    """The strips of the first modules, each with its layers, an axis and the needed lag."""
    modules = [list(group) for _, group in groupby(profiles, key=lambda p: p.module)]
    if not modules:
        return
    page.blank()
    page.add(
        ("Gradient by lag", "bold underline"),
        f": decades lost on the way back from one output step ({_LOST} 10 or more, {_GROWN} grown tenfold)",
        hang=2,
    )
    for group in modules[:_SHOWN]:
        page.blank()
        longest = max(max(profile.lags) for profile in group)
        lags = columns(longest, min(_MOST_CELLS, page.width - _INDENT - _LABEL))
        for profile in group:
            page.add(*_strip(profile, lags), indent=_INDENT)
        page.add((f"{'lag':<{_LABEL}}{_axis(lags)}", "dim"), indent=_INDENT)
        _needed(page, group[0], lags)
    if len(modules) > _SHOWN:
        page.add(f"and {len(modules) - _SHOWN} more in the JSON report", indent=_INDENT)


def _strip(profile: LagProfile, lags: Sequence[int]) -> list[Part]:
    parts: list[Part] = [_label(profile)]
    reached = max(profile.lags)
    marks = [
        (_mark(value), _style(value)) for value in (lost_at(profile, lag) for lag in lags if lag <= reached)
    ]
    for style, group in groupby(marks, key=lambda mark: mark[1]):
        parts.append(("".join(mark for mark, _ in group), style))
    return parts


def _label(profile: LagProfile) -> str:
    name = profile.module if profile.layer is None else f"  layer {profile.layer}"
    name = short(f"{name} backward" if profile.reverse else name, 200)
    if cell_len(name) >= _LABEL:
        name = f"{set_cell_size(name, _LABEL - 4).rstrip()}..."
    return set_cell_size(name, _LABEL)


def _mark(lost: float) -> str:
    if math.isnan(lost):
        return "?"
    if lost <= -1:
        return _GROWN
    return str(max(0, math.floor(lost))) if lost < 10 else _LOST


def _style(lost: float) -> str:
    if lost <= -1 or lost >= _HARD:
        return "red"
    return "yellow" if lost >= _USABLE else "green"


def _axis(lags: Sequence[int]) -> str:
    """The lags of every tenth column."""
    line = ""
    for column in range(0, len(lags), _TICKS):
        label = str(lags[column])
        line = f"{line:<{column}}{label}"
    return line


def _needed(page: Page, profile: LagProfile, lags: Sequence[int]) -> None:
    if profile.needed_lag is None:
        return
    needed = profile.needed_lag
    column = next((k for k, lag in enumerate(lags) if lag >= needed), None)
    basis = f", {profile.needed_lag_basis}" if profile.needed_lag_basis else ""
    if column is None:
        page.add(
            f"needed: lag {number(needed)}{basis}; the sequences reach back {lags[-1]} steps", indent=_INDENT
        )
        return
    text = f"needed: lag {number(needed)}{basis}"
    room = _LABEL + column
    if room + 2 + len(text) <= page.width - _INDENT:
        page.add((f"{'':<{room}}^ {text}", "bold"), indent=_INDENT)
    elif len(text) < room:
        page.add((f"{text:>{room - 1}} ^", "bold"), indent=_INDENT)
    else:
        page.add((f"{'':<{room}}^", "bold"), indent=_INDENT)
        page.add((text, "bold"), indent=_INDENT, hang=_INDENT + 2)
