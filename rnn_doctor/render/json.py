"""The report as JSON, as its published schema describes it."""

from rnn_doctor.schema.report import Report


def render(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The report as indented JSON; width and colour have no meaning here.

    What JSON cannot hold are the strings "NaN", "Infinity" and "-Infinity". All but ASCII stays as it is.
    """
    return report.model_dump_json(indent=2) + "\n"
