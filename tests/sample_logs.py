"""The run logs of sample_logs/, one of every example, as the tool itself recorded them.

`make sample-logs` records them all again (about two minutes on one core). Their times differ from one recording
to the next, and their numbers a little from one machine to another; what the report says must not.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rnn_doctor import expectations, pipeline
from rnn_doctor.schema import reading
from rnn_doctor.schema.report import Report
from rnn_doctor.settings import Settings

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "sample_logs"


@dataclass(frozen=True)
class Sample:
    """A recorded example: the options of `record`, and what `diagnose` is told besides."""

    name: str
    """Of the log, and of the script too unless that is given."""
    example: str | None = None
    steps: int | None = None
    lag: int | None = None

    @property
    def ill(self) -> bool:
        """Whether its script is the ill twin of another: those are named after it."""
        return "_" in Path(self.script).stem

    @property
    def script(self) -> str:
        """Relative to the root, where the recording is made, so that no path of a machine enters the log."""
        return f"examples/{self.example or self.name}.py"

    @property
    def log(self) -> Path:
        """The recording."""
        return FOLDER / f"{self.name}.jsonl"

    @property
    def recording(self) -> list[str]:
        """Arguments of rnn-doctor that record it."""
        steps = [] if self.steps is None else ["--steps", str(self.steps)]
        return ["record", *steps, "-o", f"sample_logs/{self.log.name}", self.script]

    @property
    def diagnosing(self) -> list[str]:
        """Arguments of rnn-doctor that judge it."""
        lag = [] if self.lag is None else ["--lag", str(self.lag)]
        return ["diagnose", *lag, f"sample_logs/{self.log.name}"]


SAMPLES = (
    Sample("charlm"),
    Sample("charlm_validated", example="charlm", steps=300),
    Sample("classifier"),
    Sample("seq2seq"),
    Sample("brackets", lag=50),
    Sample("charlm_exploding"),
    Sample("charlm_overfitting", steps=300),
    Sample("charlm_tiny_step"),
    Sample("classifier_frozen_encoder"),
    Sample("seq2seq_double_softmax"),
    Sample("brackets_vanishing", lag=50),
)


def record(sample: Sample) -> None:
    """Record an example anew, on one thread so that its numbers do not depend on the number of cores."""
    subprocess.run(
        [sys.executable, "-m", "rnn_doctor", *sample.recording],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def report(sample: Sample) -> Report:
    """What `diagnose` makes of the recording."""
    return pipeline.examine(reading.read(sample.log), Settings(lag=sample.lag))


def readme() -> str:
    """sample_logs/README.md: every log, how it was made, and what is found in it."""
    lines = [
        "# Sample run logs",
        "",
        "Recorded by rnn-doctor itself from the scripts of [examples](../examples/README.md). To diagnose them takes",
        "no torch and no training: the cases of the rules and the tests of the reports read them. `make sample-logs`",
        "records all of them anew and writes this page. All commands are meant for the root of the repository.",
        "",
        "| log | script | recorded by | diagnosed by | what it says |",
        "|---|---|---|---|---|",
    ]
    for sample in SAMPLES:
        name, script = sample.log.name, Path(sample.script).name
        lines.append(
            f"| [{name}]({name}) | [{script}](../{sample.script}) | {_line(sample.recording)} "
            f"| {_line(sample.diagnosing)} | {verdict(report(sample))} |"
        )
    return "\n".join([*lines, ""])


def verdict(said: Report) -> str:
    """The exit code and the findings of a report, in its order, with their source lines."""
    code = int(any(expectations.severe(f.severity, "error") for f in said.findings))
    findings = [
        f"{f.severity} [{f.rule} {f.name}](../docs/rules/{f.rule}.md)"
        + (f" at {Path(f.location.file).name}:{f.location.line}" if f.location else "")
        for f in said.findings
    ]
    return f"exit {code}: {'; '.join(dict.fromkeys(findings)) or 'nothing found'}"


def _line(arguments: list[str]) -> str:
    return f"`rnn-doctor {' '.join(arguments)}`"


def main() -> None:
    """Record all, remove logs of examples that are no more, and write the page."""
    FOLDER.mkdir(exist_ok=True)
    for sample in SAMPLES:
        record(sample)
    for path in set(FOLDER.glob("*.jsonl")) - {sample.log for sample in SAMPLES}:
        path.unlink()
    (FOLDER / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
