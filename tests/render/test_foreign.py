"""A log of another library: every page says what was read of it as what, and where that was in doubt."""

import re

import pytest

from rnn_doctor.compare.reports import compare
from rnn_doctor.render import FORMATS
from rnn_doctor.render.comparison import side
from rnn_doctor.schema.imported import Column, ForeignLog
from rnn_doctor.schema.report import Report
from tests.render import readers, reports

DOUBT = "'val' and 'valid' are alike; 'val' was taken for the validation loss"


def report(*doubts: str, name: str = "loss") -> Report:
    columns = (Column(role="train_loss", name=name, values=50),)
    source = ForeignLog(format="CSV", axis="update", columns=columns, doubts=doubts)
    subject = reports.healthy().subject.model_copy(
        update={
            "script": "logs/a.csv",
            "arguments": (),
            "recurrent": (),
            "parameters": 0,
            "torch": "not logged",
            "imported": source,
        }
    )
    return reports.healthy().model_copy(update={"subject": subject})


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_a_page_says_what_was_taken_for_what_and_what_was_doubtful(form: str) -> None:
    text = re.sub(r"\s+", " ", FORMATS[form](report(DOUBT)).replace("\\", ""))
    assert "CSV log counted by update; train_loss = loss; 50 rows; the requested number" in text
    assert f"- {DOUBT}." in text
    assert "no recurrent layer" not in text
    assert "no optimizer" not in text
    assert DOUBT not in FORMATS[form](report())


def test_review_tools_are_told_of_doubts_too() -> None:
    (invocation,) = readers.sarif(FORMATS["sarif"](report(DOUBT)))["invocations"]
    assert f"{DOUBT}." in [each["message"]["text"] for each in invocation["toolExecutionNotifications"]]
    notice, *_ = readers.commands(FORMATS["github"](report(DOUBT)))
    assert notice.data.endswith(f"\n{DOUBT}.")


def test_doubts_are_a_list_of_their_own_in_markdown() -> None:
    tokens = readers.markdown(FORMATS["markdown"](report(DOUBT, "one `more`")))
    assert [readers.plain(t) for t in tokens if t.type == "inline"][2:4] == [
        f"{DOUBT}.",
        "One `more`.",
    ]


def test_what_a_log_names_steers_no_page() -> None:
    hostile = report("\x1b[31m\n::error::x" + "y" * 100_000, name="<script>\x07| `a`")
    for form in ("terminal", "markdown"):
        text = FORMATS[form](hostile)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
        assert not re.search(r"^\s*::", text, re.MULTILINE)
        assert len(text) < 10_000


def test_a_comparison_tells_nothing_of_what_such_a_log_has_not() -> None:
    assert side(compare([report()], report(), version="1.0").old) == "logs/a.csv; 50 steps; rnn-doctor 0.0.0"
