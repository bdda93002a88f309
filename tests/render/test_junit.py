"""JUnit XML, against the schema of Jenkins."""

from typing import Any

import pytest

from rnn_doctor.render.junit import render, together
from rnn_doctor.schema.report import Exit, NotAssessed
from tests.render import readers, reports


def cases(root: Any) -> dict[str, str]:
    """What became of each test case."""
    return {
        case.attrib["name"]: next(
            (kind for kind in ("failure", "skipped") if case.find(kind) is not None), "ok"
        )
        for case in root.iter("testcase")
    }


@pytest.mark.parametrize("name", ["ill", "full", "healthy", "hostile"])
def test_it_keeps_its_schema(name: str) -> None:
    readers.junit(render(getattr(reports, name)()))


def test_a_case_a_condition_and_a_rule() -> None:
    assert cases(readers.junit(render(reports.full()))) == {
        "vanishing gradients": "skipped",
        "exploding gradients": "ok",
        "overfitting": "skipped",
        "slow convergence": "failure",
        "RD103 gradient-spikes": "ok",
        "RD308 parameters-never-change": "ok",
        "RD401 of-another-kind": "ok",
        "RD403 unscaled-inputs": "failure",
        "RD410 dropout-without-effect": "ok",
        "RD501 of-another-kind": "skipped",
        "RD101 vanishing-gradient-through-time": "skipped",
    }


def test_what_fails_is_what_failed_the_gate() -> None:
    report = reports.full()
    for failing in ((), ("0" * 15 + "1",), tuple(f.fingerprint for f in report.findings)):
        ended = report.model_copy(update={"exit": Exit(code=1, failing=failing)})
        read = cases(readers.junit(render(ended)))
        rules = {f"{f.rule} {f.name}" for f in report.findings if f.fingerprint in failing}
        assert {name for name, kind in read.items() if kind == "failure" and name.startswith("RD")} == rules


def test_of_a_report_that_does_not_say_what_failed_errors_do() -> None:
    read = cases(readers.junit(render(reports.ill())))
    failed = {name for name, kind in read.items() if kind == "failure"}
    assert failed == {
        "exploding gradients",
        "slow convergence",
        "RD403 unscaled-inputs",
        "RD103 gradient-spikes",
    }
    assert read["RD410 dropout-without-effect"] == "ok"


def test_lines_and_messages_are_those_of_the_report() -> None:
    root = readers.junit(render(reports.full()))
    told = "\n".join(root.itertext())
    for finding in (*reports.full().findings, reports.full().suppressed[0].finding):
        assert finding.message in told
        if finding.location:
            assert f"{finding.location.file}:{finding.location.line}" in told
            assert f": {finding.severity}: {finding.rule} {finding.name}" in told


def test_what_was_not_assessed_tells_the_reason() -> None:
    entry = NotAssessed(what="sensor losses", reason="it failed at step 3: x")
    report = reports.full().model_copy(update={"not_assessed": (*reports.full().not_assessed, entry)})
    skipped = {
        case.attrib["name"]: case.find("skipped") for case in readers.junit(render(report)).iter("testcase")
    }
    assert skipped["RD501 of-another-kind"].attrib["message"] == "not assessed: no evaluation was seen"
    assert skipped["sensor losses"].attrib["message"] == "not assessed: it failed at step 3: x"


def test_several_reports_are_a_suite_each() -> None:
    root = readers.junit(together([reports.full(), reports.healthy()]))
    assert [suite.attrib["name"] for suite in root] == ["rnn-doctor train.py --epochs 3"] * 2
    assert root.attrib["failures"] == "2"
