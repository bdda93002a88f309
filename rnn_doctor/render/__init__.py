"""Report in, text out: one file a format, each with `render(report, *, width, color) -> str`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report


class Render(Protocol):
    """What every format is."""

    def __call__(self, report: Report, *, width: int = 80, color: bool = False) -> str:
        """The report as text."""
        ...


# Each format is imported when it is used: whoever lists rules needs none of them.


def _terminal(report: Report, *, width: int = 80, color: bool = False) -> str:
    from rnn_doctor.render import terminal

    return terminal.render(report, width=width, color=color)


def _json(report: Report, *, width: int = 80, color: bool = False) -> str:
    from rnn_doctor.render import json

    return json.render(report, width=width, color=color)


def _html(report: Report, *, width: int = 80, color: bool = False) -> str:
    from rnn_doctor.render.html import page

    return page.render(report, width=width, color=color)


FORMATS: Mapping[str, Render] = {"terminal": _terminal, "json": _json, "html": _html}
"""By the name that --format takes."""
