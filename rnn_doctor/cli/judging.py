"""What a judged run means for the exit code, and what is said about it beside the report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rnn_doctor.cli import exit_codes, output

if TYPE_CHECKING:
    from rnn_doctor.schema.imported import Imported
    from rnn_doctor.schema.report import Finding, Report
    from rnn_doctor.schema.runlog import RunLog
    from rnn_doctor.settings import Settings


def judged(report: Report, code: int, settings: Settings) -> Report:
    """The report with how the command ends: what is made of it later has to say the same."""
    from rnn_doctor.schema.report import Exit

    prints = tuple(finding.fingerprint for finding in failing(counting(report), settings))
    expected = report.expected and report.expected.model_copy(update={"met": code == exit_codes.OK})
    return report.model_copy(update={"exit": Exit(code=code, failing=prints), "expected": expected})


def counting(report: Report) -> tuple[Finding, ...]:
    """The findings that decide: all but those that the manifest accepts."""
    from rnn_doctor import expectations

    return expectations.unlisted(report, report.expected) if report.expected else report.findings


def exit_code(log: RunLog, report: Report, settings: Settings) -> int:
    """3 when the script failed before enough steps, or one update shows nothing; else by the findings."""
    from rnn_doctor import observed

    if observed.too_little(log, report):
        return exit_codes.SCRIPT
    return exit_codes.FINDINGS if failing(report.findings, settings) else exit_codes.OK


def failing(findings: Iterable[Finding], settings: Settings) -> list[Finding]:
    """The findings that fail the gate."""
    from rnn_doctor import expectations

    return list(expectations.failing(findings, settings))


def remark(log: RunLog, report: Report, settings: Settings) -> None:
    """Say on stderr what limits the report: a failed script, few steps; with -v, how it was observed."""
    from rnn_doctor import observed

    if log.imported:
        _remark_on_columns(log, log.imported, settings)
        return
    count = len(log.steps)
    steps = f"{count} update{'' if count == 1 else 's'}"
    failed = observed.failure(log)
    if failed:
        what = f"{log.header.script} failed after {steps}: {failed}{observed.crash_place(log)}"
        if count < observed.ENOUGH_STEPS and not observed.certain(report):
            output.say(f"{what}; that is too few to judge it as a whole", "make it run on its own first")
        else:
            output.say(f"{what}; what was seen before is judged")
    elif count < observed.ENOUGH_STEPS and not settings.quiet and not (count == 0 and report.findings):
        output.say(
            f"only {steps} seen: what needs more is not judged",
            "have the script train longer" if count < observed.FEWEST_STEPS else None,
        )
    if report.baseline and not report.baseline.found:
        output.say(
            f"{settings.baseline} holds no report on {report.subject.script}: every finding is new",
            "make one with `check -f json` on that script",
        )
    for each in () if settings.quiet else report.remarks:
        output.say(f"{each.location.file}:{each.location.line}: {each.text}")
    if settings.verbose:
        seen = observed.observation(log)
        share = "" if seen.probe_share is None else f", {seen.probe_share:.1%} of the time in the probe"
        output.say(
            f"observed {steps}; {seen.stopped}{share}; Python {log.header.python}, torch {log.header.torch}"
        )


_ROLES = {
    "train_loss": "training loss",
    "val_loss": "validation loss",
    "learning_rate": "learning rate",
    "grad_norm": "gradient norm",
}


def _remark_on_columns(log: RunLog, source: Imported, settings: Settings) -> None:
    """Say what was taken for what, and with -v what was not used."""
    if settings.quiet:
        return
    taken = ", ".join(f"{_ROLES[each.role]} from {each.name!r} ({each.values})" for each in source.columns)
    told = "; ".join(filter(None, [taken, *source.doubts]))
    output.say(
        f"{log.header.script}: {source.format}, counted by {source.axis}; {told}",
        "--map ROLE=COLUMN says it otherwise" if any(each.guessed for each in source.columns) else None,
    )
    if settings.verbose and source.unused:
        output.say(f"{log.header.script}: not used: {', '.join(source.unused)}")
