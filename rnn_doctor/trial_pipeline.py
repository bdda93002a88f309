"""Trials of remedies: what to try on an observed run, each run of it, and the report with what was measured.

Each stage is imported when it is needed, as in `pipeline`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_doctor.pipeline import rulebook, rules_in_use

if TYPE_CHECKING:
    from rnn_doctor.capture.launch import Change
    from rnn_doctor.schema.report import Report
    from rnn_doctor.schema.runlog import RunLog
    from rnn_doctor.settings import Settings
    from rnn_doctor.trials.arms import Arm
    from rnn_doctor.trials.effects import Run as TrialRun

    __all__ = ["Arm", "TrialRun"]
    """What the command line names of a stage, for type checkers alone."""


def refuse_untriable(settings: Settings) -> None:
    """Nothing, where trials can apply the settings' remedies: asked before the script runs.

    Raises: SettingsError: a remedy does not exist, or no trial can apply it.
    """
    from rnn_doctor.errors import SettingsError, did_you_mean
    from rnn_doctor.trials.arms import WAYS

    known = rulebook(settings.rules).remedies
    for remedy in settings.remedy:
        if remedy not in WAYS:
            plan = known[remedy].trial if remedy in known else None
            why = f": {plan.how}" if plan else did_you_mean(remedy, WAYS)
            raise SettingsError(
                f"{settings.origin('remedy')}: no trial can apply {remedy!r}{why}",
                f"trials apply {', '.join(sorted(WAYS))}",
            )


def arms(log: RunLog, report: Report, settings: Settings) -> list[Arm]:
    """What can be tried on the script of an observed run: of what its report recommends, or the settings' remedies.

    Raises: ScriptError: a fault that is certain, and that no trial can mend, has to go first.
    """
    from rnn_doctor.errors import ScriptError
    from rnn_doctor.trials import arms as ways

    known = rulebook(settings.rules).remedies
    first = None if settings.remedy else ways.standing_in_the_way(report, known)
    if first is not None:
        raise ScriptError(
            f"nothing was tried: a fault that is certain keeps {report.subject.script} from learning",
            f"{first[0].lower()}{first[1:]}, then try again; --remedy ID tries one all the same",
        )
    return ways.arms(report, ways.clues(log, report, settings.lag), only=settings.remedy)


def change(arm: Arm | None, repeat: int) -> Change:
    """What an arm changes of a run in one repeat; nothing but the seeds without an arm."""
    from rnn_doctor.capture.launch import Change

    return Change(repeat=repeat) if arm is None else Change(arm.intervention, arm.values, repeat)


def trial_run(path: Path, settings: Settings) -> TrialRun:
    """What came of one run of a trial. Raises: RunLogError: its log cannot be read."""
    from rnn_doctor.derive.signals import signals
    from rnn_doctor.diagnose.engine import diagnose
    from rnn_doctor.schema import reading
    from rnn_doctor.trials.effects import Run as TrialRun

    log = reading.read(path)
    book, enabled, _ = rules_in_use(settings)
    found = diagnose(signals(log, lag=settings.lag), book, enabled=enabled).findings
    leading = frozenset(finding.rule for finding in found if not finding.explained_by)
    return TrialRun(log, frozenset(finding.rule for finding in found), leading)


def tried(
    report: Report,
    log: RunLog,
    own: Sequence[TrialRun],
    runs: Mapping[Arm, Sequence[TrialRun]],
    settings: Settings,
) -> Report:
    """The report with the remedies in the order of their measured effects.

    log: of the observed run. own, runs: by repeat, without a remedy and with each.
    """
    from rnn_doctor.derive.signals import signals
    from rnn_doctor.prescribe.measured import measured
    from rnn_doctor.trials.effects import best, effects, order

    addresses = {each.id: each.addresses for each in report.remedies}
    chosen = sorted(best(effects(own, runs, addresses)).items(), key=lambda of_remedy: order(of_remedy[1]))
    names = signals(log, lag=settings.lag).names
    remedies = measured(report.remedies, dict(chosen), rulebook(settings.rules), names)
    return report.model_copy(update={"remedies": remedies})


def with_untried(report: Report, why: Mapping[str, str]) -> Report:
    """The report with the remedies that could not be tried, each with the reason."""
    from rnn_doctor.schema.report import NotAssessed

    absent = [NotAssessed(what=f"trial of {remedy}", reason=reason) for remedy, reason in why.items()]
    return report.model_copy(update={"not_assessed": (*report.not_assessed, *absent)})
