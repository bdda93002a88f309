"""Thresholds of the settings take the place of those of the rules, and what does not fit is said."""

from typing import Any

import pytest

from rnn_doctor.diagnose.engine import diagnose
from rnn_doctor.diagnose.thresholds import Bound, changed
from rnn_doctor.errors import SettingsError
from rnn_doctor.schema.calibration import Record
from rnn_doctor.schema.report import ChangedThreshold
from tests.diagnose.books import book, clause, rule, run

WHEN = [
    clause("size", above=1.0, because="healthy ones stay below"),
    clause("share", below=0.5),
    clause("slope", between=[-2, -1]),
    clause("loud", **{"is": True}),
]
BOOK = book(rule(when=WHEN), rule("RD102", when=[clause("size"), clause("size", below=9)]))
ALL: dict[str, Any] = {"size": 2.0, "share": 0.4, "slope": -1.5, "loud": True}


@pytest.mark.parametrize("code", ["RD101", "name-of-rd101"])
def test_a_rule_is_found_by_the_new_threshold(code: str) -> None:
    stricter, changes = changed(BOOK, {code: {"size": 3}})
    assert changes == (ChangedThreshold(rule="RD101", signal="size", shipped="> 1", used="> 3"),)
    assert not diagnose(run(**ALL), stricter, enabled={"RD101"}).findings
    finding = diagnose(run(**ALL | {"size": 4.0}), stricter, enabled={"RD101"}).findings[0]
    assert finding.evidence[0].threshold == "> 3"
    assert finding.evidence[0].because == (
        "set in [tool.rnn-doctor.thresholds]; as shipped it is > 1: healthy ones stay below"
    )
    assert diagnose(run(**ALL), BOOK, enabled={"RD101"}).findings, "the book given is left as it was"


def test_below_and_between_can_be_set_at_once() -> None:
    _, changes = changed(BOOK, {"RD101": {"share": 0.1, "slope": (-3, 0)}})
    assert [change.used for change in changes] == ["< 0.1", "-3 to 0"]


def test_a_threshold_that_is_the_same_changes_nothing() -> None:
    record = Record(right=3, of=3, interval=(0.3, 1))
    counted = BOOK.model_copy(update={"records": {"RD101": record}})
    same, changes = changed(counted, {"RD101": {"size": 1}})
    assert (same.rules, same.records, changes) == (BOOK.rules, counted.records, ())


def test_what_the_bench_counted_does_not_hold_for_another_threshold() -> None:
    record = Record(right=3, of=3, interval=(0.3, 1))
    counted = BOOK.model_copy(update={"records": {"RD101": record, "RD102": record}})
    assert set(changed(counted, {"RD101": {"size": 2}})[0].records) == {"RD102"}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"RD1011": {"size": 1}}, "no rule 'RD1011' (did you mean 'RD101'?)"),
        ({"name-of-rd10": {"size": 1}}, "no rule 'name-of-rd10' (did you mean 'name-of-rd10"),
        (
            {"RD101": {"siez": 1}},
            "RD101.siez: RD101 name-of-rd101 has no such threshold (did you mean 'size'?)",
        ),
        ({"RD101": {"loud": 1}}, "RD101.loud: loud is a claim, and has no threshold"),
        ({"RD101": {"size": (1, 2)}}, "RD101.size: its threshold is > 1, which takes one number"),
        ({"RD101": {"slope": 1}}, "its threshold is -2 to -1, which takes two numbers, [low, high]"),
        ({"RD102": {"size": 1}}, "RD102.size: RD102 compares size twice"),
    ],
)
def test_what_does_not_fit_is_said(wanted: dict[str, dict[str, Bound]], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        changed(BOOK, wanted)
    assert message in caught.value.message
    assert caught.value.message.startswith("[tool.rnn-doctor.thresholds]")
    assert caught.value.hint
