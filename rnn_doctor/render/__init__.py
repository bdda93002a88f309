"""Report in, text out: one file a format, each with `render(report, *, width, color) -> str`.

The terminal's leaves reasons out, but for `full`; all others are whole.
A format whose document can hold several reports also has `together(reports) -> str`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report


class Render(Protocol):
    """What every format is."""

    def __call__(self, report: Report, *, width: int = 80, color: bool = False, full: bool = False) -> str:
        """The report as text."""
        ...


# Each format is imported when it is used: whoever lists rules needs none of them.


def _format(name: str) -> Render:
    def render(report: Report, *, width: int = 80, color: bool = False, full: bool = False) -> str:
        module = import_module(f"rnn_doctor.render.{name}")
        shape = {"full": full} if name == "terminal" else {}
        text: str = module.render(report, width=width, color=color, **shape)
        return text

    return render


def _together(name: str) -> Callable[[Sequence[Report]], str]:
    def together(reports: Sequence[Report]) -> str:
        text: str = import_module(f"rnn_doctor.render.{name}").together(reports)
        return text

    return together


FORMATS: Mapping[str, Render] = {
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
