"""What a judged run means for the exit code, and what is said about it beside the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_doctor.cli import exit_codes, output

if TYPE_CHECKING:
    from rnn_doctor.schema.imported import Imported
    from rnn_doctor.schema.report import Report
    from rnn_doctor.schema.runlog import RunLog
    from rnn_doctor.settings import Settings


def exit_code(log: RunLog, report: Report, settings: Settings) -> int:
    """3 when the script failed before enough steps, or one update shows nothing; else by the findings.

    A fault that is certain needs no more steps, and often is what the script failed of.
    """
    from rnn_doctor import pipeline

    if log.imported:
        if max(len(log.steps), len(log.evaluations)) < pipeline.FEWEST_STEPS:
            return exit_codes.SCRIPT
        return exit_codes.of_findings([finding.severity for finding in report.findings], settings.fail_on)
    if pipeline.failure(log) and len(log.steps) < pipeline.ENOUGH_STEPS and not _certain(report):
        return exit_codes.SCRIPT
    if len(log.steps) < pipeline.FEWEST_STEPS and not report.findings:
        return exit_codes.SCRIPT
    return exit_codes.of_findings([finding.severity for finding in report.findings], settings.fail_on)


def _certain(report: Report) -> bool:
    """Whether an error was found that was read off, and not inferred from what some steps showed."""
    return any(f.severity == "error" and f.confidence.word == "certain" for f in report.findings)


def remark(log: RunLog, report: Report, settings: Settings) -> None:
    """Say on stderr what limits the report: a failed script, few steps; with -v, how it was observed."""
    from rnn_doctor import pipeline

    if log.imported:
        _remark_on_columns(log, log.imported, settings)
        return
    count = len(log.steps)
    steps = f"{count} update{'' if count == 1 else 's'}"
    failed = pipeline.failure(log)
    if failed:
        what = f"{log.header.script} failed after {steps}: {failed}{pipeline.crash_place(log)}"
        if count < pipeline.ENOUGH_STEPS and not _certain(report):
            output.say(f"{what}; that is too few to judge it as a whole", "make it run on its own first")
        else:
            output.say(f"{what}; what was seen before is judged")
    elif count < pipeline.ENOUGH_STEPS and not settings.quiet:
        output.say(
            f"only {steps} seen: what needs more is not judged",
            "have the script train longer" if count < pipeline.FEWEST_STEPS else None,
        )
    if settings.verbose:
        seen = pipeline.observation(log)
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
    doubts = "".join(f"; {doubt}" for doubt in source.doubts)
    output.say(
        f"{log.header.script}: {source.format}, counted by {source.axis}; {taken}{doubts}",
        "--map ROLE=COLUMN says it otherwise" if any(each.guessed for each in source.columns) else None,
    )
    if settings.verbose and source.unused:
        output.say(f"{log.header.script}: not used: {', '.join(source.unused)}")
