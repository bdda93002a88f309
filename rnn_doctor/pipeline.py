"""The whole product: script -> run log -> signals -> findings -> remedies -> report.

Each stage is imported when it is needed, so that listing rules does not pay for numpy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rnn_doctor import __version__, observed

if TYPE_CHECKING:
    from rnn_doctor.capture.interrupts import Interrupts
    from rnn_doctor.capture.launch import Change, Outcome, Progress, Target
    from rnn_doctor.foreign.runs import Run
    from rnn_doctor.schema.report import ChangedThreshold, Report
    from rnn_doctor.schema.rule import Case, Rule
    from rnn_doctor.schema.rulebook import Rulebook
    from rnn_doctor.schema.runlog import RunLog
    from rnn_doctor.schema.signals import Signals
    from rnn_doctor.settings import Settings

    __all__ = ["Change", "Outcome", "Progress", "Run", "Target"]
    """What the command line names of a stage, for type checkers alone."""

_DEEP = 60.0
"""Seconds that trials may take, for which the script waits: seven arms of fifty updates of up to 0.17 s."""


_EXAMINING = (
    "rnn_doctor.compare.baseline",
    "rnn_doctor.derive.profiles",
    "rnn_doctor.derive.signals",
    "rnn_doctor.diagnose.engine",
    "rnn_doctor.prescribe.rank",
    "rnn_doctor.schema.reading",
)
"""What `examine` imports that takes its time."""


def target(
    path: str, *, is_module: bool, arguments: tuple[str, ...], python: str, threads: int | None = None
) -> Target:
    """What to run: a script, or a module as `python -m` does; `threads` sets how many PyTorch may use."""
    from rnn_doctor.capture import launch

    return launch.Target(path=path, is_module=is_module, arguments=arguments, python=python, threads=threads)


def record(
    target: Target,
    log: Path,
    settings: Settings,
    *,
    terminal: bool,
    on_progress: Callable[[Progress], None],
    on_output: Callable[[bytes], None] | None = None,
    output: int | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    change: Change | None = None,
) -> Outcome:
    """How the script ended; its run log is in the file afterwards, if it used torch at all.

    `output` is the file descriptor that the script writes to. In another thread than the main one `interrupted`
    says when to end it. `change`: the run is a trial, whose validation nobody waits for.
    """
    from rnn_doctor.capture import launch

    whole = settings.steps == "all" and "time_limit" not in settings.model_fields_set
    return launch.launch(
        target,
        log,
        steps=settings.step_limit,
        time_limit=math.inf if whole else settings.time_limit,
        start_limit=settings.start_limit,
        validate=settings.validation == "auto" and change is None,
        deep=_DEEP if settings.deep and change is None else 0.0,
        change=change,
        tool_version=__version__,
        terminal=terminal,
        on_progress=on_progress,
        on_output=on_output,
        output=output,
        interrupted=interrupted,
    )


def interrupts() -> AbstractContextManager[Interrupts]:
    """A block in which Ctrl-C and SIGTERM are counted, for what waits for several `record`s; each is one by itself."""
    from rnn_doctor.capture.interrupts import counted

    return counted()


def runs(path: Path, name: str | None = None) -> Sequence[Path | Run]:
    """The runs in a file or folder: run logs of ours as paths, and what other libraries logged.

    name: what a foreign log in a file is called in reports and errors, if not by its path.
    Raises: RunLogError: there is none, or the file is empty or damaged.
    """
    from rnn_doctor.errors import RunLogError
    from rnn_doctor.foreign import runs as foreign

    try:
        if path.is_dir():
            return foreign.in_folder(path)
        return [path] if foreign.is_own(path) else [foreign.in_file(path, name)]
    except OSError as error:
        raise RunLogError(f"{path}: {error.strerror or error}", "name a log that exists") from error


def columns_named(settings: Settings) -> dict[str, str]:
    """Which column of a foreign log is what, as far as the settings say it.

    Raises: SettingsError: a text of `map` is not of the form role=column, or its role is none.
    """
    if not settings.map:
        return {}
    from rnn_doctor.foreign import columns

    return columns.parse(settings.map)


def read(run: Path | Run, settings: Settings) -> RunLog:
    """The run log of one of `runs`.

    Raises: RunLogError: it is damaged or empty, what reads it is not installed, or no column of it is known.
    """
    if isinstance(run, Path):
        from rnn_doctor.schema import reading

        return reading.read(run)
    return run.read(columns_named(settings))


def get_ready() -> None:
    """Imports what an examination takes, numpy above all: while a script runs, nobody waits for it."""
    from rnn_doctor.derive.registry import entries

    entries()
    for stage in _EXAMINING:
        import_module(stage)


def examine(log: RunLog, settings: Settings) -> Report:
    """The report on a recorded run, held against the baseline of the settings.

    Raises: ScriptError: there was no update or no recurrent network to judge. ReportError: the baseline is none.
    """
    from rnn_doctor.compare.baseline import since
    from rnn_doctor.derive.profiles import profiles
    from rnn_doctor.diagnose.engine import diagnose
    from rnn_doctor.diagnose.pages import pages
    from rnn_doctor.diagnose.suppressions import files, suppress
    from rnn_doctor.prescribe.contraindications import contraindications
    from rnn_doctor.prescribe.rank import remedies as prescribe
    from rnn_doctor.schema import sources
    from rnn_doctor.schema.report import Report, Tool

    early = observed.first_update_unfinished(log)
    if log.imported is None and (early is None or not log.modules):
        observed.require_training(log)
    book, enabled, thresholds = rules_in_use(settings)
    signals = _signals(log, settings.lag)
    diagnosis = diagnose(signals, book, enabled=enabled)
    if early is not None and not diagnosis.findings:  # so little was seen that silence says nothing
        raise early
    texts = sources.read(files(log, signals, diagnosis.findings))
    diagnosis, suppressed, remarks = suppress(diagnosis, texts, book, enabled)
    ranked = prescribe(diagnosis.findings, book, signals.names)
    report = Report(
        tool=Tool(version=__version__),
        subject=observed.subject(log),
        observation=observed.observation(log),
        conditions=diagnosis.conditions,
        findings=diagnosis.findings,
        remedies=ranked,
        contraindications=contraindications(diagnosis.findings, ranked, book),
        not_assessed=(*observed.limits(log), *diagnosis.not_assessed),
        signals=tuple(signals.signals.values()),
        profiles=profiles(log, lag=settings.lag),
        rulebook=pages(book, enabled),
        rules=tuple(sorted(enabled)),
        thresholds=thresholds,
        suppressed=suppressed,
        remarks=remarks,
    )
    older = baseline(settings)
    return report if older is None else since(report, older)


def unjudged(target: Target, settings: Settings, reason: str) -> Report:
    """The report on a script of which nothing was seen: no verdict, and why. So it is missing in no combined report."""
    from rnn_doctor.diagnose.pages import pages
    from rnn_doctor.schema import report as nouns

    book, enabled, thresholds = rules_in_use(settings)
    verdict = nouns.ConditionVerdict(verdict="not_assessed", reason=reason)
    told = pages(book, enabled)
    return nouns.Report(
        tool=nouns.Tool(version=__version__),
        subject=nouns.Subject(
            script=f"-m {target.path}" if target.is_module else target.path,
            arguments=target.arguments,
            python="not known",
            torch="not known",
            platform="not known",
        ),
        observation=nouns.Observation(steps=0, evaluations=0, stopped=reason),
        conditions=nouns.Conditions(**dict.fromkeys(nouns.Conditions.model_fields, verdict)),
        findings=(),
        remedies=(),
        not_assessed=tuple(
            nouns.NotAssessed(what=f"{page.id} {page.name}", condition=page.condition, reason=reason)
            for page in told
        ),
        signals=(),
        rulebook=told,
        rules=tuple(sorted(enabled)),
        thresholds=thresholds,
    )


def baseline(settings: Settings) -> list[Report] | None:
    """The reports of the settings' baseline, if they name one. Raises: ReportError: it cannot be read."""
    from rnn_doctor.errors import ReportError
    from rnn_doctor.schema import stored

    if settings.baseline is None:
        return None
    try:
        return stored.read(settings.baseline)
    except ReportError as error:
        raise ReportError(f"{settings.origin('baseline')}: {error.message}", error.hint) from None


def recognizable(report: Report) -> Report:
    """The report with a fingerprint on every finding, also where it was stored without."""
    from rnn_doctor.diagnose.fingerprints import fingerprinted

    if all(finding.fingerprint for finding in report.findings):
        return report
    return report.model_copy(update={"findings": fingerprinted(report.findings)})


def rulebook(folders: Sequence[Path] = ()) -> Rulebook:
    """The rules that ship with rnn-doctor and those of the folders.

    Raises: RulebookError: a rule file is wrong.
    """
    if not folders:
        return _shipped()
    from rnn_doctor.derive.registry import kinds
    from rnn_doctor.diagnose.rulebook import load

    return load(folders, signals=kinds())


@cache
def _shipped() -> Rulebook:
    """Its hundred files are read once: several runs may be examined in a row."""
    from rnn_doctor.diagnose.rulebook import load

    return load()


class InUse(NamedTuple):
    """What an examination judges by."""

    book: Rulebook
    enabled: frozenset[str]
    """Ids of the rules that the settings select."""
    thresholds: tuple[ChangedThreshold, ...]
    """What the settings changed of the rules that are selected."""


def changed_rulebook(settings: Settings) -> tuple[Rulebook, tuple[ChangedThreshold, ...]]:
    """The rulebook with the thresholds of the settings, and what these changed.

    Raises: RulebookError: a rule file is wrong. SettingsError: there is no such threshold.
    """
    from rnn_doctor.diagnose.thresholds import changed

    return changed(rulebook(settings.rules), settings.thresholds, settings.origin)


def rules_in_use(settings: Settings) -> InUse:
    """The rulebook with the thresholds of the settings, and the rules of it that they select.

    Raises: RulebookError: a rule file is wrong. SettingsError: a selection or a threshold matches no rule.
    """
    from rnn_doctor.diagnose.select import enabled

    book, changes = changed_rulebook(settings)
    chosen = enabled(book, settings.select, settings.ignore, preview=settings.preview, origin=settings.origin)
    return InUse(book, chosen, tuple(change for change in changes if change.rule in chosen))


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
