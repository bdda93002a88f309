"""The order of the remedies, and which are left out."""

from typing import Any

from rnn_doctor.prescribe.rank import remedies
from rnn_doctor.schema.remedy import Remedy, Study
from rnn_doctor.schema.report import Confidence, Finding, Prescription
from rnn_doctor.schema.rule import Rule
from tests.diagnose.books import book, remedy, rule


def finding(rule_id: str, **fields: Any) -> Finding:
    return Finding.model_validate(
        {
            "rule": rule_id,
            "name": "n",
            "severity": "error",
            "confidence": Confidence(word="high", because="b"),
            "subject": "run",
            "message": "m",
            **fields,
        }
    )


def treated(rule_id: str, **effects: float) -> Rule:
    uses = [{"use": use, "effect": effect, "because": f"{use} helps."} for use, effect in effects.items()]
    return rule(rule_id, remedy=uses)


def ranked(findings: list[Finding], rules: list[Rule], *known: Remedy) -> list[str]:
    return [p.id for p in prescribed(findings, rules, *known)]


def prescribed(findings: list[Finding], rules: list[Rule], *known: Remedy) -> tuple[Prescription, ...]:
    ids = {r.id for r in known}
    others = {t.use for r in rules for t in r.remedy} - ids
    return remedies(findings, book(*rules, remedies=(*known, *(remedy(i) for i in others))))


def test_without_findings_there_is_nothing_to_do() -> None:
    assert remedies([], book(treated("RD101", a=1.0), remedies=(remedy("a"),))) == ()


def test_repairs_come_before_stronger_treatments() -> None:
    order = ranked(
        [finding("RD101"), finding("RD102")],
        [treated("RD101", strong=1.0), treated("RD102", repair=1.0, other=1.0)],
        remedy("repair", kind="repair"),
    )
    assert order == ["repair", "other", "strong"]


def test_a_repair_of_a_fault_that_was_not_found_is_not_certain() -> None:
    rules = [treated("RD101", strong=1.0, repair=0.9), treated("RD102", repair=1.0)]
    known = remedy("repair", kind="repair")
    guess = prescribed([finding("RD101")], rules, known)
    assert [(p.id, p.basis) for p in guess] == [("strong", "literature"), ("repair", "literature")]
    sure = prescribed([finding("RD101"), finding("RD102")], rules, known)
    assert [(p.id, p.basis) for p in sure] == [("repair", "certain"), ("strong", "literature")]


def test_what_the_run_does_already_is_not_recommended() -> None:
    rules = [treated("RD101", a=0.9, b=0.8), treated("RD102", a=0.4)]
    done = finding("RD101", ruled_out=("a",))
    assert ranked([done], rules) == ["b"]
    assert ranked([done, finding("RD102")], rules) == ["b", "a"], "the other rule may still ask for it"


def test_effects_add_up_over_the_rules_found() -> None:
    rules = [treated("RD101", a=0.5, b=0.6), treated("RD102", a=0.4)]
    assert ranked([finding("RD101"), finding("RD102")], rules) == ["a", "b"]
    assert ranked([finding("RD101")], rules) == ["b", "a"]


def test_one_fault_on_many_layers_counts_once() -> None:
    rules = [treated("RD101", a=0.3), treated("RD102", b=0.5)]
    layers = [finding("RD101", subject=name) for name in "xyz"]
    assert ranked([*layers, finding("RD102")], rules) == ["b", "a"]


def test_severity_weighs() -> None:
    rules = [treated("RD101", a=0.6), treated("RD102", b=0.5)]
    assert ranked([finding("RD101", severity="warning"), finding("RD102")], rules) == ["b", "a"]


def test_a_consequence_is_treated_after_its_cause() -> None:
    cause = finding("RD101", severity="warning", explains=("RD102",))
    effect = finding("RD102", explained_by=("RD101",))
    rules = [treated("RD101", weak=0.1), treated("RD102", strong=1.0, repair=1.0)]
    order = ranked([cause, effect], rules, remedy("repair", kind="repair"))
    assert order == ["weak", "repair", "strong"]


def test_a_note_that_explains_an_error_is_no_mere_note() -> None:
    cause = finding("RD101", severity="note", explains=("RD102",))
    effect = finding("RD102", explained_by=("RD101",))
    assert ranked([cause, effect], [treated("RD101", a=0.1), treated("RD102", b=1.0)]) == ["a", "b"]


def test_what_concerns_only_notes_comes_last() -> None:
    rules = [treated("RD101", tidy=1.0), treated("RD102", weak=0.1)]
    found = [finding("RD101", severity="note"), finding("RD102")]
    assert ranked(found, rules, remedy("tidy", kind="repair")) == ["weak", "tidy"]


def test_a_remedy_for_cause_and_consequence_beats_one_for_the_cause() -> None:
    cause, effect = finding("RD101", explains=("RD102",)), finding("RD102", explained_by=("RD101",))
    assert ranked([cause, effect], [treated("RD101", a=0.5, b=0.5), treated("RD102", b=0.5)]) == ["b", "a"]


def test_among_equals_the_lesser_effort_then_the_name() -> None:
    rules = [treated("RD101", d=0.5, c=0.5, b=0.5, a=0.5)]
    known = (remedy("d", effort="setting"), remedy("a", effort="architecture"))
    assert ranked([finding("RD101")], rules, *known) == ["d", "b", "c", "a"]


def test_excluded_remedies_are_left_out_whichever_says_so() -> None:
    rules = [treated("RD101", a=0.9, b=0.8, c=0.7)]
    assert ranked([finding("RD101")], rules, remedy("a", excludes=["b"])) == ["a", "c"]
    assert ranked([finding("RD101")], rules, remedy("b", excludes=["a"])) == ["a", "c"]


def test_a_remedy_that_is_left_out_excludes_nothing() -> None:
    rules = [treated("RD101", a=0.9, b=0.8, c=0.7)]
    known = (remedy("a", excludes=["b"]), remedy("b", excludes=["c"]))
    assert ranked([finding("RD101")], rules, *known) == ["a", "c"]


def test_a_prescription_says_all_that_is_needed() -> None:
    rules = [treated("RD101", a=1.0), treated("RD102", a=0.4)]
    shown = {"source": "A paper", "setting": "somewhere", "effect": "half the error"}
    known = remedy(
        "a",
        kind="repair",
        effort="data",
        after="\nx = 1\ny = 2\n",
        cautions=["Not on Mondays."],
        evidence=[shown],
    )
    (first,) = prescribed([finding("RD101"), finding("RD102")], rules, known)
    assert first == Prescription(
        rank=1,
        id="a",
        title="Title of a",
        addresses=("RD101", "RD102"),
        because="a helps",
        basis="certain",
        effort="data",
        how="x = 1\ny = 2",
        cautions=("Not on Mondays.",),
        sources=("A paper",),
        evidence=(Study(**shown),),
    )


def test_reasons_name_their_rules_where_they_differ() -> None:
    rules = [
        treated("RD101", a=0.5),
        rule("RD102", remedy=[{"use": "a", "effect": 0.4, "because": "Other."}]),
    ]
    (first,) = prescribed([finding("RD101"), finding("RD102")], rules)
    assert first.because == "RD101: a helps; RD102: Other"
    assert first.basis == "literature"


def test_no_guess_at_what_lies_behind_a_finding_that_is_explained() -> None:
    rules = [treated("RD101", repair=1.0), treated("RD102", guess=0.5, palliative=0.5)]
    known = (remedy("repair", kind="repair"), remedy("guess", kind="repair"), remedy("palliative"))
    assert ranked([finding("RD102")], rules, *known) == ["guess", "palliative"]
    explained = [finding("RD101"), finding("RD102", explained_by=("RD101",))]
    assert ranked(explained, rules, *known) == ["repair", "palliative"]
