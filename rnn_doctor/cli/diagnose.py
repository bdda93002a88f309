"""`rnn-doctor diagnose`: reports from recorded runs, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor.cli import exit_codes, judging, options, output
from rnn_doctor.errors import RunLogError, ScriptError

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report


@click.command("diagnose")
@options.judging
@options.speaking
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
def command(runs: tuple[str, ...], **flags: Any) -> int:
    """Report on recorded run logs; torch is not needed.

    Logs of the ranks of one run (run.rank1.jsonl beside run.jsonl) are merged. Several RUNs are reported one
    after another, or as one document in the formats that can hold them; in JSON that is a list with one report
    for each RUN that could be judged. A RUN that cannot be read is said so on stderr, and the others are
    reported all the same.

    \b
    Exit codes: the highest of 0 nothing at or above --fail-on, 1 findings, 3 a run trained too little to
    judge, and then 2 usage or unreadable input.
    """
    from rnn_doctor import pipeline
    from rnn_doctor.schema import reading

    settings = options.settings(flags)
    output.check_writable(settings.output)
    pipeline.rules_in_use(settings)
    pipeline.baseline(settings)
    reports: list[Report] = []
    codes: list[int] = []
    for run in runs:
        path = Path(run)
        try:
            if path.is_dir():
                raise RunLogError(f"{path} is a directory", "name the run logs in it")
            log = reading.read(path)
            own = options.settings(flags, log.header.script)
            report = pipeline.examine(log, own)
        except (RunLogError, ScriptError) as error:
            if len(runs) == 1:
                raise
            output.say(error.message, error.hint)
            codes.append(error.exit_code)
            continue
        codes.append(judging.exit_code(log, report, own))
        reports.append(judging.judged(report, codes[-1], own))
        judging.remark(log, report, own)
    output.emit(reports, settings, several=len(runs) > 1)
    return exit_codes.worst(codes)
