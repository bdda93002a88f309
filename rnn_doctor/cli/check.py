"""`rnn-doctor check`: record, diagnose, report."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor.cli import exit_codes, judging, options, output, recording
from rnn_doctor.cli.script import (
    ScriptCommand,
    tell_of_options_given_to_the_script,
    tell_of_scripts_given_as_arguments,
)
from rnn_doctor.errors import ScriptError, SettingsError
from rnn_doctor.targets import target

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnn_doctor.pipeline import Target
    from rnn_doctor.schema.report import Report
    from rnn_doctor.schema.runlog import RunLog
    from rnn_doctor.settings import Settings


_SCRIPT_FIRST = 0.5
"""Seconds within which the script's process has been started."""


@click.command("check", cls=ScriptCommand)
@options.observing
@options.judging
@click.option(
    "--log",
    metavar="FILE",
    shell_complete=options.files,
    help="Keep the run log there.  [removed on success]",
)
@options.several
@options.speaking
@options.script
def command(
    module: str | None, words: tuple[str, ...], log: str | None, only: tuple[str, ...], **flags: Any
) -> int:
    """Run a training script for some steps and report what keeps it from learning.

    Our options stand before SCRIPT; everything after it goes to the script untouched. stdout carries the
    report alone: the script's own output and the progress go to stderr.

    Without SCRIPT, every script of [[tool.rnn-doctor.check]] in pyproject.toml is checked, each in a process of
    its own and from the folder of that file; --log then names a folder, and the exit code is the worst of all.

    \b
    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or unreadable input,
    3 the script failed or ended too early to judge it, 130 interrupted.
    """
    from rnn_doctor import pipeline

    if module is None and not words:
        from rnn_doctor.cli import manifest

        return manifest.check(flags, log=log, only=only)
    if only:
        raise SettingsError(
            "--only chooses among the scripts of pyproject.toml", "leave it out, or leave SCRIPT out"
        )
    settings = options.settings(flags, module or (words[0] if words else None))
    what = target(module, words, settings.python, origin=settings.origin("python"))
    # What can be refused is refused now, and not after the script has run.
    output.check_writable(settings.output)
    pipeline.rules_in_use(settings)
    pipeline.baseline(settings)
    if not settings.quiet:
        tell_of_scripts_given_as_arguments(words)
        tell_of_options_given_to_the_script(click.get_current_context(), module, words)
    with recording.place(Path(log) if log else None) as place:
        return examine(what, place, settings)


@contextlib.contextmanager
def _meanwhile(prepare: Callable[[], None]) -> Iterator[None]:
    """Prepares something beside the block, shortly after it has begun: the script is to start first."""

    def quietly() -> None:
        with contextlib.suppress(
            Exception
        ):  # what fails will fail again where it is needed, and be told there
            prepare()

    timer = threading.Timer(_SCRIPT_FIRST, quietly)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def examine(
    what: Target,
    place: recording.Place,
    settings: Settings,
    then: Callable[[RunLog, Report], tuple[Report, bool]] | None = None,
) -> int:
    """Runs the script, reports, and gives the exit code; `then` adds to the report of a run that was not interrupted.

    It says besides whether it was interrupted itself.
    """
    from rnn_doctor import observed, pipeline
    from rnn_doctor.schema import reading

    with _meanwhile(pipeline.get_ready):
        outcome = recording.run(what, place.path, settings)
    interrupted = outcome.reason == "interrupted"
    place.keep |= interrupted
    if outcome.log is None:
        output.say("interrupted before anything of a training was seen")
        return exit_codes.INTERRUPTED
    log = reading.read(outcome.log)
    place.keep |= observed.failure(log) is not None
    try:
        report = pipeline.examine(log, settings)
    except ScriptError as error:
        if not interrupted:
            raise
        output.say(f"interrupted: {error.message}")
        return exit_codes.INTERRUPTED
    if then is not None and not interrupted and not observed.too_little(log, report):
        report, interrupted = then(log, report)
    code = exit_codes.INTERRUPTED if interrupted else judging.exit_code(log, report, settings)
    output.emit([judging.judged(report, code, settings)], settings)
    judging.remark(log, report, settings)
    return code
