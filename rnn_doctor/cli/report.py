"""`rnn-doctor report`: stored reports in another form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor.cli import exit_codes, judging, options, output

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report
    from rnn_doctor.settings import Settings


@click.command("report")
@options.reporting
@click.option(
    "--fail-on",
    metavar="error|warning|note|never",
    help="Judge the findings anew: what fails in junit, and the exit code.  [as when they were found]",
)
@options.speaking
@click.argument("file", metavar="REPORT.json", shell_complete=options.files)
def command(file: str, **flags: Any) -> int:
    """Render a stored report again, in any format.

    REPORT.json was written by `check` or `diagnose` with -f json; a list of several reports is rendered whole.
    Nothing is examined anew: the page says what the report says.

    \b
    Exit codes: 0 rendered, 1 findings, where --fail-on is given, 2 usage or unreadable input.
    """
    from rnn_doctor import pipeline
    from rnn_doctor.schema import stored

    settings = options.settings(flags)
    output.check_writable(settings.output)
    reports = [pipeline.recognizable(report) for report in stored.read(Path(file))]
    code = exit_codes.OK
    if flags["fail_on"] is not None:
        codes = [_code(report, settings) for report in reports]
        reports = [judging.judged(*each, settings) for each in zip(reports, codes, strict=True)]
        code = exit_codes.worst([code, *codes])
    output.emit(reports, settings, several=len(reports) != 1)
    return code


def _code(report: Report, settings: Settings) -> int:
    """What could not be judged stays so, and what the manifest accepts or misses, too."""
    if report.exit and report.exit.code not in (exit_codes.OK, exit_codes.FINDINGS):
        return report.exit.code
    expected = report.expected
    unmet = expected and (expected.missing or any(u.rule in expected.required for u in expected.undecided))
    failed = unmet or judging.failing(judging.counting(report), settings)
    return exit_codes.FINDINGS if failed else exit_codes.OK
