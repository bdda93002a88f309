"""What stands in front of the page: the verdict, that a script died, what was assumed, what a manifest makes of it."""

from xml.etree.ElementTree import Element

import html5lib
import pytest

from rnn_doctor.render.html import headline
from rnn_doctor.render.html.page import render
from rnn_doctor.schema.report import Conditions, ConditionVerdict, Exit, Observation, Report
from tests.render import reports
from tests.render.html import pages


def _root(text: str) -> Element:
    root: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    return root


def _words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _classed(text: str, name: str) -> list[Element]:
    return [each for each in _root(text).iter() if name in each.get("class", "").split()]


def _assessed(*verdicts: str) -> Report:
    """The healthy report with these verdicts."""
    made = {
        name: ConditionVerdict.model_validate({"verdict": verdict, "reason": "because"})
        for name, verdict in zip(Conditions.model_fields, verdicts, strict=True)
    }
    return reports.healthy().model_copy(update={"conditions": Conditions(**made)})


@pytest.mark.parametrize(
    ("report", "status", "summary"),
    [
        (reports.ill(), "error", "2 errors, 5 warnings and 1 note, from 3 causes."),
        (_assessed(*["absent"] * 4), "clear", "Nothing was found, and all 4 conditions were assessed."),
        (
            _assessed(*["absent"] * 3, "not_assessed"),
            "open",
            "Nothing was found; slow convergence could not be assessed.",
        ),
        (
            _assessed(*["not_assessed"] * 4),
            "open",
            "Nothing was found, but none of the 4 conditions could be assessed.",
        ),
        (pages.bare(), "warning", "Not judged: the script failed with exit code 1."),
        (
            pages.failed(),
            "warning",
            "Nothing was found until the script failed; vanishing gradients and overfitting could not be assessed.",
        ),
    ],
)
def test_the_whole_report_in_a_word_and_a_sentence(report: Report, status: str, summary: str) -> None:
    assert headline.status(report) == status
    assert headline.summary(report) == summary


def test_what_nobody_saw_is_not_called_healthy() -> None:
    text = pages.page("bare")
    assert "gave no sign of a fault" not in text
    assert "no verdict is one of health" in text
    assert "Every check gave a verdict" not in text
    (lead,) = _classed(text, "lead")
    assert _words(lead) == "Not judged: the script failed with exit code 1."
    assert "it may come from an earlier version" not in text, "nobody misses pictures of nothing"


def test_where_no_condition_could_be_judged_no_tick_stands() -> None:
    text = render(_assessed(*["not_assessed"] * 4))
    (calm,) = _classed(text, "calm")
    assert "open" in calm.get("class", "")
    assert _words(calm) == "None, but no condition could be judged; the reasons are listed below."


def test_a_script_that_died_says_so_before_its_verdicts() -> None:
    (notice,) = _classed(pages.page("failed"), "notice")
    assert _words(notice) == (
        "The script failed: it raised RuntimeError: sizes 35 and 12 do not match at train.py:93. "
        "22 updates were seen; what they show is judged."
    )
    subject = _words(_classed(pages.page("failed"), "subject")[0])
    assert "RuntimeError" not in subject, "once is enough"
    assert headline.notices(reports.ill()) == []
    assert headline.notices(pages.bare()) == [], "its headline is that it died"


def test_too_little_to_judge_is_never_healthy() -> None:
    seen = pages.failed().observation.model_copy(update={"steps": 7, "evaluations": 0})
    report = pages.failed().model_copy(update={"observation": seen, "exit": Exit(code=3)})
    text = render(report)
    (lead,), (notice,), (calm,) = (_classed(text, name) for name in ("lead", "notice", "calm"))
    assert _words(lead) == "Too little to judge: only 7 updates were seen."
    assert _words(notice).endswith(
        "at train.py:93. Only 7 updates were seen, too few to judge it as a whole."
    )
    assert _words(calm) == "None in what little was seen: no verdict is one of health."
    assert headline.title([report]) == "train.py: not judged"
    short = report.model_copy(update={"observation": Observation(steps=1, evaluations=0, stopped="it ended")})
    assert headline.notices(short) == [
        headline.Notice("failed", ("Only 1 update was seen, too few to judge it as a whole.",))
    ]
    ill = reports.ill().model_copy(update={"exit": Exit(code=3)})
    assert headline.status(ill) == "error", "what is found is found"


def test_what_was_read_of_a_log_of_metrics_and_what_was_assumed_is_told() -> None:
    text = pages.page("foreign")
    subject = _words(_classed(text, "subject")[0])
    assert subject.startswith(
        "CSV log counted by update; training loss from loss<b>, validation loss from test_loss; 50 rows"
    )
    (notice,) = _classed(text, "assumed")
    assert _words(notice) == (
        "Assumed of the log 'test_loss' was taken for want of a validation loss. --map ROLE=COLUMN says it otherwise."
    )
    facts = _words(_classed(text, "facts")[0])
    assert "training loss: loss<b>, 60 values, by its name" in facts
    assert "validation loss: test_loss, 6 values, as said by --map" in facts
    assert "Not used accuracy" in facts
    assert "Ran on" not in facts


def test_a_log_without_doubts_has_no_notice() -> None:
    report = pages.foreign()
    assert report.subject.imported
    sure = report.subject.imported.model_copy(update={"doubts": ()})
    subject = report.subject.model_copy(update={"imported": sure})
    text = render(report.model_copy(update={"subject": subject}))
    assert _classed(text, "notice") == []
    assert "Assumed" not in text


def test_the_list_of_a_manifest_says_what_became_of_each_script() -> None:
    root = _root(pages.page("gated"))
    (heading,) = [each for each in root.iter() if each.tag == "h1"]
    assert _words(heading) == "4 scripts: 2 as expected, 1 failed, 1 not judged"
    (listed,) = _classed(pages.page("gated"), "overview")
    entries = list(listed)
    assert [each.get("class") for each in entries] == ["clear", "error", "clear", "warning"]
    assert _words(entries[0]) == "train.py --epochs 3 lm as expected no findings"
    assert "tagger failed" in _words(entries[1])
    assert "it raised ImportError" in _words(entries[3])


def test_reports_without_a_manifest_are_listed_by_what_was_found() -> None:
    assert headline.heading([reports.healthy(), reports.ill()]) == "2 trainings"
    entry = headline.entry("r1-", reports.ill())
    assert (entry.status, entry.outcome) == ("error", "")
    assert entry.told == ("2 errors, 5 warnings and 1 note, from 3 causes.",)


def test_a_tab_is_named_by_script_and_verdict() -> None:
    assert headline.title([reports.ill()]) == "train.py: 2 errors, 5 warnings and 1 note"
    assert headline.title([reports.healthy()]) == "train.py: nothing found"
    assert headline.title([pages.bare()]) == "train.py: not judged"
    assert headline.title(pages.gated()) == "4 scripts: rnn-doctor"
    assert headline.title([]) == "no trainings: rnn-doctor"


def test_the_sum_tells_of_the_baseline_and_the_exit_code() -> None:
    told = headline.in_all(reports.full())
    assert told == (
        "2 errors, 5 warnings and 1 note, from 3 causes; 6 new, 1 worse, 1 known; 1 finding suppressed; exit code 1."
    )


def test_several_ranks_are_told() -> None:
    report = reports.healthy()
    subject = report.subject.model_copy(update={"ranks": 2})
    text = render(report.model_copy(update={"subject": subject}))
    assert "SGD, 2 ranks; 50 updates" in _words(_classed(text, "subject")[0])


def test_an_observation_that_ended_as_wanted_is_no_failure() -> None:
    report = reports.healthy().model_copy(
        update={"observation": Observation(steps=50, evaluations=0, stopped="the script ended")}
    )
    assert headline.status(report) == "open"
