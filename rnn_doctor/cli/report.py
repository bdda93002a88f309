"""`rnn-doctor report`: stored reports in another form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor.cli import exit_codes, options, output

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report


@click.command("report")
@options.reporting
@click.option(
    "--fail-on",
    metavar="error|warning|note|never",
    help="Judge the findings anew: what is a failure in junit, and the exit code.",
)
@options.speaking
@click.argument("file", metavar="REPORT.json")
def command(file: str, **flags: Any) -> int:
    """Render a stored report again, in any format.

    REPORT.json was written by `check` or `diagnose` with -f json; a list of several reports is rendered whole.
    Nothing is examined anew: the page says what the report says.

    \b
    Exit codes: 0 rendered, 1 findings, where --fail-on is given, 2 usage or unreadable input.
    """
    from rnn_doctor.schema import stored

    settings = options.settings(flags)
    output.check_writable(settings.output)
    reports = stored.read(Path(file))
    judged_anew = flags["fail_on"] is not None
    if judged_anew:
        reports = [_judged(report, settings.fail_on) for report in reports]
    output.emit(reports, settings, several=len(reports) != 1)
    if not judged_anew:
        return exit_codes.OK
    return exit_codes.worst([exit_codes.OK, *(report.exit.code for report in reports if report.exit)])


def _judged(report: Report, fail_on: Any) -> Report:
    from rnn_doctor.schema.report import Exit

    code = exit_codes.of_findings([finding.severity for finding in report.findings], fail_on)
    return report.model_copy(update={"exit": Exit(fail_on=fail_on, code=code)})
