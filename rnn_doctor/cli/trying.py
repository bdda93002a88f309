"""`rnn-doctor try`: check, then run the script again with each remedy, and rank them by what they did."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor.cli import options, output, recording
from rnn_doctor.cli.board import Board
from rnn_doctor.cli.check import examine
from rnn_doctor.cli.script import ScriptCommand
from rnn_doctor.cli.workers import Task, Workers, cores, threads
from rnn_doctor.errors import DoctorError, ScriptError, SettingsError
from rnn_doctor.targets import target

if TYPE_CHECKING:
    from rnn_doctor.pipeline import Outcome, Target
    from rnn_doctor.schema.report import Report
    from rnn_doctor.schema.runlog import RunLog
    from rnn_doctor.settings import Settings
    from rnn_doctor.trial_pipeline import Arm, TrialRun

_FEWEST = 20
"""Updates below which the last fifth of the losses, which is compared, is fewer than four."""


@click.command("try", cls=ScriptCommand)
@options.observing
@options.judging
@options.trying
@options.speaking
@options.script
def command(module: str | None, words: tuple[str, ...], **flags: Any) -> int:
    """Check a training script, try the remedies on it, and rank them by what they did.

    Each remedy that needs no edit is applied to runs of the same script, from its start, for as many updates and
    with the same seeds as runs without it; --repeats times, each time with other seeds. The training loss tells
    what helped, and whether the finding is still there. Other learning rates are tried on every script.

    The script runs once for each remedy and repeat. What it writes to files by torch.save is kept apart; whatever
    else it writes, it writes again.

    \b
    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or unreadable input,
    3 the script failed or ended too early to judge it, 130 interrupted.
    """
    from rnn_doctor import pipeline, trial_pipeline

    settings = options.settings(flags, module or (words[0] if words else None))
    if settings.steps == "all" or settings.steps < _FEWEST:
        raise SettingsError(
            f"{settings.origin('steps')}: trials compare runs of a number of updates, at least {_FEWEST}",
            "type for example `rnn-doctor try --steps 50 train.py`",
        )
    what = target(module, words, settings.python, origin=settings.origin("python"))
    output.check_writable(settings.output)
    pipeline.rules_in_use(settings)
    pipeline.baseline(settings)
    trial_pipeline.refuse_untriable(settings)

    def then(log: RunLog, report: Report) -> tuple[Report, bool]:
        return _try(what, log, report, settings)

    with recording.place(None) as place:
        return examine(what, place, settings, then)


@dataclass(frozen=True)
class _Plan:
    """One run: an arm, or none, in one repeat."""

    arm: Arm | None
    repeat: int
    log: Path

    @property
    def name(self) -> str:
        return "as it is" if self.arm is None else self.arm.words


def _try(what: Target, log: RunLog, report: Report, settings: Settings) -> tuple[Report, bool]:
    """The report with what was measured, and whether Ctrl-C ended it."""
    from rnn_doctor import trial_pipeline

    try:
        arms = trial_pipeline.arms(log, report, settings)
    except ScriptError as error:
        output.say(error.message, error.hint)
        return report, False
    share = threads(settings.jobs or cores(), settings.jobs)
    settings = settings.model_copy(update={"steps": min(len(log.steps), int(settings.steps))})
    with tempfile.TemporaryDirectory(prefix="rnn-doctor-") as folder:
        plans = [
            _Plan(arm, repeat, Path(folder) / f"{number}-{repeat}.jsonl")
            for repeat in range(settings.repeats)
            for number, arm in enumerate((None, *arms))
        ]
        if not settings.quiet:
            output.say(f"trying {len(arms)} changes, each {settings.repeats} times: {len(plans)} runs")
        runs, untried, interrupted = _run(replace(what, threads=what.threads or share), plans, settings)
    own = runs.pop(None, {})
    repeats = [r for r in range(settings.repeats) if r in own]
    complete = {
        arm: [found[r] for r in repeats]
        for arm, found in runs.items()
        if arm is not None and all(r in found for r in repeats)
    }
    if len(repeats) < 2 or not complete:
        output.say("nothing was measured", "the script has to run to the same update each time")
    else:
        report = trial_pipeline.tried(report, log, [own[r] for r in repeats], complete, settings)
    return trial_pipeline.with_untried(report, untried), interrupted


_Runs = dict["Arm | None", dict[int, "TrialRun"]]


def _run(what: Target, plans: Sequence[_Plan], settings: Settings) -> tuple[_Runs, dict[str, str], bool]:
    """What came of each arm, by repeat; why remedies could not be tried; and whether Ctrl-C ended it."""
    from rnn_doctor import pipeline

    board = Board(quiet=True)
    runs: _Runs = {}
    untried: dict[str, str] = {}
    failed: set[Arm] = set()
    tasks = [Task(_recording(what, plan, settings, board, failed), what.threads or 1) for plan in plans]
    with pipeline.interrupts() as interrupts, board.shown():
        for count, done in enumerate(Workers(tasks, settings.jobs, lambda: bool(interrupts)).run(), 1):
            plan = plans[done.number]
            if plan.arm in failed:
                continue
            found = _judged(plan, done.result, settings)
            if isinstance(found, str):
                if plan.arm is not None:
                    failed.add(plan.arm)
                    untried.setdefault(plan.arm.remedy, f"{plan.name}: {found}")
            else:
                runs.setdefault(plan.arm, {})[plan.repeat] = found
            if not settings.quiet:
                output.say(
                    f"{count} of {len(plans)}: {plan.name}{f': {found}' if isinstance(found, str) else ''}"
                )
    return runs, untried, bool(interrupts)


def _recording(
    what: Target, plan: _Plan, settings: Settings, board: Board, failed: set[Arm]
) -> Callable[[Callable[[], bool]], Outcome | None]:
    """What records a run; of an arm that has failed in another repeat, by then, nothing."""
    from rnn_doctor import trial_pipeline

    def record(interrupted: Callable[[], bool]) -> Outcome | None:
        if plan.arm in failed:
            return None
        with Path(os.devnull).open("wb") as nowhere:
            return recording.run(
                what,
                plan.log,
                settings,
                shown=board.reporter(plan.name),
                written_to=nowhere.fileno(),
                interrupted=interrupted,
                change=trial_pipeline.change(plan.arm, plan.repeat),
            )

    return record


def _judged(plan: _Plan, outcome: Outcome | BaseException | None, settings: Settings) -> TrialRun | str:
    """What came of a run, or why nothing did."""
    from rnn_doctor import trial_pipeline

    if isinstance(outcome, DoctorError):
        return outcome.message
    if isinstance(outcome, BaseException):
        raise outcome
    if outcome is None or outcome.reason == "interrupted" or outcome.log is None:
        return "interrupted"
    try:
        run = trial_pipeline.trial_run(outcome.log, settings)
    except DoctorError as error:
        return error.message
    if plan.arm is not None and not (run.log.intervention and run.log.intervention.applied):
        return "there was nothing to apply it to"
    if len(run.log.steps) < int(settings.steps):
        crash = run.log.crash
        return crash.error.splitlines()[-1] if crash else f"it ended after {len(run.log.steps)} updates"
    return run
