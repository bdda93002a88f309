"""Report in, text out: one file a format, each with `render(report) -> str`.

The terminal's has a width, colours, and reasons that it leaves out unless it is asked for all.
A format whose document can hold several reports also has `together(reports) -> str`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report


# Each format is imported when it is used: whoever lists rules needs none of them.


def _format(name: str) -> Callable[[Report], str]:
    def render(report: Report) -> str:
        text: str = import_module(f"rnn_doctor.render.{name}").render(report)
        return text

    return render


def _together(name: str) -> Callable[[Sequence[Report]], str]:
    def together(reports: Sequence[Report]) -> str:
        text: str = import_module(f"rnn_doctor.render.{name}").together(reports)
        return text

    return together


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "terminal": _format("terminal"),
    "json": _format("json"),
    "markdown": _format("markdown"),
    "github": _format("github"),
    "gitlab": _format("gitlab"),
    "sarif": _format("sarif"),
    "junit": _format("junit"),
    "html": _format("html.page"),
}
"""By the name that --format takes."""

TOGETHER: Mapping[str, Callable[[Sequence[Report]], str]] = {
    name: _together(name) for name in ("json", "gitlab", "sarif", "junit")
} | {"html": _together("html.page")}
"""Formats in which several reports are one document."""

JOINED: Mapping[str, Callable[[Sequence[Report]], str] | None] = {
    "terminal": None,
    "markdown": _together("markdown"),
    "github": _together("github"),
}
"""Formats in which several reports stand beside each other, with what makes them share what there is room for."""
