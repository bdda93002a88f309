"""What was not asked for is an offer, and no check that failed: the same in every format that people read."""

import json

import pytest

from rnn_doctor.render import FORMATS
from rnn_doctor.render.unjudged import checks, listed, offers
from rnn_doctor.schema.report import NotAssessed, Report, RulePage
from tests.render import readers, reports

OFFER = "--deep judges RD702 one-batch-not-learned, too."
ENTRY = NotAssessed(
    what="RD702 one-batch-not-learned", reason="it was not tried (--deep tries it)", option="--deep"
)


def report() -> Report:
    """A rule that looks only where it is asked to, beside two that could not be judged."""
    healthy = reports.full()
    page = RulePage(
        id="RD702",
        name="one-batch-not-learned",
        severity="warning",
        confidence="moderate",
        confidence_because="x",
        summary="x",
        why="x",
        when=(),
        limits="x",
        sources=(),
    )
    return healthy.model_copy(
        update={
            "not_assessed": (*reports.healthy().not_assessed, ENTRY),
            "rulebook": (*healthy.rulebook, page),
        }
    )


def test_what_was_not_asked_for_is_listed_nowhere() -> None:
    assert listed(report()) == list(reports.healthy().not_assessed)
    assert checks([*listed(report()), *listed(report())]) == 2
    assert offers(report()) == [OFFER]
    assert offers(reports.full()) == []


@pytest.mark.parametrize("name", ["terminal", "markdown"])
def test_pages_offer_it_once(name: str) -> None:
    text = FORMATS[name](report())
    assert text.count("RD702") == 1
    assert OFFER in text.replace("\\", "")
    assert "not tried" not in text
    assert "2 checks not assessed" in " ".join(text.split()) or "Not assessed: 2 checks" in text


def test_it_is_no_test_that_was_skipped_or_passed() -> None:
    cases = [case.attrib["name"] for case in readers.junit(FORMATS["junit"](report())).iter("testcase")]
    assert [name for name in cases if "RD501" in name]
    assert not [name for name in cases if "RD702" in name]


def test_it_is_no_notification() -> None:
    (invocation,) = readers.sarif(FORMATS["sarif"](report()))["invocations"]
    said = json.dumps(invocation["toolExecutionNotifications"])
    assert "RD501" in said
    assert "RD702" not in said


def test_the_json_report_keeps_it() -> None:
    data = json.loads(FORMATS["json"](report()))
    assert data["not_assessed"][-1]["option"] == "--deep"


def test_a_rule_that_was_found_all_the_same_is_a_case() -> None:
    """On one subject it was found, another was not looked at."""
    found = report().findings[0].model_copy(update={"rule": "RD702", "name": "one-batch-not-learned"})
    both = report().model_copy(update={"findings": (*report().findings, found)})
    names = [case.attrib["name"] for case in readers.junit(FORMATS["junit"](both)).iter("testcase")]
    assert "RD702 one-batch-not-learned" in names
