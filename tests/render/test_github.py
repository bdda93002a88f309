"""Workflow annotations, read back by the rules of the runner."""

import pytest

from rnn_doctor.render.github import render, together
from rnn_doctor.schema.values import Location
from tests.render import readers, reports

_SEVERITIES = {"error": "error", "warning": "warning", "notice": "note"}


@pytest.mark.parametrize("name", ["ill", "full", "healthy", "hostile"])
def test_every_finding_is_an_annotation_on_its_line(name: str) -> None:
    report = getattr(reports, name)()
    summary, *annotations = readers.commands(render(report))
    assert summary.name == "notice"
    assert len(annotations) == len(report.findings)
    for finding, command in zip(report.findings, annotations, strict=True):
        known = finding.change in ("known", "better")
        assert _SEVERITIES[command.name] == ("note" if known else finding.severity)
        assert command.properties["title"] == f"{finding.rule} {finding.name}"
        line = command.properties.get("line")
        assert line == (str(finding.location.line) if finding.location else None)


def test_an_annotation_in_full() -> None:
    command = readers.commands(render(reports.full()))[1]
    assert command.properties == {"file": "train.py", "line": "31", "title": "RD403 unscaled-inputs"}
    assert command.data.splitlines() == [
        "The input of encoder has a standard deviation of 104, which saturates 92 % of its gates.",
        "- input_std is 104 (> 10): inputs of healthy training scripts stay below 3; at 10 gates begin to "
        "saturate",
        "- input_drive is 0.92 (> 0.5; 95 % interval 0.88 to 0.95)",
        "- input_absmax is 12346",
        "Confidence high: 15 of 15 injected faults found, 0 of 180 healthy runs; right in 14 of 15 runs of "
        "the fault bench (95 %: 68 to 100 %).",
        "Explains RD103.",
        "Try first: Standardize the inputs.",
    ]


def test_what_has_no_line_is_shown_at_the_script() -> None:
    report = reports.ill()
    command = next(c for c in readers.commands(render(report)) if c.name == "warning")
    assert command.properties == {"file": "train.py", "title": "RD308 parameters-never-change"}


def test_the_summary_tells_the_four_verdicts() -> None:
    summary = readers.commands(render(reports.ill()))[0]
    assert summary.properties["title"] == "rnn-doctor: 2 errors, 5 warnings, 1 note"
    assert summary.data.splitlines() == [
        "train.py --epochs 3",
        "vanishing gradients: not assessed",
        "exploding gradients: present",
        "overfitting: not assessed",
        "slow convergence: present",
    ]
    assert readers.commands(render(reports.healthy()))[0].properties["title"] == "rnn-doctor: no findings"


def test_what_ends_a_part_of_a_command_is_escaped() -> None:
    finding = (
        reports.ill()
        .findings[0]
        .model_copy(
            update={
                "message": "50 %\n::error::x, y: z",
                "location": Location(file="a,b:c%20.py", line=7),
            }
        )
    )
    text = render(reports.ill().model_copy(update={"findings": (finding,)}))
    assert len(text.splitlines()) == 2
    assert "file=a%2Cb%3Ac%2520.py,line=7," in text
    command = readers.commands(text)[1]
    assert command.properties["file"] == "a,b:c%20.py"
    assert command.data.splitlines()[0] == "50 % ::error::x, y: z"


def test_of_several_reports_the_first_of_each_comes_first() -> None:
    """GitHub shows ten of a kind: no script may take them all."""
    ill, healthy = reports.ill(), reports.healthy()
    commands = readers.commands(together([ill, healthy, ill]))
    assert [command.name for command in commands[:3]] == ["notice"] * 3
    assert [command.data for command in commands[3:7]] == [
        command.data for command in readers.commands(render(ill))[1:3] for _ in range(2)
    ]
    assert len(commands) == 3 + 2 * len(ill.findings)
    assert together([ill]) == render(ill)
