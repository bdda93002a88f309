"""From a recorded run to what is counted: findings, verdicts, and what the naive rules say of the same log."""

from pathlib import Path
from typing import Any

from rnn_doctor import pipeline
from rnn_doctor.errors import DoctorError
from rnn_doctor.schema import reading
from rnn_doctor.schema.rule import CONDITIONS
from rnn_doctor.settings import Settings

from .baselines import naive
from .setting import Setting
from .tasks import TASKS


def examine(setting: Setting, log: Path) -> dict[str, Any]:
    """The findings in their order, the four verdicts, and the alarms of the naive rules."""
    run = reading.read(log)
    try:
        report = pipeline.examine(run, Settings(lag=TASKS[setting.task].lag))
    except DoctorError as error:
        verdicts = dict.fromkeys(CONDITIONS, "not_assessed")
        return {"refused": error.message, "findings": [], "verdicts": verdicts, "naive": naive(run)}
    findings = [
        {
            "rule": f.rule, "severity": f.severity, "confidence": f.confidence.word,
            "explained_by": list(f.explained_by), "message": f.message,
        }
        for f in report.findings
    ]  # fmt: skip
    verdicts = {name: getattr(report.conditions, name).verdict for name in CONDITIONS}
    return {"refused": None, "findings": findings, "verdicts": verdicts, "naive": naive(run)}
