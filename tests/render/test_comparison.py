"""Comparisons for people: 80 columns, and foreign text that stays text."""

import re
from collections.abc import Callable

import pytest

from rnn_doctor.compare.numbers import BASES
from rnn_doctor.compare.reports import compare
from rnn_doctor.render import comparison, comparison_markdown
from rnn_doctor.schema.comparison import Comparison
from rnn_doctor.schema.report import Report
from rnn_doctor.schema.signals import Measurement, Signal
from tests.render import readers, reports


def signals(report: Report, value: float, text: str) -> Report:
    """The report with signals that have a noise, that have none, and that are no numbers."""
    spread = Measurement(value=value, interval=(0.9 * value, 1.1 * value))
    added = (
        Signal(name="lag_slope", unit="decades a step", by="module", measurements={"encoder": spread}),
        Signal(name="clip_share", unit="share", measurements={"run": Measurement(value=value / 10)}),
        Signal(name="optimizer_name", unit="text", measurements={"run": Measurement(value=text)}),
        *(Signal(name=f"n{k}", unit="", measurements={"run": Measurement(value=value)}) for k in range(25)),
    )
    return report.model_copy(update={"signals": added})


def compared() -> Comparison:
    """From ill to another illness: new, worse, better, gone, known, numbers, claims."""
    ill = reports.ill()
    cause, consequence, first, *many, note = ill.findings
    new = ill.model_copy(
        update={
            "conditions": reports.healthy().conditions,
            "findings": (
                cause.model_copy(update={"severity": "warning"}),
                first.model_copy(update={"severity": "error"}),
                *many,
                note.model_copy(update={"rule": "RD411", "name": "batches-not-shuffled"}),
            ),
            "rules": tuple(f.rule for f in ill.findings if f is not note),
        }
    )
    assert consequence.rule == "RD103"
    return compare([signals(ill, 1.0, "SGD")], signals(new, 4.0, "Adam"), version="1.0")


def hostile() -> Comparison:
    old = signals(reports.hostile(), 1.0, reports.HOSTILE)
    new = signals(reports.healthy(), 4.0, f"{reports.HOSTILE}!")
    return compare([old], new, version="1")


def test_the_text_for_a_terminal(gold: Callable[[str, str], None]) -> None:
    gold("comparison-80.txt", comparison.render(compared(), BASES))


def test_repeats_are_told_with_what_is_usual() -> None:
    olds = [signals(reports.ill(), value, "SGD") for value in (1.0, 1.1, 1.2)]
    held = compare(olds, signals(reports.ill(), 4.0, "SGD"), version="1")
    page = " ".join(comparison.render(held, BASES).split())
    assert "train.py --epochs 3; the first of 3 runs; 50 steps" in page
    assert "lag_slope of encoder: 1.1 (usual -0.046 to 2.25) -> 4 (3.6 to 4.4) decades a step" in page
    assert "99 % of further old runs" in page
    assert "OLD1 OLD2 OLD3" not in page
    assert "(usual -0.046 to 2.25) ->" in comparison_markdown.render(held, BASES)


def test_every_number_that_was_compared_is_counted_once() -> None:
    assert comparison.summary(compared()).endswith(
        "; of 27 numbers, whose noise is not known, 27 differ by much."
    )
    repeated = compared().model_copy(update={"with_noise": 3, "unsure": ()})
    assert comparison.summary(repeated).endswith(
        "; 0 of 3 numbers moved beyond their noise; of 24 others, whose noise is not known, none differ by much."
    )
    nothing = compare([reports.ill()], reports.ill(), version="1")
    assert comparison.summary(nothing.model_copy(update={"compared": 0, "with_noise": 0})).endswith(
        "; no numbers in common."
    )


def test_the_text_in_markdown(gold: Callable[[str, str], None]) -> None:
    gold("comparison.md", comparison_markdown.render(compared(), BASES))


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    for each in (compared(), hostile()):
        lines = comparison.render(each, BASES, width=width).splitlines()
        assert max(map(len, lines)) <= width


def test_nothing_steers_a_terminal() -> None:
    text = comparison.render(hostile(), BASES)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "evil" in text


def test_nothing_foreign_is_markup_in_markdown() -> None:
    name = "</td><script>x</script>|`*_[a](http://b) @team #12 www.evil.example"
    foreign = hostile()
    gone = tuple(f.model_copy(update={"message": name, "subject": name}) for f in foreign.gone)
    text = comparison_markdown.render(foreign.model_copy(update={"gone": gone}), BASES)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    rows = readers.cells(readers.markdown(text))
    assert ["gone", name] == [next(row for row in rows if row[0] == "gone")[column] for column in (0, 2)]
    assert not re.search(r"@(?!<)team|#(?!<)12|(?<!\\)://|www\.", text)


def test_many_findings_are_counted() -> None:
    each = compared()
    many = each.model_copy(update={"gone": each.gone * 300})
    text = comparison_markdown.render(many, BASES)
    assert "more findings in the JSON form" in text
    assert len(text) < 20_000


def test_a_terminal_that_knows_colours_is_given_some() -> None:
    assert "\x1b[" in comparison.render(compared(), BASES, color=True)
    assert "\x1b[" not in comparison.render(compared(), BASES)
