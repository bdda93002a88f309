"""`rnn-doctor diagnose`: reports from recorded runs, without torch."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor.cli import exit_codes, judging, options, output
from rnn_doctor.errors import RunLogError, ScriptError

if TYPE_CHECKING:
    from rnn_doctor.pipeline import Run
    from rnn_doctor.schema.report import Report


_STDIN = "-"


@click.command("diagnose")
@options.judging
@options.mapping
@options.speaking
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=options.files)
def command(runs: tuple[str, ...], **flags: Any) -> int:
    """Report on recorded run logs, and on logs of other libraries; torch is not needed.

    A RUN is a run log of ours, a TensorBoard event file, a metrics.csv of Lightning, a trainer_state.json of
    Hugging Face, an offline run of W&B, metrics as CSV, JSON or JSON Lines, what a training printed, or a folder
    of any of these; - reads standard input. Of foreign logs, stderr tells which column was taken for what.

    Logs of the ranks of one run (run.rank1.jsonl beside run.jsonl) are merged. Several RUNs are reported one
    after another, or as one document in the formats that can hold them; in JSON that is a list with one report
    for each run that could be judged. A RUN that cannot be read is said so on stderr, and the others are
    reported all the same.

    \b
    Exit codes: the highest of 0 nothing at or above --fail-on, 1 findings, 3 a run trained too little to
    judge, and then 2 usage or unreadable input.
    """
    from rnn_doctor import pipeline

    settings = options.settings(flags)
    output.check_writable(settings.output)
    pipeline.rules_in_use(settings)
    pipeline.baseline(settings)
    pipeline.columns_named(settings)
    reports: list[Report] = []
    codes: list[int] = []
    found = [each for run in runs for each in _found(Path(run))]
    several = len(runs) > 1 or any(Path(run).is_dir() for run in runs)
    for run in found:
        try:
            if isinstance(run, RunLogError):
                raise run
            log = pipeline.read(run, settings)
            own = options.settings(flags, log.header.script)
            report = pipeline.examine(log, own)
        except (RunLogError, ScriptError) as error:
            if not several:
                raise
            output.say(error.message, error.hint)
            codes.append(error.exit_code)
            continue
        codes.append(judging.exit_code(log, report, own))
        reports.append(judging.judged(report, codes[-1], own))
        judging.remark(log, report, own)
    output.emit(reports, settings, several=several)
    return exit_codes.worst(codes)


def _found(path: Path) -> list[Path | Run | RunLogError]:
    """The runs in a file or folder, or the error that there are none: of several RUNs the others count."""
    from rnn_doctor import pipeline

    try:
        if str(path) == _STDIN:
            return [*pipeline.runs(_standard_input(), "<stdin>")]
        return [*pipeline.runs(path)]
    except RunLogError as error:
        return [error]


def _standard_input() -> Path:
    """A file with what stands on standard input, for as long as the command runs: logs are looked at twice."""
    folder = click.get_current_context().with_resource(tempfile.TemporaryDirectory(prefix="rnn-doctor-"))
    path = Path(folder, "stdin")
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return path
