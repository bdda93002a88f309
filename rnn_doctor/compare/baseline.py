"""A report held against an older one of the same script: what is new or worse, and what is gone."""

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from rnn_doctor.compare.matching import matched
from rnn_doctor.schema.report import Baseline, Change, Finding, Report
from rnn_doctor.schema.rule import Severity

_GRAVITY: dict[Severity, int] = {"note": 0, "warning": 1, "error": 2}


_STANDING: tuple[Change, ...] = ("known", "better", "worse", "new")
"""Of several old runs the one to which a finding stands mildest counts: what one of them had is not new."""


def since(report: Report, olds: Sequence[Report], *, same: bool = False) -> Report:
    """The report with how each finding stands to the older reports on its script, and what those had besides.

    Several on its script are repeats of a run: a finding is new that none of them had, and gone that all of them had.
    Where there is none on its script, every finding is new; with `same` all are, whatever they are called.
    """
    alike = list(olds) if same else on_script(olds, report)
    if not alike:
        findings = tuple(finding.model_copy(update={"change": "new"}) for finding in report.findings)
        return report.model_copy(update={"findings": findings, "baseline": Baseline(found=False)})
    held = [_held(report, old) for old in alike]
    mildest = [
        min(each, key=lambda f: _STANDING.index(f.change or "new"))
        for each in zip(*(findings for findings, _ in held), strict=True)
    ]
    missing = [each for each in held[0][1] if all(matched([each], [*old.findings]) for old in alike[1:])]
    gone, unjudged = _parted(missing, report)
    return report.model_copy(
        update={"findings": tuple(mildest), "baseline": Baseline(gone=gone, unjudged=unjudged)}
    )


def _held(report: Report, old: Report) -> tuple[list[Finding], list[Finding]]:
    """The findings with how they stand to one older report, and those of it that are neither found nor suppressed."""
    pairs = matched(old.findings, report.findings)
    left = [finding for number, finding in enumerate(old.findings) if number not in pairs.values()]
    accepted = matched(left, [each.finding for each in report.suppressed]).values()
    marked = [
        _marked(finding, old.findings[pairs[number]] if number in pairs else None)
        for number, finding in enumerate(report.findings)
    ]
    return marked, [finding for number, finding in enumerate(left) if number not in accepted]


def on_script(olds: Sequence[Report], report: Report) -> list[Report]:
    """Which of several reports are on the same script: all with its path and arguments, else the first with its path.

    A single one is also taken where only the folder differs, for scripts are moved.
    """
    script, arguments = report.subject.script, report.subject.arguments
    same = [old for old in olds if old.subject.script == script]
    exact = [old for old in same if old.subject.arguments == arguments]
    if not same and len(olds) == 1 and PurePath(olds[0].subject.script).name == PurePath(script).name:
        same = list(olds)
    return exact or same[:1]


def _parted(missing: Iterable[Finding], report: Report) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Of findings that a newer report has not: those it looked for and did not find, and those it did not judge."""
    unknown = {entry.what.partition(" ")[0] for entry in report.not_assessed}
    gone: list[Finding] = []
    unjudged: list[Finding] = []
    for finding in missing:
        judged = finding.rule not in unknown and (not report.rules or finding.rule in report.rules)
        (gone if judged else unjudged).append(finding)
    return tuple(gone), tuple(unjudged)


def _change(finding: Finding, old: Finding | None) -> Change:
    """How a finding stands to the one that it was before, if any: by severity."""
    if old is None:
        return "new"
    risen = _GRAVITY[finding.severity] - _GRAVITY[old.severity]
    return "worse" if risen > 0 else "better" if risen < 0 else "known"


def _marked(finding: Finding, old: Finding | None) -> Finding:
    was = old.severity if old is not None and old.severity != finding.severity else None
    return finding.model_copy(update={"change": _change(finding, old), "was": was})
