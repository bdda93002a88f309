"""The engine: three-valued verdicts, causes, suppression, conditions."""

from typing import Any, ClassVar

import pytest

from rnn_doctor.diagnose.engine import diagnose
from rnn_doctor.schema.report import Diagnosis
from rnn_doctor.schema.signals import Measurement, Signals
from rnn_doctor.schema.values import Location
from tests.diagnose.books import book, clause, merged, remedy, rule, run, signals

TWO = [clause("size"), clause("loud", **{"is": True})]


def ids(diagnosis: Diagnosis) -> list[str]:
    return [finding.rule for finding in diagnosis.findings]


@pytest.mark.parametrize(
    ("values", "found", "not_assessed"),
    [
        ({"size": 2.0, "loud": True}, ["RD101"], []),
        ({"size": 2.0, "loud": False}, [], []),
        ({"size": 0.0, "loud": True}, [], []),
        ({"size": None, "loud": True}, [], ["no size"]),
        ({"size": None, "loud": False}, [], []),
        ({"size": None, "loud": None}, [], ["no size; no loud"]),
        ({"size": 2.0}, [], ["loud was not measured"]),
    ],
)
def test_three_values(values: dict[str, Any], found: list[str], not_assessed: list[str]) -> None:
    diagnosis = diagnose(run(**values), book(rule(when=TWO)))
    assert ids(diagnosis) == found
    assert [entry.reason for entry in diagnosis.not_assessed] == not_assessed


def test_each_subject_has_its_own_verdict() -> None:
    measured = merged(
        signals("module", size={"encoder": 2.0, "decoder": 0.5, "critic": None}), run(loud=True)
    )
    diagnosis = diagnose(measured, book(rule(when=TWO)))
    assert [finding.subject for finding in diagnosis.findings] == ["encoder"]
    assert [entry.reason for entry in diagnosis.not_assessed] == ["critic: no size"]


def test_a_subject_that_one_signal_did_not_see_is_unknown() -> None:
    measured = signals("module", size={"encoder": 2.0, "decoder": 2.0}, loud={"encoder": True})
    diagnosis = diagnose(measured, book(rule(when=TWO)))
    assert [finding.subject for finding in diagnosis.findings] == ["encoder"]
    assert [entry.reason for entry in diagnosis.not_assessed] == ["decoder: loud was not measured"]


@pytest.mark.parametrize(
    "measured",
    [signals("module", size={}), merged(signals("loss", size={}), run(loud=None)), signals(size={})],
)
def test_nothing_to_measure_is_clear(measured: Signals) -> None:
    diagnosis = diagnose(measured, book(rule(when=TWO, condition="overfitting", decisive=True)))
    assert diagnosis.findings == ()
    assert diagnosis.not_assessed == ()
    assert diagnosis.conditions.overfitting.verdict == "absent"


def test_disabled_and_preview_rules_are_silent() -> None:
    rules = book(rule("RD101"), rule("RD102"), rule("RD103", status="preview"))
    assert ids(diagnose(run(size=2.0), rules)) == ["RD101", "RD102"]
    assert ids(diagnose(run(size=2.0), rules, enabled={"RD102", "RD103"})) == ["RD102", "RD103"]


def test_the_first_grade_that_holds_decides() -> None:
    graded = rule(
        severity="warning",
        grade=[
            {"severity": "error", "confidence": "certain", "when": [clause("size", above=100)]},
            {"severity": "note", "when": [clause("loud", **{"is": False})]},
            {"severity": "error", "when": [clause("size", above=1)]},
        ],
    )

    def severity(**values: Any) -> tuple[str, str, str | None]:
        (finding,) = diagnose(run(**values), book(graded)).findings
        return finding.severity, finding.confidence.word, finding.evidence[0].threshold

    assert severity(size=200.0, loud=False) == ("error", "certain", "> 100")
    assert severity(size=20.0, loud=False) == ("note", "high", "is false")
    assert severity(size=20.0, loud=None) == ("error", "high", "> 1")


def test_a_grade_gives_its_own_reason_for_its_confidence() -> None:
    sure = {"severity": "error", "confidence": "certain", "when": [clause("size", above=100, because="Huge")]}
    plain = {"severity": "error", "when": [clause("size", above=10)]}
    for value, because in ((200.0, "Huge"), (20.0, "10 of 10 injected faults")):
        (finding,) = diagnose(run(size=value), book(rule(grade=[sure, plain]))).findings
        assert finding.confidence.because == because


def test_a_grade_may_speak_for_another_condition() -> None:
    small = {"severity": "warning", "condition": "vanishing_gradients", "when": [clause("size", below=10)]}
    graded = rule(severity="warning", condition="exploding_gradients", grade=[small])
    for value, spoken, silent in (
        (5.0, "vanishing_gradients", "exploding_gradients"),
        (20.0, "exploding_gradients", "vanishing_gradients"),
    ):
        diagnosis = diagnose(run(size=value), book(graded))
        assert [finding.condition for finding in diagnosis.findings] == [spoken]
        assert getattr(diagnosis.conditions, spoken).verdict == "suspected"
        assert getattr(diagnosis.conditions, silent).verdict == "not_assessed"


def test_what_counts_elsewhere_leaves_the_condition_open() -> None:
    elsewhere = {"severity": "warning", "condition": "slow_convergence", "when": [clause("size", below=10)]}
    weak = {"severity": "note", "when": [clause("size", below=15)]}
    graded = rule(condition="exploding_gradients", decisive=True, grade=[elsewhere, weak])
    for value, reason in ((5.0, "counts as slow convergence"), (12.0, "only a note")):
        verdict = diagnose(run(size=value), book(graded)).conditions.exploding_gradients
        assert verdict.verdict == "not_assessed"
        assert reason in verdict.reason


def test_a_grade_that_is_unknown_changes_nothing() -> None:
    graded = rule(severity="warning", grade=[{"severity": "error", "when": [clause("loud", **{"is": True})]}])
    (finding,) = diagnose(run(size=2.0, loud=None), book(graded)).findings
    assert finding.severity == "warning"


def test_message_quotes_signals_and_survives_their_absence() -> None:
    spoken = rule(
        message="{subject}: {size:.1f}, {share:.2f}, {name:.3g}, {loud}", mentions=["share", "name", "loud"]
    )
    measured = run(size=2.0, share=None, name="SGD", loud=True)
    (finding,) = diagnose(measured, book(spoken)).findings
    assert finding.message == "run: 2.0, unknown, SGD, True"
    assert [(e.signal, e.threshold) for e in finding.evidence] == [
        ("size", "> 1"),
        ("name", None),
        ("loud", None),
    ]


class TestLocation:
    own = Location(file="model.py", line=3)
    step = Location(file="train.py", line=9)
    loss = Location(file="train.py", line=7)

    def located(self, role: str | None, own: Location | None, by: str = "loss") -> Location | None:
        measured = signals(by, size={"it": Measurement(value=2.0, location=own)})
        measured = measured.model_copy(update={"places": {"step": self.step, "loss": self.loss}})
        (finding,) = diagnose(measured, book(rule(location=role))).findings
        return finding.location

    def test_the_line_that_the_rule_names(self) -> None:
        assert self.located("step", self.own) == self.step

    def test_the_own_line_where_the_named_one_is_unknown(self) -> None:
        assert self.located("clip", self.own) == self.own

    def test_the_own_line_where_it_is_of_the_named_kind(self) -> None:
        assert self.located("loss", self.own, by="loss") == self.own
        assert self.located("loss", None, by="loss") == self.loss

    def test_the_own_line_by_default(self) -> None:
        assert self.located(None, self.own) == self.own
        assert self.located("subject", self.own) == self.own
        assert self.located(None, None) is None


def test_a_line_that_is_at_fault_is_one_finding_that_names_all_its_subjects() -> None:
    """Each of them is found all the same for what the rule has to do with."""
    here, there = (Measurement(value=2.0, location=Location(file="m.py", line=n)) for n in (3, 4))
    measured = merged(
        signals("module", size={"a": here, "b": there, "c": here, "d": here, "e": Measurement(value=2.0)}),
        signals("module", loud={"a": True, "c": True}),
    )
    of_line = rule(location="line", message="{subject}: mixed", invalidates=["RD102"])
    other = rule("RD102", when=[clause("loud", **{"is": True})])
    diagnosis = diagnose(measured, book(of_line, other))
    assert [(f.subject, f.message) for f in diagnosis.findings] == [
        ("a", "a, c and d: mixed"),
        ("b", "b: mixed"),
        ("e", "e: mixed"),
    ]
    assert [entry.what for entry in diagnosis.not_assessed] == ["RD102 name-of-rd102"]
    apart = diagnose(measured, book(rule(location="subject", message="{subject}: mixed")))
    assert [f.message[0] for f in apart.findings] == ["a", "b", "c", "d", "e"]


def test_what_was_not_asked_for_says_the_option() -> None:
    unasked = Measurement(absent="not tried", option="--deep")
    diagnosis = diagnose(signals(size={"run": unasked}, loud={"run": None}), book(rule(when=TWO)))
    assert [(e.reason, e.option) for e in diagnosis.not_assessed] == [("not tried; no loud", "--deep")]
    assert [e.option for e in diagnose(run(size=None, loud=True), book(rule(when=TWO))).not_assessed] == [
        None
    ]


def test_causes_come_first_and_consequences_follow_them() -> None:
    rules = book(
        rule("RD101"),
        rule("RD102", severity="note", explains=["RD101", "RD103"]),
        rule("RD103", severity="warning"),
        rule("RD104", severity="warning"),
        rule("RD105", when=[clause("quiet")], explains=["RD104"]),
    )
    diagnosis = diagnose(run(size=2.0, quiet=0.0), rules)
    assert ids(diagnosis) == ["RD102", "RD101", "RD103", "RD104"]
    assert [f.explained_by for f in diagnosis.findings] == [(), ("RD102",), ("RD102",), ()]
    assert diagnosis.findings[0].explains == ("RD101", "RD103")


def test_every_cause_comes_before_what_it_explains() -> None:
    rules = book(
        rule("RD101", explains=["RD103"]),
        rule("RD102", severity="warning", explains=["RD103"]),
        rule("RD103"),
        rule("RD104", severity="warning"),
    )
    assert ids(diagnose(run(size=2.0), rules)) == ["RD101", "RD102", "RD103", "RD104"]


def test_a_grade_from_which_the_consequences_do_not_follow() -> None:
    other = {"severity": "warning", "explains": False, "when": [clause("loud", **{"is": True})]}
    rules = book(
        rule("RD101", when=[clause("size")], grade=[other], explains=["RD102"]),
        rule("RD102", severity="error"),
    )
    alone = diagnose(run(size=2.0, loud=True), rules)
    assert [(f.rule, f.severity) for f in alone.findings] == [("RD102", "error"), ("RD101", "warning")]
    assert [(f.explains, f.explained_by) for f in alone.findings] == [((), ()), ((), ())]
    assert diagnose(run(size=2.0, loud=False), rules).findings[0].explains == ("RD102",)


def test_a_layer_explains_itself_and_the_run_but_no_other_layer() -> None:
    rules = book(
        rule("RD101", when=[clause("size")], explains=["RD102", "RD103"]),
        rule("RD102", when=[clause("loud", **{"is": True})]),
        rule("RD103", when=[clause("whole")]),
    )
    measured = merged(
        signals("module", size={"a": 2.0, "b": 0.0}, loud={"a": True, "b": True}), run(whole=2.0)
    )
    explained = {(f.rule, f.subject): f.explained_by for f in diagnose(measured, rules).findings}
    assert explained == {
        ("RD101", "a"): (),
        ("RD102", "a"): ("RD101",),
        ("RD102", "b"): (),
        ("RD103", "run"): ("RD101",),
    }


class TestInvalidates:
    rules = book(
        rule("RD101", when=[clause("first")], invalidates=["RD102"]),
        rule("RD102", when=[clause("second")], invalidates=["RD103"]),
        rule("RD103", when=[clause("third")], condition="overfitting", decisive=True),
    )

    def test_what_is_meaningless_is_neither_found_nor_clear(self) -> None:
        for second in (0.0, 2.0):
            diagnosis = diagnose(run(first=2.0, second=second, third=0.0), self.rules)
            assert ids(diagnosis) == ["RD101"]
            (entry,) = diagnosis.not_assessed
            assert entry.what == "RD102 name-of-rd102"
            assert entry.reason == "RD101 name-of-rd101 was found, and makes its measurement meaningless"

    def test_what_is_meaningless_invalidates_nothing(self) -> None:
        assert ids(diagnose(run(first=2.0, second=2.0, third=2.0), self.rules)) == ["RD101", "RD103"]

    def test_a_note_invalidates_nothing(self) -> None:
        hint = rule("RD101", severity="note", when=[clause("first")], invalidates=["RD102"])
        graded = rule(
            "RD101",
            when=[clause("first")],
            invalidates=["RD102"],
            grade=[{"severity": "note", "when": [clause("first", below=9)]}],
        )
        for weak in (hint, graded):
            rules = book(weak, rule("RD102", when=[clause("second")]))
            assert set(ids(diagnose(run(first=2.0, second=2.0), rules))) == {"RD101", "RD102"}
        assert ids(diagnose(run(first=10.0, second=2.0), rules)) == ["RD101"]

    def test_a_meaningless_decisive_rule_excludes_nothing(self) -> None:
        diagnosis = diagnose(run(first=0.0, second=2.0, third=0.0), self.rules)
        assert diagnosis.conditions.overfitting.verdict == "not_assessed"
        assert "RD102" in diagnosis.conditions.overfitting.reason

    def test_an_unknown_rule_invalidates_nothing(self) -> None:
        assert ids(diagnose(run(first=None, second=2.0, third=0.0), self.rules)) == ["RD102"]


def test_a_remedy_that_the_run_has_is_ruled_out() -> None:
    uses = [
        {"use": "a", "effect": 1.0, "because": "b", "unless": [clause("share", above=0.5), clause("size")]},
        {"use": "b", "effect": 1.0, "because": "b"},
    ]
    rules = book(rule("RD101", remedy=uses), remedies=(remedy("a"), remedy("b")))

    def ruled_out(share: float | None) -> tuple[str, ...]:
        (found,) = diagnose(run(size=2.0, share=share), rules).findings
        return found.ruled_out

    assert ruled_out(0.9) == ("a",)
    assert ruled_out(0.1) == ()
    assert ruled_out(None) == (), "what is not known is not done"


class TestConditions:
    @staticmethod
    def verdict(*rules: dict[str, Any], enabled: set[str] | None = None, **values: Any) -> tuple[str, str]:
        made = [rule(f"RD10{n}", **{"condition": "overfitting", **r}) for n, r in enumerate(rules)]
        conditions = diagnose(run(**values), book(*made), enabled=enabled).conditions
        assert conditions.vanishing_gradients.verdict == "not_assessed"
        return conditions.overfitting.verdict, conditions.overfitting.reason

    decisive: ClassVar[dict[str, Any]] = {"decisive": True}
    other: ClassVar[dict[str, Any]] = {"decisive": True, "when": [clause("loud", **{"is": True})]}

    def test_present_by_an_error(self) -> None:
        assert self.verdict({}, {"severity": "warning"}, size=2.0) == ("present", "Summary of RD100")

    def test_suspected_by_a_warning(self) -> None:
        assert self.verdict({"severity": "warning"}, size=2.0) == ("suspected", "Summary of RD100")

    def test_absent_when_all_decisive_rules_are_clear(self) -> None:
        verdict = self.verdict(self.decisive, self.other, size=0.0, loud=False)
        assert verdict == ("absent", "no sign of name of rd100 or name of rd101 (RD100, RD101)")

    def test_one_unknown_decisive_rule_leaves_it_open(self) -> None:
        verdict = self.verdict(self.decisive, self.other, size=0.0, loud=None)
        assert verdict == ("not_assessed", "no loud (RD101)")

    def test_a_rule_that_is_not_decisive_excludes_nothing(self) -> None:
        assert self.verdict({}, size=0.0)[0] == "not_assessed"

    def test_a_decisive_rule_that_is_switched_off_leaves_it_open(self) -> None:
        verdict = self.verdict(self.decisive, self.other, enabled={"RD100"}, size=0.0, loud=False)
        assert verdict == ("not_assessed", "switched off (RD101)")

    def test_a_preview_rule_is_asked_only_when_in_use(self) -> None:
        preview = {**self.other, "status": "preview"}
        assert self.verdict(self.decisive, preview, size=0.0)[0] == "absent"
        assert self.verdict(self.decisive, preview, enabled={"RD100", "RD101"}, size=0.0)[0] == "not_assessed"

    def test_a_note_decides_nothing(self) -> None:
        verdict, reason = self.verdict({**self.decisive, "severity": "note"}, size=2.0)
        assert verdict == "not_assessed"
        assert "note" in reason

    def test_an_error_outweighs_what_is_unknown(self) -> None:
        assert self.verdict(self.decisive, self.other, size=2.0, loud=None)[0] == "present"

    def test_confidence(self) -> None:
        rules = book(
            rule("RD101", condition="overfitting", decisive=True, confidence="certain"),
            rule("RD102", condition="overfitting", decisive=True, confidence="moderate"),
        )
        assert diagnose(run(size=2.0), rules).conditions.overfitting.confidence == "certain"
        assert diagnose(run(size=0.0), rules).conditions.overfitting.confidence == "moderate"


def test_without_signals_nothing_is_healthy() -> None:
    rules = book(*(rule(f"RD10{n}", condition=c, decisive=True) for n, c in enumerate(CONDITIONS)))
    diagnosis = diagnose(Signals(signals={}), rules)
    assert diagnosis.findings == ()
    assert len(diagnosis.not_assessed) == len(CONDITIONS)
    assert {getattr(diagnosis.conditions, c).verdict for c in CONDITIONS} == {"not_assessed"}


CONDITIONS = ("vanishing_gradients", "exploding_gradients", "overfitting", "slow_convergence")


@pytest.mark.parametrize(
    ("size", "loud", "state"),
    [(2.0, False, "found"), (0.5, False, "unknown"), (0.5, None, "clear")],
    ids=["what is found stands", "silence says nothing", "unless it is not hidden"],
)
def test_a_rule_that_another_hides(size: float, loud: bool | None, state: str) -> None:
    hider = rule("RD102", hides=["RD101"], when=[clause("loud", **{"is": False})])
    hidden = rule("RD101", condition="overfitting", decisive=True)
    diagnosis = diagnose(run(size=size, loud=loud), book(hidden, hider))
    assert ("RD101" in ids(diagnosis)) == (state == "found")
    reasons = [entry.reason for entry in diagnosis.not_assessed if entry.what.startswith("RD101")]
    told = ["RD102 name-of-rd102 was found, and hides what it looks for"] if state == "unknown" else []
    assert reasons == told
    verdicts = {"found": "present", "unknown": "not_assessed", "clear": "absent"}
    assert diagnosis.conditions.overfitting.verdict == verdicts[state]


def test_a_note_hides_nothing() -> None:
    hider = rule("RD102", hides=["RD101"], severity="note", when=[clause("loud", **{"is": False})])
    diagnosis = diagnose(run(size=0.5, loud=False), book(rule("RD101"), hider))
    assert [entry.what for entry in diagnosis.not_assessed] == []


def test_silence_in_the_words_of_the_rules() -> None:
    silence = {"message": "{size:.1f} of it", "provisional": [clause("loud", **{"is": True})]}
    spoken = rule("RD101", condition="overfitting", decisive=True, silence=silence)
    plain = rule("RD102", condition="overfitting", decisive=True)
    for loud, confidence in ((True, "hint"), (False, "high"), (None, "high")):
        verdict = diagnose(run(size=0.5, loud=loud), book(spoken, plain)).conditions.overfitting
        assert verdict.reason == "no sign of name of rd102 (RD102); 0.5 of it (RD101)"
        assert (verdict.provisional, verdict.confidence) == (loud is True, confidence)


def test_what_spreads_explains_findings_on_other_subjects_too() -> None:
    measured = merged(
        signals("module", size={"encoder": 2.0, "head": 0.5}),
        signals("module", loud={"encoder": True, "embedding": True, "head": True}),
        signals("module", cut={"encoder": False, "embedding": False, "head": True}),
    )
    loud = clause("loud", **{"is": True})
    own = {"severity": "warning", "alone": True, "when": [clause("cut", **{"is": True})]}
    effect = rule("RD308", when=[loud], severity="warning", grade=[own])
    for spreads, explained in (((), ["encoder"]), (("RD308",), ["encoder", "embedding"])):
        cause = rule("RD202", severity="warning", explains=["RD308"], spreads=spreads)
        found = diagnose(measured, book(cause, effect)).findings
        assert {f.subject for f in found if f.rule == "RD308" and f.explained_by} == set(explained)
        assert [f.explains for f in found if f.rule == "RD202"] == [("RD308",)]


def test_a_cause_that_spreads_names_what_it_explains_elsewhere() -> None:
    measured = merged(
        signals("module", size={"encoder": 2.0}),
        signals("module", loud={"embedding": True, "encoder": False}),
    )
    effect = rule("RD308", when=[clause("loud", **{"is": True})])
    cause = rule("RD202", explains=["RD308"], spreads=["RD308"])
    first, second = diagnose(measured, book(cause, effect)).findings
    assert (first.explains, second.explained_by) == (("RD308",), ("RD202",))
