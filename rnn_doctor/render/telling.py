"""A finding in plain words, for formats that take a title and a text."""

from collections.abc import Sequence

from rnn_doctor.render.wording import evidence, joined, record, short
from rnn_doctor.schema.report import Finding, Report

_MOST_EVIDENCE = 10


def title(finding: Finding) -> str:
    """`RD103 gradient-spikes`"""
    return short(f"{finding.rule} {finding.name}", 200)


def place(finding: Finding) -> str:
    """`train.py:31 in Model.forward`, or nothing where the line is not known."""
    if finding.location is None:
        return ""
    function = f" in {finding.location.function}" if finding.location.function else ""
    return short(f"{finding.location.file}:{finding.location.line}{function}", 500)


def lines(finding: Finding, report: Report) -> list[str]:
    """The message, then its evidence, how sure it is, what it belongs to, and the remedy to try first."""
    told = [short(finding.message)]
    told += [f"- {short(evidence(piece))}" for piece in finding.evidence[:_MOST_EVIDENCE]]
    told.append(f"Confidence {sureness(finding)}.")
    if finding.explained_by:
        told.append(f"A consequence of {ids(finding.explained_by)}: treat that first.")
    if finding.explains:
        told.append(f"Explains {ids(finding.explains)}.")
    remedy = next((each for each in report.remedies if finding.rule in each.addresses), None)
    if remedy is not None:
        told.append(f"Try first: {short(remedy.title, 300)}.")
    return told


def sureness(finding: Finding) -> str:
    """`high: 14 of 15 faults found; right in 58 of 60 runs of the fault bench (95 %: 88 to 100 %)`"""
    sure = finding.confidence
    told = {piece.because for piece in finding.evidence}
    because = "" if sure.because in told else short(sure.because)
    counted = record(sure.bench) if sure.bench else ""
    return ": ".join([sure.word, *filter(None, ["; ".join(filter(None, [because, counted]))])])


def ids(rules: Sequence[str]) -> str:
    """`RD103 and RD104`"""
    return short(joined(rules), 500)
