"""Examinations from Python: what the pytest plugin stands on, and whoever wants a report as an object.

    from rnn_doctor import api

    report = api.check("train.py", ["--epochs", "1"], steps=50)
    assert report.conditions.exploding_gradients.verdict == "absent"

Keyword arguments are the settings of `[tool.rnn-doctor]`, by the names of their fields; they go before the file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnn_doctor import expectations, observed, pipeline, targets
from rnn_doctor.errors import ScriptError, SettingsError, did_you_mean
from rnn_doctor.schema import reading
from rnn_doctor.schema.expectation import Expectation
from rnn_doctor.settings import FIELDS, Settings, resolve

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report


class Unhealthy(AssertionError):
    """A training is not as it is expected to be; the message is a report on it."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def check(
    script: str | os.PathLike[str] | None = None,
    args: Sequence[str] = (),
    *,
    module: str | None = None,
    log: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Report:
    """The report on a training, which runs as it would by itself, in the present directory and its own process.

    What the script writes goes to stderr. `log` keeps the run log in a file.

    Raises: ScriptError: the script failed, or trained too little to judge. DoctorError: a setting, a rule or a
    path is wrong. KeyboardInterrupt: it was interrupted.
    """
    given = _settings(settings, module or (None if script is None else os.fspath(script)))
    words = (*(() if script is None else (os.fspath(script),)), *args)
    target = targets.target(module, words, given.python, origin=given.origin("python"))
    pipeline.rules_in_use(given)
    if log is not None:
        return _examined(target, Path(log), given)
    with tempfile.TemporaryDirectory(prefix="rnn-doctor-") as folder:
        return _examined(target, Path(folder) / "run.jsonl", given)


def diagnose(log: str | os.PathLike[str], **settings: Any) -> Report:
    """The report on a recorded run; torch is not needed.

    Raises: RunLogError: the file is no run log. ScriptError: it holds too little to judge. SettingsError,
    RulebookError: a setting or a rule is wrong.
    """
    return _judged(Path(log), _settings(settings))


def assert_healthy(
    script: str | os.PathLike[str] | None = None,
    args: Sequence[str] = (),
    *,
    known: Sequence[str] = (),
    **options: Any,
) -> Report:
    """The report of `check`, whose other arguments it takes, on a training that has nothing severe enough to fail.

    Findings of the rules `known`, ids or names, fail nothing.

    Raises: Unhealthy: there is a finding at or above `fail_on` that is not known; and what `check` raises.
    """
    settings = {key: value for key, value in options.items() if key not in ("module", "log")}
    given = _settings(settings, options.get("module") or (None if script is None else os.fspath(script)))
    book, enabled, _ = pipeline.rules_in_use(given)
    expectation = expectations.resolved(Expectation(known=tuple(known)), book, enabled, "known")
    report = check(script, args, **options)
    left = expectations.unlisted(report, expectation)
    if expectations.failing(left, given):
        raise Unhealthy(report_head(report.model_copy(update={"findings": left})), report)
    return report


def report_head(report: Report, *, width: int = 80, color: bool = False) -> str:
    """Verdicts, findings and remedies, as on a terminal; what was not assessed is left out."""
    from rnn_doctor.render import terminal

    return terminal.head(report, width=width, color=color)


def _settings(given: dict[str, Any], script: str | None = None) -> Settings:
    unknown = next((key for key in given if key not in FIELDS), None)
    if unknown is not None:
        options = list(FIELDS)
        raise SettingsError(
            f"no setting {unknown!r}{did_you_mean(unknown, options)}", f"there are {', '.join(options)}"
        )
    return resolve(given, Path.cwd(), script)


def _examined(target: pipeline.Target, log: Path, settings: Settings) -> Report:
    try:
        outcome = pipeline.record(target, log, settings, terminal=False, on_progress=lambda _: None)
    except OSError as error:
        raise targets.not_started(target, error) from None
    if outcome.reason == "interrupted":
        raise KeyboardInterrupt
    if outcome.log is None:
        raise targets.nothing_seen(target, outcome)
    return _judged(outcome.log, settings)


def _judged(path: Path, settings: Settings) -> Report:
    log = reading.read(path)
    report = pipeline.examine(log, settings)
    if observed.too_little(log, report):
        count = len(log.steps)
        why = observed.failure(log) or "it ended"
        raise ScriptError(
            f"{log.header.script}: too little to judge was seen, {count} update{'' if count == 1 else 's'}: "
            f"{why}{observed.crash_place(log)}",
            "make it run on its own first",
        )
    return report
