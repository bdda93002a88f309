"""No finding is graded above what explains it, and the verdicts on the conditions name the cause."""

from typing import Any

import pytest

from rnn_doctor.diagnose.engine import diagnose
from rnn_doctor.schema.report import Diagnosis
from tests.diagnose.books import book, clause, merged, rule, run, signals


def graded(diagnosis: Diagnosis) -> dict[str, str]:
    return {finding.rule: finding.severity for finding in diagnosis.findings}


def pair(cause: dict[str, Any], effect: dict[str, Any]) -> Diagnosis:
    rules = book(rule("RD102", explains=["RD101"], **cause), rule("RD101", **effect))
    return diagnose(run(size=2.0), rules)


@pytest.mark.parametrize(
    ("cause", "effect", "expected"),
    [
        (("warning", "high"), ("error", "high"), ("error", "error")),
        (("note", "moderate"), ("warning", "certain"), ("warning", "warning")),
        (("warning", "certain"), ("error", "high"), ("warning", "warning")),
        (("error", "hint"), ("warning", "certain"), ("error", "warning")),
        (("warning", "high"), ("warning", "hint"), ("warning", "warning")),
    ],
    ids=["equally sure", "the consequence surer", "the cause surer", "a grave cause", "of one grade"],
)
def test_the_surer_of_the_two_decides(
    cause: tuple[str, str], effect: tuple[str, str], expected: tuple[str, str]
) -> None:
    made = [{"severity": severity, "confidence": confidence} for severity, confidence in (cause, effect)]
    diagnosis = pair(*made)
    assert [finding.rule for finding in diagnosis.findings] == ["RD102", "RD101"]
    assert (graded(diagnosis)["RD102"], graded(diagnosis)["RD101"]) == expected


def test_a_hint_explains_nothing_graver_than_itself() -> None:
    diagnosis = pair({"severity": "note", "confidence": "hint"}, {"severity": "error"})
    assert [(f.rule, f.severity, f.explains, f.explained_by) for f in diagnosis.findings] == [
        ("RD101", "error", (), ()),
        ("RD102", "note", (), ()),
    ]


def chain(*grades: tuple[str, str]) -> list[str]:
    """Severities of RD101 and on, of which each explains the next."""
    rules = [
        rule(
            f"RD10{n}",
            severity=severity,
            confidence=confidence,
            explains=[f"RD10{n + 1}"] if n < len(grades) else [],
        )
        for n, (severity, confidence) in enumerate(grades, 1)
    ]
    return [f.severity for f in diagnose(run(size=2.0), book(*rules)).findings]


def test_a_grade_travels_along_the_chain() -> None:
    assert chain(("note", "high"), ("warning", "moderate"), ("error", "certain")) == ["error"] * 3
    assert chain(("warning", "certain"), ("warning", "high"), ("error", "high")) == ["warning"] * 3
    assert chain(("warning", "high"), ("note", "moderate"), ("error", "moderate")) == ["warning"] * 3


def test_one_grave_cause_is_enough() -> None:
    rules = book(
        rule("RD101", severity="error"),
        rule("RD102", severity="error", explains=["RD101"]),
        rule("RD103", severity="note", explains=["RD101"]),
    )
    assert graded(diagnose(run(size=2.0), rules)) == {"RD101": "error", "RD102": "error", "RD103": "note"}


def test_a_layer_lifts_its_own_cause_and_no_other_layers() -> None:
    rules = book(
        rule("RD101", severity="error", when=[clause("loud", **{"is": True})]),
        rule("RD102", severity="warning", explains=["RD101"]),
    )
    measured = signals("module", size={"a": 2.0, "b": 2.0}, loud={"a": True, "b": False})
    found = diagnose(measured, rules).findings
    assert {(f.rule, f.subject): f.severity for f in found} == {
        ("RD102", "a"): "error",
        ("RD102", "b"): "warning",
        ("RD101", "a"): "error",
    }


def test_what_the_run_shows_lifts_the_layers_that_explain_it() -> None:
    rules = book(
        rule("RD101", severity="error", when=[clause("whole")]),
        rule("RD102", severity="warning", explains=["RD101"]),
    )
    found = diagnose(merged(signals("module", size={"a": 2.0}), run(whole=2.0)), rules).findings
    assert [(f.rule, f.severity) for f in found] == [("RD102", "error"), ("RD101", "error")]


def test_a_verdict_names_the_cause_that_another_condition_counts() -> None:
    rules = book(
        rule("RD101", explains=["RD102"], condition="slow_convergence"),
        rule("RD102", explains=["RD103"], condition="vanishing_gradients"),
        rule("RD103", condition="overfitting"),
    )
    conditions = diagnose(run(size=2.0), rules).conditions
    assert conditions.slow_convergence.reason == "Summary of RD101"
    assert conditions.vanishing_gradients.reason == (
        "Summary of RD101 (RD101); in consequence: Summary of RD102"
    )
    assert conditions.overfitting.reason == "Summary of RD101 (RD101); in consequence: Summary of RD103"
    assert conditions.overfitting.findings == ("RD103",)


def test_a_verdict_leads_with_the_cause_of_its_own_condition() -> None:
    rules = book(
        rule("RD101", condition="slow_convergence"),
        rule("RD102", severity="warning", explains=["RD101"], condition="slow_convergence"),
    )
    conditions = diagnose(run(size=2.0), rules).conditions
    assert conditions.slow_convergence.reason == "Summary of RD102"
    assert conditions.slow_convergence.verdict == "present"
    assert conditions.slow_convergence.findings == ("RD102", "RD101")
