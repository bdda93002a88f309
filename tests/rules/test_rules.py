"""Every case of every shipped rule, and what must hold for all of them."""

import re
import tomllib
from pathlib import Path

import pytest

from rnn_doctor import pipeline
from rnn_doctor.derive.registry import kinds
from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.diagnose.verdict import finding, reach
from rnn_doctor.schema.rule import Case, Rule
from rnn_doctor.schema.signals import RUN, Measurement, Signal, Signals
from tests.sample_logs import SAMPLES

KINDS = kinds()
BOOK = load(signals=KINDS)
RULES = list(BOOK.rules.values())
CASES = [
    pytest.param(rule, case, id=f"{rule.id}: {case.name}")
    for rule in RULES
    for case in rule.case
    if case.signals is not None
]
FOLDER = Path(__file__).parents[2] / "rules"
LOGS = FOLDER.parent / "sample_logs"
RECORDED = [
    pytest.param(rule, case, id=f"{rule.id}: {case.name}")
    for rule in RULES
    for case in rule.case
    if case.log is not None
]
SUBJECT = "lstm"


def state(case: Case) -> Signals:
    """The signals of a case, all on one subject; whatever it does not name was looked at in vain."""
    given = case.signals or {}
    found = {}
    for name, by in KINDS.items():
        measurement = (
            Measurement(value=given[name]) if name in given else Measurement(absent="not in the case")
        )
        found[name] = Signal.model_validate({
            "name": name, "unit": "", "by": by, "measurements": {RUN if by == "run" else SUBJECT: measurement},
        })  # fmt: skip
    return Signals(signals=found)


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_case(rule: Rule, case: Case) -> None:
    signals = state(case)
    verdict = reach(rule, signals)
    assert verdict.state == case.expect
    if case.expect == "found":
        result = finding(rule, verdict.subjects[0], signals, {"explains": (), "explained_by": ()})
        assert case.severity in (None, result.severity)
        assert "{" not in result.message


@pytest.mark.parametrize(("rule", "case"), RECORDED)
def test_case_of_a_recorded_run(rule: Rule, case: Case) -> None:
    alone = rule.model_copy(update={"case": (case,)})
    assert [breach for *_, breach in pipeline.cases([alone], [LOGS])] == [None]


def test_a_lag_belongs_to_a_recorded_run() -> None:
    with pytest.raises(ValueError, match="lag belongs to a log"):
        Case(name="numbers", signals={"lag_gain": -4.0}, lag=50, expect="found")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
class TestRule:
    def test_file_is_named_after_the_rule(self, rule: Rule) -> None:
        text = (FOLDER / f"{rule.id}-{rule.name}.toml").read_text()
        assert tomllib.loads(text)["id"] == rule.id

    def test_has_a_case_of_every_kind_and_two_near_the_threshold(self, rule: Rule) -> None:
        assert {case.expect for case in rule.case} == {"found", "clear", "unknown"}
        near = [c for c in rule.case if re.search(r"\(near\b|\bjust\b", c.name)]
        assert {case.expect for case in near} >= {"found", "clear"}

    def test_is_clear_on_a_recorded_run(self, rule: Rule) -> None:
        assert [case for case in rule.case if case.log and case.expect == "clear"]

    def test_every_grade_is_reached_by_a_case(self, rule: Rule) -> None:
        reached = {
            subject.grade
            for case in rule.case
            if case.signals is not None
            for subject in reach(rule, state(case)).subjects
            if subject.state == "found"
        }
        assert set(rule.grade) <= reached

    def test_without_subjects_it_is_clear_and_without_values_unknown(self, rule: Rule) -> None:
        blind = state(Case(name="blind", signals={}, expect="unknown"))
        assert reach(rule, blind).state == "unknown"
        empty = {
            n: s.model_copy(update={"measurements": {}}) for n, s in blind.signals.items() if s.by != "run"
        }
        if any(KINDS[clause.signal] != "run" for clause in rule.when):
            assert reach(rule, Signals(signals={**blind.signals, **empty})).state == "clear"

    def test_remedies_are_ordered_by_effect(self, rule: Rule) -> None:
        effects = [treatment.effect for treatment in rule.remedy]
        assert effects == sorted(effects, reverse=True)
        assert len({t.use for t in rule.remedy}) == len(rule.remedy) > 0

    def test_message_is_a_sentence_about_this_run(self, rule: Rule) -> None:
        assert rule.message.rstrip().endswith(".")
        by = {KINDS[clause.signal] for clause in rule.when} - {"run"}
        assert ("{subject}" in rule.message) == bool(by)
        assert rule.summary.endswith(".")


def test_every_recorded_illness_is_a_case_of_a_rule() -> None:
    found = {case.log for rule in RULES for case in rule.case if case.expect == "found"} - {None}
    judged = {case.log for rule in RULES for case in rule.case} - {None}
    assert judged == {path.name for path in LOGS.glob("*.jsonl")}
    assert {log for log in found if log} == {s.log.name for s in SAMPLES if s.ill}


def test_names_are_unique() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_each_condition_has_decisive_rules() -> None:
    decided = {rule.condition for rule in RULES if rule.decisive}
    assert decided == {"vanishing_gradients", "exploding_gradients", "overfitting", "slow_convergence"}


def test_clipping_is_no_remedy_for_vanishing_gradients() -> None:
    for rule in RULES:
        if rule.condition == "vanishing_gradients":
            assert "clip-gradient-norm" not in {t.use for t in rule.remedy}
            assert "l2-regularization" not in {t.use for t in rule.remedy}


def test_benchmarks_that_rules_cite_exist() -> None:
    text = "".join(path.read_text() for path in FOLDER.glob("*.toml"))
    cited = set(re.findall(r"benchmarks/\w+/\w+\.py", text))
    assert cited
    for name in cited:
        assert (FOLDER.parent / name).is_file()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_that_was_often_wrong_on_the_bench_is_not_sure(rule: Rule) -> None:
    record = BOOK.records.get(rule.id)
    words = {rule.confidence, *(grade.confidence for grade in rule.grade)}
    assert record is None or record.right >= 0.9 * record.of or not words & {"high", "certain"}
