"""What a terminal report says of suppressions, changed thresholds and the baseline."""

import re

import pytest

from rnn_doctor.render import terminal
from rnn_doctor.schema.report import Baseline, ChangedThreshold, Finding, Report, Suppressed
from tests.render import reports


def standing(text: str | None = None) -> Report:
    """An ill report with all of it; `text` stands wherever the user or a log may choose one."""
    ill = reports.ill()
    cause, consequence, *rest = ill.findings
    update = {} if text is None else {"subject": text, "name": text}

    def named(finding: Finding) -> Finding:
        return finding.model_copy(update=update)

    return ill.model_copy(
        update={
            "findings": (
                cause.model_copy(update={"change": "worse", "was": "warning"}),
                *(finding.model_copy(update={"change": "known"}) for finding in rest[:-1]),
                rest[-1].model_copy(update={"change": "new"}),
            ),
            "suppressed": (
                Suppressed(finding=named(consequence), reason=text or "as in the paper"),
                Suppressed(finding=named(rest[0])),
            ),
            "thresholds": (
                ChangedThreshold(rule="RD103", signal=text or "spikes", shipped="> 1", used="> 3"),
            ),
            "baseline": Baseline(gone=(named(consequence),), unjudged=(named(rest[-1]),)),
        }
    )


def test_each_is_told_in_a_line() -> None:
    text = " ".join(terminal.render(standing()).split())
    for said in (
        "error[RD403], worse (was a warning): The input",
        "warning[RD308], known: The weights",
        "note[RD410], new: decoder",
        "suppressed: RD103 gradient-spikes at train.py:57: as in the paper",
        "suppressed: RD308 parameters-never-change in blocks.0: no reason given",
        "threshold: RD103 asks for spikes > 3, as shipped > 1",
        "gone: error RD103 gradient-spikes at train.py:57",
        "not judged this time: note RD410 dropout-without-effect in decoder at train.py:19",
        "1 error, 5 warnings, 1 note; 1 new, 1 worse, 5 known; 2 findings suppressed; 2 checks not assessed.",
    ):
        assert said in text


def test_a_report_without_any_of_it_says_nothing() -> None:
    text = terminal.render(reports.ill())
    assert not re.search("suppressed|threshold:|gone:|not judged|, known", text)


@pytest.mark.parametrize("width", [60, 80])
def test_foreign_text_stays_text_within_the_page(width: int) -> None:
    text = terminal.render(standing(reports.HOSTILE), width=width)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    told = [line for line in text.splitlines() if "evil" in line]
    assert len(told) >= 4
    assert max(map(len, told)) <= width
