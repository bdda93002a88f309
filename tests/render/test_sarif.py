"""SARIF, against the schema of OASIS, and what code scanning makes of it."""

from pathlib import Path
from typing import Any

import pytest

from rnn_doctor import pipeline
from rnn_doctor.render.sarif import render, together
from rnn_doctor.schema.report import Exit, RecurrentLayer, Report
from rnn_doctor.schema.values import Location
from rnn_doctor.settings import Settings
from tests.recorded import BUILT, exited, run_log, steps, stop
from tests.render import readers, reports


def results(report: Report) -> list[dict[str, Any]]:
    found = readers.sarif(render(report))["results"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("name", ["ill", "full", "healthy", "hostile"])
def test_it_keeps_its_schema(name: str) -> None:
    run = readers.sarif(render(getattr(reports, name)()))
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_findings_lines_and_severities_are_those_of_the_report() -> None:
    report = reports.ill()
    read = []
    for result in results(report):
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        line = physical["region"]["startLine"] if "region" in physical else None
        read.append((result["ruleId"], result["level"], physical["artifactLocation"]["uri"], line))
        assert result["message"]["text"].startswith(
            next(f.message for f in report.findings if f.rule == result["ruleId"])[:20]
        )
    assert read == [readers.found(finding, "train.py") for finding in report.findings]


def test_a_rule_is_told_with_its_page() -> None:
    rules = {rule["id"]: rule for rule in readers.sarif(render(reports.full()))["tool"]["driver"]["rules"]}
    assert list(rules) == ["RD103", "RD308", "RD401", "RD403", "RD410", "RD501"]
    rule = rules["RD403"]
    assert rule["name"] == "unscaled-inputs"
    assert rule["shortDescription"]["text"] == "What is found."
    assert rule["fullDescription"]["text"].startswith("What is found. A gate of")
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"]["precision"] == "high"
    text, markdown = rule["help"]["text"], rule["help"]["markdown"]
    assert "- input_std > 10: healthy inputs stay below 3" in text
    titles = ["Why", "Found when all of these hold", "Confidence", "Limits", "Sources"]
    assert [line[3:] for line in markdown.splitlines() if line.startswith("## ")] == titles
    assert "open or shut.\n\nThe rest {{follows}}" in markdown
    assert any(
        token.type == "code_inline" and token.content == "nn.LSTM" for token in readers.markdown(markdown)
    )


def test_rules_of_ones_own_are_told_too(tmp_path: Path) -> None:
    shipped = next(Path("rules").resolve().glob("RD103-*.toml")).read_text(encoding="utf-8")
    own = shipped.replace("RD103", "OWN103").replace("gradient-spikes", "own-spikes")
    (tmp_path / "OWN103-own-spikes.toml").write_text(own, encoding="utf-8")
    log = run_log([*BUILT, *steps(30), stop("steps"), exited(0)])
    report = pipeline.examine(log, Settings(rules=(tmp_path,)))
    rules = {rule["id"]: rule for rule in readers.sarif(render(report))["tool"]["driver"]["rules"]}
    assert rules["OWN103"]["help"]["text"] == rules["RD103"]["help"]["text"]
    assert len(rules) == len(report.rules)


def test_confidence_is_the_rank() -> None:
    ranks = {result["ruleId"]: result["rank"] for result in results(reports.full())}
    assert ranks == {"RD403": 93.3, "RD103": 75.0, "RD308": 100.0, "RD410": 100.0}


def test_causes_and_consequences_point_to_each_other() -> None:
    cause, consequence = results(reports.ill())[:2]
    (to_consequence, layer) = cause["relatedLocations"]
    assert to_consequence["physicalLocation"]["region"]["startLine"] == 57
    assert to_consequence["message"]["text"].startswith("a consequence: RD103 gradient-spikes")
    assert layer["physicalLocation"]["region"]["startLine"] == 18
    assert consequence["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 31
    assert consequence["relatedLocations"][0]["message"]["text"].startswith("the cause: RD403")
    assert [location["id"] for location in cause["relatedLocations"]] == [0, 1]


def test_suppressions_and_the_baseline() -> None:
    found = results(reports.full())
    states = [result.get("baselineState") for result in found]
    assert states == ["updated", "unchanged", *["new"] * 6, None, "absent"]
    assert found[-2]["suppressions"] == [{"kind": "inSource", "justification": "as in the paper"}]


@pytest.mark.parametrize(("code", "finished"), [(0, True), (1, True), (3, False), (130, False)])
def test_the_invocation_tells_how_it_ended(code: int, finished: bool) -> None:
    report = reports.full().model_copy(update={"exit": Exit(code=code)})
    (invocation,) = readers.sarif(render(report))["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (code, finished)
    assert invocation["properties"]["conditions"]["slow_convergence"] == "present"


def test_what_was_not_assessed_is_a_notification_of_its_rule() -> None:
    run = readers.sarif(render(reports.full()))
    first, second = run["invocations"][0]["toolExecutionNotifications"]
    assert "associatedRule" not in first, "RD101 is not among the rules of this report"
    assert second["associatedRule"] == {"id": "RD501", "index": 5}
    assert second["message"]["text"] == "RD501 overfitting was not assessed: no evaluation was seen"


@pytest.mark.parametrize(
    ("file", "uri", "below"),
    [
        ("src/train.py", "src/train.py", True),
        ("src\\train.py", "src/train.py", True),
        ("a b/ü#?%.py", "a%20b/%C3%BC%23%3F%25.py", True),
        ("<string>", "%3Cstring%3E", True),
        ("/opt/x y.py", "file:///opt/x%20y.py", False),
        ("C:\\x\\y.py", "file:///C:/x/y.py", False),
        ("~/x.py", "~/x.py", False),
        ("javascript:alert(1)", "javascript%3Aalert%281%29", True),
    ],
)
def test_files_are_uris(file: str, uri: str, below: bool) -> None:
    finding = reports.ill().findings[0].model_copy(update={"location": Location(file=file, line=3)})
    (result,) = results(reports.ill().model_copy(update={"findings": (finding,)}))
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": uri} | ({"uriBaseId": "%SRCROOT%"} if below else {})


def test_a_module_run_by_name_is_shown_where_its_layers_are() -> None:
    report = reports.ill()
    finding = next(f for f in report.findings if f.location is None)
    layer = RecurrentLayer(name="x", kind="GRU", location=Location(file="pkg/model.py", line=2))
    for layers, file in (((layer,), "pkg/model.py"), ((), None)):
        subject = report.subject.model_copy(update={"script": "-m pkg.train", "recurrent": layers})
        (result,) = results(report.model_copy(update={"subject": subject, "findings": (finding,)}))
        place = result["locations"][0].get("physicalLocation")
        assert (place["artifactLocation"]["uri"] if place else None) == file


def test_a_line_that_is_none_is_left_out() -> None:
    finding = reports.ill().findings[0].model_copy(update={"location": Location(file="a.py", line=0)})
    (result,) = results(reports.ill().model_copy(update={"findings": (finding,)}))
    assert "region" not in result["locations"][0]["physicalLocation"]


def test_no_text_is_a_link_or_a_placeholder() -> None:
    finding = reports.ill().findings[0].model_copy(update={"message": "see [x](1) and {0}"})
    (result,) = results(reports.ill().model_copy(update={"findings": (finding,)}))
    assert result["message"]["text"].startswith("see [x] (1) and {{0}}")


def test_several_reports_are_one_run() -> None:
    other = reports.full().model_copy(
        update={"subject": reports.full().subject.model_copy(update={"script": "b.py"})}
    )
    run = readers.sarif(together([reports.full(), other, reports.healthy()]))
    assert [i["properties"]["script"] for i in run["invocations"]] == ["train.py", "b.py", "train.py"]
    assert run["automationDetails"]["id"] == "rnn-doctor/"
    prints = [r["partialFingerprints"]["rnnDoctor/v1"] for r in run["results"]]
    assert len(set(prints)) == len(prints)
    assert readers.sarif(render(reports.ill()))["automationDetails"]["id"] == "rnn-doctor/train.py/"
    assert readers.sarif(together([]))["results"] == []
