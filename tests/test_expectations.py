"""A report beside what is expected: found, fixed, missing, and what could not be judged."""

import pytest

from rnn_doctor import expectations
from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.errors import SettingsError
from rnn_doctor.schema.expectation import Expectation, Expected, Undecided
from rnn_doctor.schema.report import Report, Suppressed
from rnn_doctor.settings import Settings
from tests.render.reports import healthy, ill


def held(
    of: Report | None = None, *, expect: tuple[str, ...] | None = None, known: tuple[str, ...] = ()
) -> Expected:
    given = Expectation(expect=expect or "healthy", known=known)
    report = expectations.held(of or ill(), given, Settings(fail_on="never"), name="train.py")
    assert report.expected
    return report.expected


def test_what_is_listed_nowhere_is_left_to_decide() -> None:
    expected = held(known=("RD103", "RD403"))
    assert expected.found == ("RD103", "RD403")
    assert {f.rule for f in expectations.unlisted(ill(), expected)} == {"RD308", "RD410"}
    assert expected.met
    strict = expectations.held(ill(), Expectation(known=("RD103",)), Settings(), name="train.py")
    assert strict.expected
    assert not strict.expected.met, "RD403 is an error"


def test_a_known_rule_that_found_nothing_is_fixed() -> None:
    expected = held(known=("RD301", "RD403"))
    assert expected.fixed == ("RD301",)
    assert expected.met


def test_an_expected_rule_that_found_nothing_is_missing() -> None:
    expected = held(expect=("RD301", "RD403"))
    assert expected.missing == ("RD301",)
    assert not expected.met


@pytest.mark.parametrize(("key", "holds"), [("known", True), ("expect", False)])
def test_what_could_not_be_judged_is_neither_fixed_nor_found(key: str, holds: bool) -> None:
    rules = ("RD501",)
    expected = held(expect=rules) if key == "expect" else held(known=rules)
    assert expected.undecided == (Undecided(rule="RD501", reason="no evaluation was seen"),)
    assert (expected.fixed, expected.missing) == ((), ())
    assert expected.met == holds


@pytest.mark.parametrize("key", ["known", "expect"])
def test_what_the_source_suppresses_was_found(key: str) -> None:
    first, *rest = ill().findings
    suppressed = ill().model_copy(
        update={"findings": tuple(rest), "suppressed": (Suppressed(finding=first, reason="as in the paper"),)}
    )
    rules = (first.rule, rest[0].rule)
    expected = held(suppressed, expect=rules) if key == "expect" else held(suppressed, known=rules)
    assert expected.found == (first.rule, rest[0].rule)
    assert expected.suppressed == (first.rule,)
    assert (expected.fixed, expected.missing, expected.met) == ((), (), True)


def test_a_healthy_report_meets_the_default() -> None:
    assert held(healthy()) == Expected(name="train.py", met=True)


def test_rules_are_told_by_id_whatever_they_are_called() -> None:
    given = Expectation(expect=("gradient-spikes", "RD103"), known=("RD303",))
    found = expectations.resolved(given, load(), {"RD103", "RD303"}, "train.py")
    assert found == Expectation(expect=("RD103",), known=("RD303",))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("gradient-spike", r"train\.py: no rule 'gradient-spike' \(did you mean 'gradient-spikes'\?\)"),
        ("RD303", "RD303 is listed, but not in use"),
    ],
)
def test_a_rule_that_cannot_be_found_is_no_expectation(rule: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        expectations.resolved(Expectation(known=(rule,)), load(), {"RD103"}, "train.py")
