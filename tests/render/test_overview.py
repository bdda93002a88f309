"""The table of several scripts: one word for each, and what stands behind it."""

import pytest

from rnn_doctor.render import overview
from rnn_doctor.schema.expectation import Comparison, Examined, Expectation, Undecided
from tests.generated import ROOT
from tests.render.reports import HOSTILE, healthy, ill

MISSING = Examined(
    name="examples/exploding.py",
    code=1,
    expectation=Expectation(expect=("RD103",)),
    report=healthy(),
    comparison=Comparison(missing=("RD103",)),
)
FIXED = Examined(
    name="tagger",
    code=0,
    expectation=Expectation(known=("RD303",)),
    report=healthy(),
    comparison=Comparison(fixed=("RD303",)),
)


def told(examined: Examined) -> str:
    """What its block says, on one line."""
    block = overview.render([examined]).split("\n\n")[1]
    return " ".join(block.split())


def test_the_page_on_ci_shows_it_as_it_is() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    text = overview.render([Examined(name="train_lm.py", code=0, report=healthy()), FIXED, MISSING])
    assert f"```text\n{text}```" in page


@pytest.mark.parametrize(
    ("code", "word"),
    [(0, "as expected"), (1, "FAILED"), (2, "not judged"), (3, "not judged"), (130, "interrupted")],
)
def test_the_outcome_is_a_word_or_two(code: int, word: str) -> None:
    examined = Examined(name="a.py", code=code, note="why")
    assert told(examined) == f"a.py {word} why"
    assert overview.render([examined]).endswith(f"1 {word.lower()}.\n")


def test_findings_that_fail_stand_with_their_place_and_the_others_behind() -> None:
    report = ill()
    examined = Examined(
        name="a.py",
        code=1,
        report=report,
        comparison=Comparison(unlisted=report.findings),
        failed=("RD403", "RD103"),
    )
    assert told(examined) == (
        "a.py FAILED error[RD403] unscaled-inputs at train.py:31 error[RD103] gradient-spikes at train.py:57 "
        "RD308 and RD410: not severe enough to fail"
    )


def test_what_could_not_be_judged_is_told_with_the_reason() -> None:
    undecided = (Undecided(rule="RD103", reason="few steps"), Undecided(rule="RD501", reason="no validation"))
    expectation = Expectation(expect=("RD103", "RD403"), known=("RD501", "RD308"))
    compared = Comparison(listed=("RD403", "RD308"), undecided=undecided)
    assert told(
        Examined(name="a.py", code=1, expectation=expectation, report=ill(), comparison=compared)
    ) == (
        "a.py FAILED RD103 must be found, and could not be judged: few steps "
        "RD501 is known, and could not be judged: no validation RD403 found, as it must be known: RD308"
    )


def test_names_of_others_steer_no_terminal() -> None:
    text = overview.render([Examined(name=HOSTILE, code=3, note=HOSTILE)])
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\x00"} & set(text)
