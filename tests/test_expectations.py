"""A report beside what is expected: found, fixed, missing, and what could not be judged."""

import pytest

from rnn_doctor import expectations
from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.errors import SettingsError
from rnn_doctor.schema.expectation import Comparison, Expectation, Undecided
from tests.render.reports import healthy, ill


def compare(**expected: tuple[str, ...]) -> tuple[Comparison, Expectation]:
    expectation = Expectation(**expected)
    return expectations.compare(ill(), expectation), expectation


def test_what_is_listed_nowhere_is_left_to_decide() -> None:
    compared, expectation = compare(known=("RD103", "RD403"))
    assert compared.listed == ("RD403", "RD103")
    assert {finding.rule for finding in compared.unlisted} == {"RD308", "RD410"}
    assert expectations.unlisted(ill(), compared).findings == compared.unlisted
    assert expectations.holds(compared, expectation)


def test_a_known_rule_that_found_nothing_is_fixed() -> None:
    compared, expectation = compare(known=("RD301", "RD403"))
    assert compared.fixed == ("RD301",)
    assert expectations.holds(compared, expectation)


def test_an_expected_rule_that_found_nothing_is_missing() -> None:
    compared, expectation = compare(expect=("RD301", "RD403"))
    assert compared.missing == ("RD301",)
    assert not expectations.holds(compared, expectation)


@pytest.mark.parametrize(("key", "holds"), [("known", True), ("expect", False)])
def test_what_could_not_be_judged_is_neither_fixed_nor_found(key: str, holds: bool) -> None:
    compared, expectation = compare(**{key: ("RD501",)})
    assert compared.undecided == (Undecided(rule="RD501", reason="no evaluation was seen"),)
    assert (compared.fixed, compared.missing) == ((), ())
    assert expectations.holds(compared, expectation) == holds


def test_a_healthy_report_meets_the_default() -> None:
    compared = expectations.compare(healthy(), Expectation())
    assert compared == Comparison()


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
