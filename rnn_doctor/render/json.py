"""The report as JSON, as its published schema describes it."""

from collections.abc import Sequence

from rnn_doctor.render.wording import inert
from rnn_doctor.schema.report import Report


def render(report: Report) -> str:
    """The report as indented JSON.

    What JSON cannot hold are the strings "NaN", "Infinity" and "-Infinity". All but ASCII stays as it is.
    """
    return inert(report.model_dump_json(indent=2)) + "\n"


def together(reports: Sequence[Report]) -> str:
    """Several reports as a list."""
    return "[\n" + ",\n".join(render(report).strip() for report in reports) + "\n]\n"
