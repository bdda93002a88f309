"""What a finding was before, and what is gone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_doctor.compare.baseline import on_script, since
from rnn_doctor.compare.matching import matched
from rnn_doctor.diagnose.fingerprints import fingerprinted
from rnn_doctor.schema.report import Confidence, Finding, NotAssessed, Report, Suppressed
from rnn_doctor.schema.values import Location
from tests.render import reports


def found(rule: str = "RD103", subject: str = "run", severity: Any = "error", **place: Any) -> Finding:
    location = Location(**({"file": "train.py", "line": 31, "code": "loss.backward()"} | place))
    return Finding(
        rule=rule,
        name="x",
        severity=severity,
        confidence=Confidence(word="high", because="x"),
        subject=subject,
        message="x",
        location=location,
    )


def report(*findings: Finding, script: str = "train.py", **fields: Any) -> Report:
    healthy = reports.healthy()
    subject = healthy.subject.model_copy(update={"script": script, **fields.pop("subject", {})})
    update = {"findings": fingerprinted(findings), "subject": subject, "not_assessed": (), **fields}
    return healthy.model_copy(update=update)


def changes(old: Report, new: Report) -> list[str]:
    return [f"{f.change} {f.rule}" for f in since(new, [old]).findings]


@pytest.mark.parametrize(
    "now",
    [
        found(line=131),
        found(line=31, code="loss.backward()  # for the encoder"),
        found(line=9, code="(loss / 4).backward()"),
        found(file="project/train.py"),
        found(subject="model.run"),
        found().model_copy(update={"location": None}),
    ],
)
def test_a_finding_is_known_after_its_line_moved_or_one_thing_was_edited(now: Finding) -> None:
    held = since(report(now), [report(found())])
    assert [f.change for f in held.findings] == ["known"]
    assert held.baseline
    assert held.baseline.gone == held.baseline.unjudged == ()


@pytest.mark.parametrize(
    "now", [found("RD104"), found(subject="lstm", file="x.py"), found(subject="a", code="b")]
)
def test_what_was_not_there_is_new_and_what_is_not_found_again_is_gone(now: Finding) -> None:
    held = since(report(now), [report(found())])
    assert [f.change for f in held.findings] == ["new"]
    assert held.baseline
    assert [f.rule for f in held.baseline.gone] == ["RD103"]


def test_severity_makes_it_worse_or_better() -> None:
    old = report(found(severity="warning"), found("RD104"))
    new = report(found(severity="error"), found("RD104", severity="note"))
    held = since(new, [old])
    assert [(f.rule, f.change, f.was) for f in held.findings] == [
        ("RD103", "worse", "warning"),
        ("RD104", "better", "error"),
    ]


def test_one_subject_more_is_new() -> None:
    first, second = found(subject="encoder"), found(subject="decoder", line=40, code="self.decoder(x)")
    assert changes(report(first), report(second, first)) == ["new RD103", "known RD103"]


def test_one_more_on_the_same_line_is_new() -> None:
    old = report(found("RD307", "embedding"))
    new = report(found("RD307", "embedding"), found("RD307", "encoder"))
    assert changes(old, new) == ["known RD307", "new RD307"]


def test_a_loss_that_is_named_by_its_line_is_known_at_another() -> None:
    old, new = (found("RD401", f"cross_entropy at train.py:{n}", line=n) for n in (31, 77))
    assert changes(report(old), report(new)) == ["known RD401"]


def test_another_loss_that_falls_ill_is_new() -> None:
    healed, ill = (
        found("RD401", f"mse_loss at train.py:{n}", line=n, code=f"mse_loss(x{n}, y)") for n in (31, 32)
    )
    assert changes(report(healed), report(ill)) == ["new RD401"]
    elsewhere = found("RD401", "mse_loss at x.py:9", line=9, file="x.py", code="mse_loss(x31, y)")
    assert changes(report(healed), report(elsewhere)) == ["known RD401"]


def test_what_was_not_judged_is_not_gone() -> None:
    old = report(found("RD103"), found("RD104"), found("RD301"))
    new = report(
        rules=("RD103", "RD104"),
        not_assessed=(NotAssessed(what="RD104 non-finite-values", reason="few steps"),),
    )
    held = since(new, [old]).baseline
    assert held
    assert [f.rule for f in held.gone] == ["RD103"]
    assert [f.rule for f in held.unjudged] == ["RD104", "RD301"]


def test_what_is_suppressed_now_is_neither_new_nor_gone() -> None:
    new = report(suppressed=(Suppressed(finding=found(line=99), reason="as agreed"),))
    held = since(new, [report(found())])
    assert held.findings == ()
    assert held.baseline
    assert held.baseline.gone == ()


def test_a_finding_that_is_no_longer_suppressed_is_new() -> None:
    old = report(suppressed=(Suppressed(finding=found(), reason="for now"),))
    assert changes(old, report(found())) == ["new RD103"]


def test_stored_reports_without_fingerprints_are_matched_too() -> None:
    old = report().model_copy(update={"findings": (found(), found("RD104"))})
    assert changes(old, report(found(line=2), found("RD105"))) == ["known RD103", "new RD105"]


@pytest.mark.parametrize(
    ("olds", "which"),
    [
        ([("train.py", ()), ("other.py", ())], [0]),
        ([("other.py", ()), ("train.py", ("--lr", "1")), ("train.py", ("--lr", "2"))], [1]),
        ([("train.py", ()), ("train.py", ("--epochs", "3"))], [1]),
        ([("train.py", ("--epochs", "3")), ("train.py", ()), ("train.py", ("--epochs", "3"))], [0, 2]),
        ([("other.py", ())], []),
        ([("src/train.py", ())], [0]),
        ([("src/train.py", ()), ("other.py", ())], []),
        ([], []),
    ],
)
def test_the_baseline_is_the_report_on_the_same_script(
    olds: list[tuple[str, tuple[str, ...]]], which: list[int]
) -> None:
    stored = [report(script=script, subject={"arguments": arguments}) for script, arguments in olds]
    expected = [stored[number] for number in which]
    found = on_script(stored, report(subject={"arguments": ("--epochs", "3")}))
    assert list(map(id, found)) == list(map(id, expected))


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ([None, "error"], "error", "known"),
        ([None, "warning"], "error", "worse"),
        ([None, "error"], "warning", "better"),
        (["warning", "error"], "error", "known"),
        (["note", "warning"], "error", "worse"),
        ([None, None], "note", "new"),
    ],
)
def test_of_several_runs_in_a_baseline_the_one_that_had_it_counts(
    before: list[Any], now: Any, change: str
) -> None:
    olds = [report(*([found(severity=severity)] if severity else [])) for severity in before]
    assert [f.change for f in since(report(found(severity=now)), olds).findings] == [change]


def test_what_only_some_runs_of_a_baseline_had_is_not_gone() -> None:
    olds = [report(found(), found("RD104")), report(found(line=99))]
    held = since(report(), olds).baseline
    assert held
    assert [f.rule for f in held.gone] == ["RD103"]


def test_without_a_report_on_the_script_everything_is_new() -> None:
    held = since(report(found()), [report(found(), script="other.py")])
    assert [f.change for f in held.findings] == ["new"]
    assert held.baseline
    assert not held.baseline.found


_SOME = st.lists(
    st.builds(
        found,
        st.sampled_from(["RD103", "RD104"]),
        st.sampled_from(["run", "lstm", "x at y:3"]),
        code=st.sampled_from(["a", "b", ""]),
    ),
    max_size=6,
)


@given(_SOME, _SOME)
def test_each_finding_is_matched_once_and_by_its_own_rule(some: list[Finding], others: list[Finding]) -> None:
    old, new = fingerprinted(some), fingerprinted(others)
    pairs = matched(old, new)
    assert len(set(pairs.values())) == len(pairs)
    assert all(old[before].rule == new[after].rule for after, before in pairs.items())
    assert len(matched(new, new)) == len(new)
