"""What the manifest expects of a script, and what became of it, in every format."""

import json
from xml.etree.ElementTree import Element

import pytest

from rnn_doctor.render import FORMATS
from rnn_doctor.schema.expectation import Expected
from rnn_doctor.schema.report import Exit, Report
from tests.render import readers, reports
from tests.render.test_overview import of

NOTE = "train.py failed with exit code 4"
LISTED = of(
    reports.full(),
    1,
    expect=("RD103", "RD601"),
    known=("RD308", "RD303"),
    found=("RD103", "RD308"),
    fixed=("RD303",),
    missing=("RD601",),
)
UNJUDGED = of(reports.healthy(), 3, note=NOTE)
SAID = {
    "fixed": "fixed: RD303; remove it from `known`",
    "missing": "RD601 must be found, and was not",
    "expected": "RD103 found, as it must be",
}


def plain(text: str) -> str:
    """The words, without what a format escapes or breaks."""
    return " ".join(text.replace("\\", "").replace("&#39;", "'").split())


@pytest.mark.parametrize("name", ["markdown", "github", "sarif", "junit", "html"])
def test_known_fixed_and_missing_are_told_in_every_format(name: str) -> None:
    text = plain(FORMATS[name](LISTED))
    for sentence in SAID.values():
        assert sentence in text
    assert NOTE in plain(FORMATS[name](UNJUDGED))


def test_json_keeps_it_whole() -> None:
    assert Report.model_validate_json(FORMATS["json"](LISTED)) == LISTED
    assert json.loads(FORMATS["json"](LISTED))["expected"]["missing"] == ["RD601"]


def test_a_listed_finding_is_marked_and_alarms_nobody() -> None:
    assert "error[RD103], known, as the manifest expects" in FORMATS["terminal"](LISTED)
    assert "warning[RD308], new, known to the manifest" in FORMATS["terminal"](LISTED)
    levels = {
        c.properties["title"].partition(" ")[0]: c.name for c in readers.commands(FORMATS["github"](LISTED))
    }
    assert (levels["RD103"], levels["RD308"], levels["RD403"]) == ("notice", "notice", "error")
    severities = {issue["check_name"].partition(" ")[0]: issue["severity"] for issue in gitlab(LISTED)}
    assert (severities["RD103"], severities["RD403"]) == ("info", "critical")
    suppressed = {
        result["ruleId"]: result["suppressions"][0]
        for result in readers.sarif(FORMATS["sarif"](LISTED))["results"]
        if "suppressions" in result
    }
    assert suppressed["RD103"] == {"kind": "external", "justification": "expected, by pyproject.toml"}
    assert "RD403" not in suppressed
    assert "expected, by the manifest" in FORMATS["html"](LISTED)


def gitlab(report: Report) -> list[dict[str, str]]:
    issues: list[dict[str, str]] = readers.gitlab(FORMATS["gitlab"](report))
    return issues


def test_gitlab_has_an_issue_for_what_is_missing_and_for_what_could_not_be_judged() -> None:
    missing = [i for i in gitlab(LISTED) if i["check_name"] == "rnn-doctor failed: RD601"]
    assert [issue["description"] for issue in missing] == [SAID["missing"]]
    (unjudged,) = gitlab(UNJUDGED)
    assert (unjudged["description"], unjudged["severity"]) == (NOTE, "critical")


def test_a_missing_finding_is_an_error_to_github_and_sarif() -> None:
    errors = [c.data for c in readers.commands(FORMATS["github"](LISTED)) if c.name == "error"]
    assert SAID["missing"] in errors
    (invocation,) = readers.sarif(FORMATS["sarif"](LISTED))["invocations"]
    levels = {n["message"]["text"]: n["level"] for n in invocation["toolExecutionNotifications"]}
    assert (levels[SAID["missing"]], levels[SAID["fixed"]]) == ("error", "note")
    assert invocation["properties"]["manifest"] == "a.py"


def case(report: Report, name: str) -> Element:
    root: Element = readers.junit(FORMATS["junit"](report))
    return next(each for each in root.iter("testcase") if each.attrib["name"] == name)


def test_junit_fails_where_the_expectation_is_not_met() -> None:
    failure = case(LISTED, "a.py is as expected").find("failure")
    assert failure is not None
    assert failure.attrib["message"] == SAID["missing"]
    met = LISTED.model_copy(update={"expected": Expected(name="a.py", met=True)})
    assert case(met, "a.py is as expected").find("failure") is None
    assert case(UNJUDGED, "the script can be judged").find("failure") is not None


def test_junit_fails_also_where_a_single_script_could_not_be_judged() -> None:
    report = reports.full().model_copy(update={"exit": Exit(code=3)})
    assert case(report, "the script can be judged").find("failure") is not None
