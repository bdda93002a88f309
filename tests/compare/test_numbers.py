"""Which numbers are called moved: beyond their noise where it is known, else by a stated change."""

import math
from typing import Any

import pytest

from rnn_doctor.compare.numbers import BASES, DECADES, FACTOR, KNOWN, SHARE, Z, changes
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
    found = changes([report(unit, x=old)], report(unit, x=new))
    assert found.compared == 1
    return bool(found.moved or found.unsure)


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
        ("decades", -6.0, -5.1, False),
        ("decades", -6.0, -5.0, True),
        ("Z", 0.1, -0.9, False),
        ("Z", 0.1, -3.6, True),
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
    found = changes([report(a=True, b="x", c=1.0, d=True)], report(a=False, b="y", c="text", d=True))
    assert [(claim.signal, claim.old, claim.new) for claim in found.claims] == [
        ("a", True, False),
        ("b", "x", "y"),
    ]
    assert (found.moved, found.unsure, found.compared) == ((), (), 0)


def test_only_what_both_measured_on_the_same_subject_is_compared() -> None:
    old = report(
        a={"encoder": 1.0, "mse at t.py:3": 1.0, "gone": 1.0}, b=1.0, c=Measurement(absent="no loss")
    )
    new = report(a={"encoder": 9.0, "mse at t.py:8": 9.0, "added": 9.0}, c=9.0, e=9.0)
    found = changes([old], new)
    assert found.compared == 2
    assert {number.subject for number in found.unsure} == {"encoder", "mse at t.py:8"}
    assert changes([report("share", a=1.0)], report("ratio", a=9.0)).compared == 0


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
    found = changes([old], report(near=3.0, far=300.0, quoted=2.0))
    assert [number.signal for number in found.unsure] == ["quoted", "far", "near"]


def test_only_a_known_noise_makes_a_move() -> None:
    """The rest differs, and is told apart: nobody knows whether that is more than chance."""
    old = report(ratio=1.0, inner=measured(1, 0.9, 1.1))
    new = report(ratio=9.0, inner=measured(2, 1.9, 2.1))
    found = changes([old], new)
    assert (found.moved, found.known, found.compared) == ((), 0, 2)
    assert {n.signal: n.basis for n in found.unsure} == {"ratio": "factor", "inner": "intervals"}
    repeated = [report(ratio=1 + k / 10, inner=measured(1, 0.9, 1.1)) for k in range(4)]
    held = changes(repeated, new)
    assert ([n.signal for n in held.moved], [n.signal for n in held.unsure]) == (["ratio"], ["inner"])
    assert (held.known, held.compared) == (1, 2)
    assert {n.basis for n in held.moved} == KNOWN


def repeats(*values: float, unit: str = "ratio") -> list[Report]:
    return [report(unit, x=value) for value in values]


@pytest.mark.parametrize(
    ("olds", "unit", "new", "is_moved"),
    [
        ((0.50, 0.52, 0.48, 0.51), "share", 0.58, False),
        ((0.50, 0.52, 0.48, 0.51), "share", 0.65, True),
        ((0.10, 0.90, 0.50, 0.30), "share", 0.99, False),
        ((1.0, 2.0, 4.0), "ratio", 60.0, False),
        ((1.0, 1.1, 1.2), "ratio", 60.0, True),
        ((-1.0, 0.2, 1.1), "ratio", 3.0, False),
        ((9.0, 9.5, 10.0), "Z", 13.0, False),
    ],
)
def test_repeats_tell_how_far_a_number_scatters(
    olds: tuple[float, ...], unit: str, new: float, is_moved: bool
) -> None:
    found = changes(repeats(*olds, unit=unit), report(unit, x=new))
    assert (len(found.moved), found.unsure, found.known) == (is_moved, (), 1)
    assert all(n.basis == "repeats" and n.usual and n.usual[0] < n.old < n.usual[1] for n in found.moved)


def test_repeats_go_before_what_a_number_knows_of_itself() -> None:
    """An interval within one run says nothing of another seed."""
    olds = [report(x=measured(v, v - 0.01, v + 0.01)) for v in (1.0, 3.0, 2.0)]
    assert changes(olds, report(x=measured(4, 3.99, 4.01))).moved == ()


@pytest.mark.parametrize("olds", [(0.0, 0.0, 0.0, 0.0), (1.0, 1.4), (1.0, math.nan, 2.0)])
def test_repeats_that_tell_of_no_spread_leave_the_noise_unknown(olds: tuple[float, ...]) -> None:
    found = changes(repeats(*olds), report(x=7.0))
    assert (found.moved, found.known) == ((), 0)
    assert [n.basis for n in found.unsure] == ["factor"]


def test_a_number_that_is_none_now_is_told_beside_repeats() -> None:
    found = changes(repeats(1.0, 1.1, 1.2), report(x=math.nan))
    assert (found.moved, len(found.unsure)) == ((), 1)


def test_a_claim_that_one_of_the_repeats_made_is_no_change() -> None:
    olds = [report(a=True, b="x"), report(a=False, b="y")]
    found = changes(olds, report(a=False, b="z"))
    assert [(claim.signal, claim.old, claim.new) for claim in found.claims] == [("b", "x", "z")]


def test_what_some_repeats_measured_is_held_against_those() -> None:
    olds = [report(), *repeats(1.0, 1.1, 1.2)]
    assert len(changes(olds, report(x=60.0)).moved) == 1


def test_the_page_states_what_counts_as_a_move() -> None:
    page = (ROOT / "docs" / "baseline.md").read_text(encoding="utf-8")
    for said in (
        f"more than {Z:.1f}",
        f"by {100 * SHARE:g} points",
        f"by {DECADES:g}, a factor of 10",
        f"at least {FACTOR:g} times the other",
    ):
        assert said in page
    assert {"repeats", "intervals", "z", "decades", "share", "factor"} == set(BASES)
