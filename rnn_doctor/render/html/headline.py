"""What stands in front: how grave it is, what it comes to, and what the reader has to know before."""

from collections.abc import Sequence
from typing import NamedTuple

from rnn_doctor.render import expected, overview, standing, wording
from rnn_doctor.schema.report import Report

_TOO_LITTLE = 3
"""The exit code of a command that saw too little of a training to judge it."""
_OUTCOMES = {"as expected": "clear", "failed": "error"}

ROLES = {
    "train_loss": "training loss",
    "val_loss": "validation loss",
    "learning_rate": "learning rate",
    "grad_norm": "gradient norm",
}


class Notice(NamedTuple):
    """Something that a reader must know of a report before its verdicts: its kind, and sentences."""

    kind: str
    texts: tuple[str, ...]


class Entry(NamedTuple):
    """One report in the list of several."""

    prefix: str
    report: Report
    status: str
    outcome: str
    """In two words, where a manifest expects something of it."""
    told: tuple[str, ...]


def status(report: Report) -> str:
    """The gravest severity found; else `warning` where the script failed or too little was seen of it; else `clear`, or
    `open` where a condition was not assessed."""
    severities = {finding.severity for finding in report.findings}
    doubtful = unseen(report) or report.observation.failed or too_little(report)
    silent = "warning" if doubtful else "open" if _open(report) else "clear"
    return next((word for word in ("error", "warning", "note") if word in severities), silent)


def unseen(report: Report) -> bool:
    """Whether nothing of a training was seen, so that no verdict is one."""
    seen = report.observation
    return not (report.findings or seen.steps or seen.evaluations)


def too_little(report: Report) -> bool:
    """Whether the command ended in the exit code for a training of which too little was seen."""
    return report.exit is not None and report.exit.code == _TOO_LITTLE


def notices(report: Report) -> list[Notice]:
    """That the script died or little was seen, with what is judged nevertheless; what was assumed of a log that another
    tool wrote."""
    made = []
    if not unseen(report) and (report.observation.failed or too_little(report)):
        so = ", too few to judge it as a whole" if too_little(report) else "; what they show is judged"
        how = [_sentence(report.observation.stopped)] if report.observation.failed else []
        made.append(Notice("failed", (" ".join([*how, _sentence(f"{_seen(report)}{so}")]),)))
    if report.subject.imported and report.subject.imported.doubts:
        made.append(Notice("assumed", tuple(map(_sentence, report.subject.imported.doubts))))
    return made


def summary(report: Report) -> str:
    """The whole report in a sentence."""
    if unseen(report):
        return f"Not judged: {report.observation.stopped.removesuffix('.')}."
    numbers = wording.severities(report.findings)
    if not numbers and too_little(report):
        return f"Too little to judge: {_seen(report)}."
    if not numbers:
        found = (
            "Nothing was found until the script failed" if report.observation.failed else "Nothing was found"
        )
        names = _open(report)
        if len(names) == len(type(report.conditions).model_fields):
            return f"{found}, but none of the 4 conditions could be assessed."
        return (
            f"{found}; {wording.joined(names)} could not be assessed."
            if names
            else f"{found}, and all 4 conditions were assessed."
        )
    said = wording.joined(numbers)
    causes = len({finding.rule for finding in report.findings if not finding.explained_by})
    alone = len(report.findings) == 1 or not causes
    return f"{said}." if alone else f"{said}, from {wording.count(causes, 'cause')}."


def in_all(report: Report) -> str:
    """The summary, how it stands to a baseline and to suppressions, and what the command's exit code was."""
    standing_ = standing.summary(report.findings, len(report.suppressed))
    code = f"; exit code {report.exit.code}" if report.exit else ""
    return f"{summary(report).removesuffix('.')}{standing_}{code}."


def title(reports: Sequence[Report]) -> str:
    """What a tab of the browser is named, the verdict in front of the tool."""
    if len(reports) != 1:
        return f"{_how_many(reports)}: rnn-doctor"
    (report,) = reports
    silent = "not judged" if unseen(report) or too_little(report) else "nothing found"
    found = wording.joined(wording.severities(report.findings)) if report.findings else silent
    return f"{wording.short(report.subject.script, 100)}: {found}"


def heading(reports: Sequence[Report]) -> str:
    """Over several reports: how many there are, and what became of them where a manifest says what should."""
    if reports and all(report.expected for report in reports):
        return f"{_how_many(reports)}: {overview.total(reports).removesuffix('.')}"
    return _how_many(reports)


def entry(prefix: str, report: Report) -> Entry:
    """The report as one of several: what a manifest makes of it decides, where there is one."""
    if report.expected is None:
        return Entry(prefix, report, status(report), "", (summary(report),))
    outcome = expected.outcome(report)
    return Entry(prefix, report, _OUTCOMES.get(outcome, "warning"), outcome, tuple(overview.told(report)))


def _how_many(reports: Sequence[Report]) -> str:
    noun = "script" if reports and all(report.expected for report in reports) else "training"
    return wording.count(len(reports), noun)


def _open(report: Report) -> list[str]:
    """The conditions that were not assessed."""
    names = type(report.conditions).model_fields
    return [n.replace("_", " ") for n in names if getattr(report.conditions, n).verdict == "not_assessed"]


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:].removesuffix('.')}."


def _seen(report: Report) -> str:
    steps = report.observation.steps
    only = "only " if too_little(report) else ""
    return f"{only}{wording.count(steps, 'update')} {'was' if steps == 1 else 'were'} seen"
