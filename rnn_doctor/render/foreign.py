"""What of another library's log was read as what, in the words that every page uses."""

from collections.abc import Iterator

from rnn_doctor.render.wording import clean, count, short
from rnn_doctor.schema.imported import ForeignLog
from rnn_doctor.schema.report import Report


def facts(report: Report, source: ForeignLog) -> list[str]:
    """In the place of the network and its optimizer: what kind of log it is, its columns, how much it holds."""
    seen = report.observation
    evaluations = f", {count(seen.evaluations, 'evaluation')}" if seen.evaluations else ""
    columns = ", ".join(f"{each.role} = {clean(each.name)}" for each in source.columns)
    return [
        f"{source.format} log counted by {source.axis}",
        columns or "no loss, learning rate or gradient norm",
        f"{count(seen.steps, 'row')}{evaluations}",
        seen.stopped,
    ]


def doubts(source: ForeignLog | None) -> Iterator[str]:
    """Where more than one reading was possible: each a sentence on what was taken."""
    for doubt in source.doubts if source else ():
        yield f"{short(doubt[:1].upper() + doubt[1:]).removesuffix('.')}."
