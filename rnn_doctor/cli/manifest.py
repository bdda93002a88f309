"""`rnn-doctor check` without SCRIPT: every script of the manifest, one report and one exit code for all."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_doctor import expectations, manifest
from rnn_doctor.cli import exit_codes, judging, options, output, recording
from rnn_doctor.cli.board import Board
from rnn_doctor.cli.workers import Task, Workers, threads
from rnn_doctor.errors import DoctorError, RunLogError, ScriptError, SettingsError
from rnn_doctor.schema.expectation import Expectation
from rnn_doctor.schema.report import Exit, Report
from rnn_doctor.targets import target

if TYPE_CHECKING:
    from rnn_doctor.pipeline import Outcome, Target
    from rnn_doctor.settings import Settings

_SHOWN_LINES = 40
"""Of what a script wrote before it failed: a traceback and the lines around it."""


@dataclass(frozen=True)
class _Plan:
    """One script with everything that its run needs."""

    entry: manifest.Entry
    expectation: Expectation
    target: Target
    settings: Settings
    log: Path
    written: Path
    """What the script writes to its stdout and stderr."""
    keeps: bool
    """Whether both files were asked for."""


def check(flags: dict[str, Any], *, log: str | None, only: Sequence[str]) -> int:
    """The exit code of checking the manifest of the present directory; flags go before its settings.

    Raises: SettingsError: there is no manifest, or something in it is wrong; nothing has run then.
    """
    found = manifest.read(Path.cwd())
    if found is None:
        target(None, (), None)  # says that no script was named
        return exit_codes.USAGE
    entries = manifest.chosen(found.entries, only)
    flags = _absolute(flags)
    kept = Path(log).absolute() if log else None
    with contextlib.chdir(found.path.parent), _folder(kept) as folder:
        settings = options.settings(flags)
        output.check_writable(settings.output)
        output.check_holds_several(settings)
        share = threads(len(found.entries), settings.jobs)
        plans = []
        for entry in entries:
            where = f"{found.path}: {manifest.HEADER} {entry.name}"
            plans.append(_plan(entry, flags, folder, share, where, keeps=kept is not None))
        reports, interrupted = _examine(plans, settings)
        output.emit(reports, settings, several=True)
        _sum_up(reports, settings)
    codes = [report.exit.code for report in reports if report.exit]
    return exit_codes.INTERRUPTED if interrupted else exit_codes.worst(codes)


def _absolute(flags: dict[str, Any]) -> dict[str, Any]:
    """The flags with paths that stay what they are when the directory changes."""

    def path(value: str) -> str:
        return str(Path(value).absolute())

    result = dict(flags)
    for key in ("output", "baseline"):
        if result.get(key):
            result[key] = path(result[key])
    if result.get("rules"):
        result["rules"] = tuple(path(folder) for folder in result["rules"])
    if "/" in (result.get("python") or ""):
        result["python"] = path(result["python"])
    return result


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Where the run logs are written: the folder that was asked for, or one that goes when nothing is left in it."""
    if kept is not None:
        if kept.exists() and not kept.is_dir():
            raise DoctorError(f"--log: {kept} is a file", "several run logs need a folder")
        output.check_writable(kept)
        kept.mkdir(exist_ok=True)
        yield kept
        return
    folder = Path(tempfile.mkdtemp(prefix="rnn-doctor-"))
    try:
        yield folder
    finally:
        if not any(folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)


def _plan(
    entry: manifest.Entry, flags: dict[str, Any], folder: Path, share: int, where: str, *, keeps: bool
) -> _Plan:
    """Everything that can be refused is refused here, before any script runs.

    share: threads where the entry does not say. where: of the entry, for errors.
    """
    from rnn_doctor import pipeline

    given = {key: value for key, value in flags.items() if value is not None and value != ()}
    origins = {key: f"{where}: {key.replace('_', '-')}" for key in entry.settings if key not in given}
    settings = options.settings(entry.settings | given, entry.module or entry.script, origins=origins)
    words = entry.args if entry.module is not None else (entry.script or "", *entry.args)
    try:
        what = target(
            entry.module, words, settings.python, entry.threads or share, origin=settings.origin("python")
        )
    except SettingsError:
        raise
    except DoctorError as error:
        raise SettingsError(f"{where}: {error.message}", error.hint) from None
    book, enabled, _ = pipeline.rules_in_use(settings)
    pipeline.baseline(settings)
    expectation = expectations.resolved(entry.expectation, book, enabled, where)
    stem = re.sub(r"[^\w.-]+", "_", entry.name.removesuffix(".py")).strip("._") or "script"
    log = folder / f"{stem}.jsonl"
    return _Plan(entry, expectation, what, settings, log, log.with_suffix(".out"), keeps)


def _examine(plans: Sequence[_Plan], settings: Settings) -> tuple[list[Report], bool]:
    """The report on each script, in the order of the manifest, and whether Ctrl-C ended them."""
    board = Board(quiet=settings.quiet)
    tasks = [Task(_recording(plan, board), plan.target.threads or 1) for plan in plans]
    results: dict[int, Report] = {}
    from rnn_doctor import pipeline

    with pipeline.interrupts() as interrupts, board.shown():
        for done in Workers(tasks, settings.jobs, lambda: bool(interrupts)).run():
            plan = plans[done.number]
            results[done.number] = _judged(plan, done.result)
            _put_away(plan, results[done.number], settings)
            if not settings.quiet:
                output.say(
                    f"{plan.entry.name}: {_status(results[done.number])} ({len(results)} of {len(plans)})"
                )
    return [results[number] for number in sorted(results)], bool(interrupts)


def _recording(plan: _Plan, board: Board) -> Callable[[Callable[[], bool]], Outcome]:
    def record(interrupted: Callable[[], bool]) -> Outcome:
        with plan.written.open("wb") as file:
            return recording.run(
                plan.target,
                plan.log,
                plan.settings,
                shown=board.reporter(plan.entry.name),
                written_to=file.fileno(),
                interrupted=interrupted,
            )

    return record


def _judged(plan: _Plan, outcome: Outcome | BaseException | None) -> Report:
    from rnn_doctor import observed, pipeline
    from rnn_doctor.schema import reading

    if outcome is None:
        return _unjudged(plan, exit_codes.INTERRUPTED, "interrupted before it was started")
    if isinstance(outcome, DoctorError):
        named = outcome.message.startswith(plan.entry.name)
        output.say(outcome.message if named else f"{plan.entry.name}: {outcome.message}", outcome.hint)
        return _unjudged(plan, outcome.exit_code, outcome.message)
    if isinstance(outcome, BaseException):
        raise outcome
    interrupted = outcome.reason == "interrupted"
    if outcome.log is None:
        return _unjudged(plan, exit_codes.INTERRUPTED, "interrupted before anything of a training was seen")
    try:
        log = reading.read(outcome.log)
        report = pipeline.examine(log, plan.settings)
    except (RunLogError, ScriptError) as error:
        if not interrupted:
            output.say(f"{plan.entry.name}: {error.message}", error.hint)
        return _unjudged(plan, exit_codes.INTERRUPTED if interrupted else error.exit_code, error.message)
    judging.remark(log, report, plan.settings)
    note = "interrupted" if interrupted else observed.failure(log)
    report = expectations.held(report, plan.expectation, plan.settings, name=plan.entry.name, note=note)
    failing = expectations.failing(expectations.unlisted(report, plan.expectation), plan.settings)
    code = exit_codes.OK if report.expected and report.expected.met else exit_codes.FINDINGS
    code = exit_codes.SCRIPT if observed.too_little(log, report) else code
    code = exit_codes.INTERRUPTED if interrupted else code
    ended = Exit(code=code, failing=tuple(finding.fingerprint for finding in failing))
    return report.model_copy(update={"exit": ended})


def _unjudged(plan: _Plan, code: int, note: str) -> Report:
    """A report without a verdict: what cannot be judged is not what is expected, whatever that is."""
    from rnn_doctor import pipeline

    report = pipeline.unjudged(plan.target, plan.settings, note)
    report = expectations.held(report, plan.expectation, plan.settings, name=plan.entry.name, note=note)
    assert report.expected
    expected = report.expected.model_copy(update={"met": False})
    return report.model_copy(update={"exit": Exit(code=code), "expected": expected})


def _put_away(plan: _Plan, report: Report, settings: Settings) -> None:
    """Shows what a script wrote before it failed, and removes what nobody asked to keep."""
    from rnn_doctor.render.wording import clean

    assert report.exit
    assert report.expected
    code = report.exit.code
    failed = code in (exit_codes.SCRIPT, exit_codes.INTERRUPTED) or report.expected.note is not None
    written = plan.written.read_text(encoding="utf-8", errors="replace") if plan.written.exists() else ""
    lines = written.splitlines() if settings.verbose else written.splitlines()[-_SHOWN_LINES:]
    if lines and (settings.verbose or (failed and code != exit_codes.INTERRUPTED)):
        output.say(f"{plan.entry.name} wrote{'' if settings.verbose else ' at last'}:")
        output.quote(f"  | {clean(line)}" for line in lines)
    if plan.keeps:
        return
    plan.written.unlink(missing_ok=True)
    if failed and plan.log.exists():
        output.say(f"the run log is kept: rnn-doctor diagnose {plan.log}")
    else:
        for old in recording.logs(plan.log):
            old.unlink()


def _status(report: Report) -> str:
    from rnn_doctor.render.overview import status

    return status(report)[0]


def _sum_up(reports: Sequence[Report], settings: Settings) -> None:
    """The table of all scripts on stderr, where no reader of the report sees it at once."""
    from rnn_doctor.render import overview

    if settings.format != "terminal" or settings.output is not None:
        output.quote([] if settings.quiet else overview.render(reports).splitlines())
