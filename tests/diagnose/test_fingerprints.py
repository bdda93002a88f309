"""A finding is recognized after its line has moved, and told apart from every other."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_doctor.diagnose.engine import diagnose
from rnn_doctor.diagnose.fingerprints import fingerprinted
from rnn_doctor.schema.report import Confidence, Finding
from rnn_doctor.schema.values import Location
from tests.diagnose.books import book, clause, rule, signals

_PLACE: dict[str, Any] = {"file": "train.py", "line": 31, "code": "loss.backward()"}


def found(rule: str = "RD103", subject: str = "run", **place: Any) -> Finding:
    return Finding(
        rule=rule,
        name="x",
        severity="error",
        confidence=Confidence(word="high", because="x"),
        subject=subject,
        message="x",
        location=Location(**(_PLACE | place)),
    )


def prints(*findings: Finding) -> list[str]:
    return [finding.fingerprint for finding in fingerprinted(findings)]


def test_it_is_sixteen_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", prints(found())[0])


@pytest.mark.parametrize(
    "place",
    [
        {"line": 131},
        {"function": "Trainer.step"},
        {"code": "loss.backward()  # rnn-doctor: ignore[RD302] as in the paper"},
    ],
)
def test_moving_the_line_or_remarking_on_it_changes_nothing(place: dict[str, Any]) -> None:
    assert prints(found(**place)) == prints(found())


def test_layout_within_the_line_changes_nothing() -> None:
    assert prints(found(code="x  =  f(a,  b)")) == prints(found(code="x = f(a, b)"))


def test_a_hash_in_a_string_is_no_comment() -> None:
    assert prints(found(code="log('# 1')")) != prints(found(code="log('# 2')"))


@pytest.mark.parametrize(
    "other",
    [
        found("RD104"),
        found(subject="lstm"),
        found(file="model.py"),
        found(code="(2 * loss).backward()"),
        found().model_copy(update={"location": None}),
    ],
)
def test_what_is_another_finding_has_another_one(other: Finding) -> None:
    assert prints(other) != prints(found())


def test_a_loss_named_by_its_line_is_recognized_at_another() -> None:
    before, after = (f"cross_entropy at train.py:{line}" for line in (31, 48))
    assert prints(found(subject=before)) == prints(found(subject=after, line=48))
    assert prints(found(subject=f"{before} #7")) == prints(found(subject=before))
    assert prints(found(subject="block.3")) != prints(found(subject="block.4"))


def test_equals_are_numbered_from_the_top_of_the_file() -> None:
    first, second = found(line=10), found(line=20)
    assert prints(first, second) == prints(second, first)[::-1]
    assert prints(first)[0] == prints(first, second)[0]
    assert len(set(prints(first, second))) == 2


_TEXT = st.sampled_from(["run", "lstm", "a at b:1", "a at b:2", "\0", '"', "\ud800", ""])


@given(st.lists(st.builds(found, st.sampled_from(["RD1", "RD2"]), _TEXT, file=_TEXT, code=_TEXT)))
def test_no_two_are_the_same(findings: list[Finding]) -> None:
    assert len(set(prints(*findings))) == len(findings)


def test_the_engine_gives_every_finding_one() -> None:
    diagnosis = diagnose(
        signals("module", size={"encoder": 2.0, "decoder": 3.0}), book(rule(when=[clause("size")]))
    )
    given = [finding.fingerprint for finding in diagnosis.findings]
    assert len(set(given)) == 2
    assert all(given)
