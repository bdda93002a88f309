"""Which numbers are called moved: beyond their noise where it is known, else by a stated change."""

import math
from typing import Any

import pytest

from rnn_doctor.compare.numbers import BASES, DECADES, FACTOR, SHARE, Z, changes
from rnn_doctor.schema.report import Confidence, Evidence, Finding, Report
from rnn_doctor.schema.signals import Measurement, Signal
from tests.generated import ROOT
from tests.render import reports


def report(unit: str = "ratio", **values: Any) -> Report:
    """A report of signals, each a value, a measurement, or measurements by subject."""
    signals = []
    for name, given in values.items():
        subjects = given if isinstance(given, dict) else {"run": given}
        measurements = {
            subject: value if isinstance(value, Measurement) else Measurement(value=value)
            for subject, value in subjects.items()
        }
        signals.append(Signal(name=name, unit=unit, measurements=measurements))
    return reports.healthy().model_copy(update={"signals": tuple(signals)})


def moved(old: Any, new: Any, unit: str = "ratio") -> bool:
    found = changes(report(unit, x=old), report(unit, x=new))
    assert found.compared == 1
    return bool(found.numbers)


@pytest.mark.parametrize(
    ("unit", "old", "new", "is_moved"),
    [
        ("ratio", 1.0, 1.99, False),
        ("ratio", 1.0, 2.0, True),
        ("ratio", 2.0, 1.0, True),
        ("slope", -0.1, 0.1, True),
        ("slope", -0.1, -0.15, False),
        ("steps", 0, 3, True),
        ("steps", 0, 0, False),
        ("share", 0.001, 0.05, False),
        ("share", 0.5, 0.61, True),
        ("decades", -6.0, -5.8, False),
        ("decades", -6.0, -5.6, True),
        ("Z", 0.1, -0.9, False),
        ("Z", 0.1, -3.0, True),
        ("ratio", math.inf, 3.0, True),
        ("ratio", math.inf, math.inf, False),
        ("ratio", math.nan, math.nan, False),
        ("share", 0.3, math.nan, True),
    ],
)
def test_without_intervals_a_stated_change_decides(unit: str, old: float, new: float, is_moved: bool) -> None:
    assert moved(old, new, unit) is is_moved
    assert moved(new, old, unit) is is_moved


def measured(value: float, low: float, high: float) -> Measurement:
    return Measurement(value=value, interval=(low, high))


@pytest.mark.parametrize(
    ("new", "is_moved"), [(measured(30, 2.9, 60), False), (measured(3.2, 3.01, 3.4), True), (30.0, True)]
)
def test_intervals_decide_where_both_have_them(new: Any, is_moved: bool) -> None:
    old = measured(2, 1, 3)
    assert moved(old, new) is is_moved
    assert moved(new, old) is is_moved


def test_claims_and_texts_are_compared_by_themselves() -> None:
    found = changes(report(a=True, b="x", c=1.0, d=True), report(a=False, b="y", c="text", d=True))
    assert [(claim.signal, claim.old, claim.new) for claim in found.claims] == [
        ("a", True, False),
        ("b", "x", "y"),
    ]
    assert (found.numbers, found.compared) == ((), 0)


def test_only_what_both_measured_on_the_same_subject_is_compared() -> None:
    old = report(
        a={"encoder": 1.0, "mse at t.py:3": 1.0, "gone": 1.0}, b=1.0, c=Measurement(absent="no loss")
    )
    new = report(a={"encoder": 9.0, "mse at t.py:8": 9.0, "added": 9.0}, c=9.0, e=9.0)
    found = changes(old, new)
    assert found.compared == 2
    assert {number.subject for number in found.numbers} == {"encoder", "mse at t.py:8"}
    assert changes(report("share", a=1.0), report("ratio", a=9.0)).compared == 0


def test_what_findings_quote_stands_first_then_what_moved_most() -> None:
    finding = Finding(
        rule="RD103",
        name="x",
        severity="error",
        confidence=Confidence(word="high", because="x"),
        subject="run",
        message="x",
        evidence=(Evidence(signal="quoted", value=3, unit=""),),
    )
    old = report(far=1.0, near=1.0, quoted=1.0).model_copy(update={"findings": (finding,)})
    found = changes(old, report(near=3.0, far=300.0, quoted=2.0))
    assert [number.signal for number in found.numbers] == ["quoted", "far", "near"]


def test_the_page_states_what_counts_as_a_move() -> None:
    page = (ROOT / "docs" / "baseline.md").read_text(encoding="utf-8")
    for said in (
        f"more than {Z:.1f}",
        f"by {100 * SHARE:g} points",
        f"by {DECADES:.1f}, a factor of {FACTOR:g}",
    ):
        assert said in page
    assert {"intervals", "z", "decades", "share", "factor"} == set(BASES)
