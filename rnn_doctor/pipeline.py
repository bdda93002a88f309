"""The whole product: script -> run log -> signals -> findings -> remedies -> report.

Each stage is imported when it is needed, so that listing rules does not pay for numpy.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_doctor import __version__
from rnn_doctor.errors import ScriptError

if TYPE_CHECKING:
    from rnn_doctor.capture.launch import Outcome, Progress, Target
    from rnn_doctor.schema.report import NotAssessed, Observation, Report, Subject
    from rnn_doctor.schema.rule import Case, Rule
    from rnn_doctor.schema.rulebook import Rulebook
    from rnn_doctor.schema.runlog import RunLog
    from rnn_doctor.schema.signals import Signals
    from rnn_doctor.settings import Settings

    __all__ = ["Outcome", "Progress", "Target"]
    """What the command line names of a stage, for type checkers alone."""

ENOUGH_STEPS = 10
"""Below this a script that fails has shown too little. Spikes are measured against a running median from
step 6 on, and trends need some points after that; checks of single steps are complete at step 1."""
FEWEST_STEPS = 2
"""Below this nothing can be said of what learning does: a run without findings is then no healthy run."""


def target(path: str, *, is_module: bool, arguments: tuple[str, ...], python: str) -> Target:
    """What to run: a script, or a module as `python -m` does."""
    from rnn_doctor.capture import launch

    return launch.Target(path=path, is_module=is_module, arguments=arguments, python=python)


def record(
    target: Target,
    log: Path,
    settings: Settings,
    *,
    terminal: bool,
    on_progress: Callable[[Progress], None],
    on_output: Callable[[bytes], None] | None = None,
) -> Outcome:
    """How the script ended; its run log is in the file afterwards, if it used torch at all."""
    from rnn_doctor.capture import launch

    whole = settings.steps == "all" and "time_limit" not in settings.model_fields_set
    return launch.launch(
        target,
        log,
        steps=settings.step_limit,
        time_limit=math.inf if whole else settings.time_limit,
        start_limit=settings.start_limit,
        validate=settings.validation == "auto",
        tool_version=__version__,
        terminal=terminal,
        on_progress=on_progress,
        on_output=on_output,
    )


def examine(log: RunLog, settings: Settings) -> Report:
    """The report on a recorded run.

    Raises: ScriptError: there was no update or no recurrent network to judge.
    """
    from rnn_doctor.derive.profiles import profiles
    from rnn_doctor.diagnose.engine import diagnose
    from rnn_doctor.prescribe.contraindications import contraindications
    from rnn_doctor.prescribe.rank import remedies as prescribe
    from rnn_doctor.schema.report import Report, Tool

    early = _first_update_unfinished(log)
    if early is None or not log.modules:
        require_training(log)
    book, enabled = rules_in_use(settings)
    signals = _signals(log, settings.lag)
    diagnosis = diagnose(signals, book, enabled=enabled)
    if early is not None and not diagnosis.findings:  # so little was seen that silence says nothing
        raise early
    ranked = prescribe(diagnosis.findings, book, signals.names)
    return Report(
        tool=Tool(version=__version__),
        subject=subject(log),
        observation=observation(log),
        conditions=diagnosis.conditions,
        findings=diagnosis.findings,
        remedies=ranked,
        contraindications=contraindications(diagnosis.findings, ranked, book),
        not_assessed=(*_examination(log), *diagnosis.not_assessed),
        signals=tuple(signals.signals.values()),
        profiles=profiles(log, lag=settings.lag),
    )


def rulebook(folders: Sequence[Path] = ()) -> Rulebook:
    """The rules that ship with rnn-doctor, and those of the folders, held against the signals there are."""
    from rnn_doctor.diagnose.rulebook import load

    if not folders:
        return load()
    from rnn_doctor.derive.registry import kinds

    return load(folders, signals=kinds())


def rules_in_use(settings: Settings) -> tuple[Rulebook, frozenset[str]]:
    """The rulebook, and the ids of its rules that the settings select.

    Raises: RulebookError: a rule file is wrong. SettingsError: a selection matches no rule.
    """
    from rnn_doctor.diagnose.select import enabled

    book = rulebook(settings.rules)
    return book, enabled(book, settings.select, settings.ignore, preview=settings.preview)


def cases(rules: Iterable[Rule], logs: Sequence[Path]) -> Iterator[tuple[Rule, Case, str | None]]:
    """Every case of the rules, with how its rule breaks it; None where it keeps it.

    The recorded runs that cases name are looked for in the folders `logs`, in their order.
    """
    from rnn_doctor.diagnose.cases import breach
    from rnn_doctor.schema import reading

    for rule in rules:
        for case in rule.case:
            if case.log is None:
                yield rule, case, breach(rule, case)
                continue
            path = next((folder / case.log for folder in logs if (folder / case.log).is_file()), None)
            if path is None:
                yield rule, case, f"has no run log {case.log} in {', '.join(map(str, logs))}"
            else:
                yield rule, case, breach(rule, case, _signals(reading.read(path), case.lag))


def _signals(log: RunLog, lag: int | None = None) -> Signals:
    from rnn_doctor.derive.signals import signals

    return signals(log, lag=lag)


def subject(log: RunLog) -> Subject:
    """What was examined, from the header and the records of what the script built."""
    from rnn_doctor.schema.report import RecurrentLayer, Subject

    layers = [
        RecurrentLayer(
            name=m.name,
            kind=m.kind,
            hidden_size=m.hidden_size,
            num_layers=m.num_layers,
            bidirectional=m.bidirectional,
            location=m.location,
        )
        for m in log.modules.values()
    ]
    return Subject(
        script=log.header.script,
        arguments=log.header.arguments,
        python=log.header.python,
        torch=log.header.torch,
        platform=log.header.platform,
        ranks=log.ranks,
        recurrent=tuple(layers),
        optimizers=tuple(o.kind for o in log.optimizers.values()),
        parameters=sum(math.prod(p.shape) for p in log.parameters.values() if p.trainable),
    )


def observation(log: RunLog) -> Observation:
    """How much was seen, and why no more."""
    from rnn_doctor.schema.report import Observation

    seconds = log.stop.seconds if log.stop else log.steps[-1].elapsed if log.steps else None
    probe = log.stop.probe_seconds if log.stop else None
    return Observation(
        steps=len(log.steps),
        evaluations=len(log.evaluations),
        stopped=_stopped(log),
        seconds=seconds,
        probe_seconds=probe,
        probe_share=probe / seconds if probe is not None and seconds else None,
        sensors_off=tuple(sorted({record.sensor for record in log.sensors_off})),
    )


def failure(log: RunLog) -> str | None:
    """How the script failed, as a clause; None when it ended well, or because it was stopped."""
    if log.crash:
        return f"it raised {log.crash.error.strip().splitlines()[0]}"  # the traceback was shown when it ran
    early = log.early_validation  # what a script does after its epoch was ended early is not held against it
    if (
        log.exit is None
        or log.exit.reason != "ended"
        or not log.exit.code
        or (early and early.judged_no_more)
    ):
        return None
    if log.stop and (log.stop.reason in ("steps", "time", "interrupted") or log.exit.code < 0):
        return None  # after the probe's last word a signal is ours, to a process that would not end
    if log.exit.code > 0:
        return f"it ended with exit code {log.exit.code}"
    try:
        return f"it was killed by {signal.Signals(-log.exit.code).name}"
    except ValueError:
        return f"it was killed by signal {-log.exit.code}"


def require_training(log: RunLog) -> None:
    """Nothing, where the log holds an update and a recurrent network.

    Raises: ScriptError: it does not; says what was seen instead.
    """
    script, failed = log.header.script, failure(log)
    if not log.steps:
        if failed:
            raise ScriptError(f"{script} made no update: {failed}{crash_place(log)}", _advice(log))
        if log.exit and log.exit.reason == "no_step":
            raise ScriptError(
                f"{script} made no update within the start limit; seen: {seen(log)}",
                "raise --start-limit if it prepares its data for longer",
            )
        if early := _first_update_unfinished(log):
            raise early
        if log.exit and log.exit.reason == "hung":
            raise ScriptError(
                f"{script} had not finished its first update when the time limit came; seen: {seen(log)}",
                "raise --time-limit; an update of LBFGS takes up to 20 backward passes",
            )
        raise ScriptError(
            f"{script} made no update that could be seen; seen: {seen(log)}",
            "pass the arguments that make it train; an update is optimizer.step(), or a change of weights "
            "by hand after a backward pass",
        )
    if not log.modules:
        raise ScriptError(
            f"no recurrent network was seen in {script}; seen: {seen(log)}",
            "rnn-doctor judges torch.nn.RNN, LSTM, GRU, their cells, and hand-written recurrences",
        )


def _first_update_unfinished(log: RunLog) -> ScriptError | None:
    """The error to raise where the time limit came within the first update; its calls and backward passes were seen."""
    if log.steps or log.stop is None or not log.stop.backwards or failure(log):
        return None
    return ScriptError(
        f"{log.header.script} was still within its first update when the time limit came, after "
        f"{log.stop.backwards} backward passes; seen: {seen(log)}",
        "raise --time-limit; an update of LBFGS takes up to 20 backward passes",
    )


def _advice(log: RunLog) -> str:
    if log.crash and "Weights only load failed" in log.crash.error:
        return "since torch 2.6 torch.load needs weights_only=False for whole objects, if you trust the file"
    return "run it on its own until it trains"


def seen(log: RunLog) -> str:
    """What the log holds, in a few words."""
    modules = [
        f"{m.kind} '{m.name}'{f' ({m.location.file}:{m.location.line})' if m.location else ''}"
        for m in log.modules.values()
    ]
    optimizers = [o.kind for o in log.optimizers.values()]
    updates = f"{len(log.steps) or 'no'} update{'' if len(log.steps) == 1 else 's'}"
    return ", ".join([*(modules or ["no recurrent network"]), *(optimizers or ["no optimizer"]), updates])


def crash_place(log: RunLog) -> str:
    """` at file:line` of the exception that ended the script, or nothing where it is not known."""
    place = log.crash.location if log.crash else None
    return f" at {place.file}:{place.line}" if place else ""


def _stopped(log: RunLog) -> str:
    failed = failure(log)
    if failed:
        return f"the script failed: {failed}{crash_place(log)}"
    if log.stop:
        return {
            "steps": "the requested number of steps was reached",
            "time": "the time limit was reached",
            "script_end": "the script ended",
            "crash": "the script failed",
            "interrupted": "it was interrupted",
        }[log.stop.reason]
    if log.early_validation and log.early_validation.outcome == "ended":
        return "the requested number of steps was reached"
    if log.exit:
        return {
            "ended": "the script's process ended",
            "hung": "the script hung and was ended",
            "no_step": "no further step came",
            "interrupted": "it was interrupted",
        }[log.exit.reason]
    return "the log breaks off (the process was killed, or still runs)"


def _examination(log: RunLog) -> tuple[NotAssessed, ...]:
    """What limits the whole examination: few steps, sensors that failed, ranks that disagree."""
    from rnn_doctor.schema.report import NotAssessed

    limits = [
        NotAssessed(what=f"sensor {off.sensor}", reason=f"it failed at step {off.step}: {off.error}")
        for off in log.sensors_off
    ]
    if len(log.steps) < ENOUGH_STEPS:
        seen_only = "1 update was" if len(log.steps) == 1 else f"{len(log.steps)} updates were"
        reason = f"only {seen_only} seen; what needs no more is judged"
        limits.insert(0, NotAssessed(what="development over the steps", reason=reason))
    return tuple(limits)
