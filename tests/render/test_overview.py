"""The table of several scripts: one word for each, and what stands behind it."""

from typing import Any

import pytest

from rnn_doctor.render import overview
from rnn_doctor.schema.expectation import Expected, Undecided
from rnn_doctor.schema.report import Exit, Report
from tests.generated import ROOT
from tests.render import readers
from tests.render.reports import HOSTILE, full, healthy, ill


def of(report: Report, code: int = 0, failing: tuple[str, ...] = (), **expected: Any) -> Report:
    """The report as an entry of a manifest."""
    given = {"name": "a.py", "met": code == 0} | expected
    return report.model_copy(update={"exit": Exit(code=code, failing=failing), "expected": Expected(**given)})


HEALTHY = of(healthy(), name="train_lm.py")
FIXED = of(healthy(), name="tagger", known=("RD303",), fixed=("RD303",))
MISSING = of(healthy(), 1, name="examples/exploding.py", expect=("RD103",), missing=("RD103",))


def told(report: Report) -> str:
    """What its block says, on one line."""
    block = overview.render([report]).split("\n\n")[1]
    return " ".join(block.split())


def test_the_page_on_ci_shows_it_as_it_is() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert f"```text\n{overview.render([HEALTHY, FIXED, MISSING])}```" in page


@pytest.mark.parametrize(
    ("code", "word"),
    [(0, "as expected"), (1, "FAILED"), (2, "not judged"), (3, "not judged"), (130, "interrupted")],
)
def test_the_outcome_is_a_word_or_two(code: int, word: str) -> None:
    report = of(healthy(), code, note="why")
    assert told(report) == f"a.py {word} why"
    assert overview.render([report]).endswith(f"1 {word.lower()}.\n")


def test_findings_that_fail_stand_with_their_place_and_the_others_behind() -> None:
    failing = tuple(f.fingerprint for f in full().findings if f.rule in ("RD403", "RD103"))
    assert told(of(full(), 1, failing)) == (
        "a.py FAILED error[RD403] unscaled-inputs at train.py:31 error[RD103] gradient-spikes at train.py:57 "
        "RD308 and RD410: not severe or not sure enough to fail"
    )


def test_what_could_not_be_judged_is_told_with_the_reason() -> None:
    report = of(
        ill(),
        1,
        expect=("RD103", "RD403"),
        known=("RD501", "RD308"),
        found=("RD403", "RD308"),
        undecided=(
            Undecided(rule="RD103", reason="few steps"),
            Undecided(rule="RD501", reason="no validation"),
        ),
    )
    report = report.model_copy(
        update={"findings": tuple(f for f in report.findings if f.rule in ("RD403", "RD308"))}
    )
    assert told(report) == (
        "a.py FAILED RD103 must be found, and could not be judged: few steps "
        "RD501 is known, and could not be judged: no validation RD403 found, as it must be known: RD308"
    )


def test_markdown_has_the_same_as_a_table() -> None:
    text = overview.markdown([HEALTHY, MISSING, of(healthy(), 3, name="b|c.py", note="it `died`")])
    rows = readers.cells(readers.markdown(text))
    assert [row[0] for row in rows] == ["script", "train_lm.py", "examples/exploding.py", "b|c.py"]
    assert rows[2][1:] == ["🔴 failed", "RD103 must be found, and was not"]
    assert rows[3][1:] == ["🔴 not judged", "it `died`"]
    assert "1 as expected, 1 failed, 1 not judged" in text


def test_names_of_others_steer_no_terminal() -> None:
    text = overview.render([of(healthy(), 3, name=HOSTILE, note=HOSTILE)])
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\x00"} & set(text)
