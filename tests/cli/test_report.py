"""Stored reports rendered again: also those of the first version, and never what is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_doctor.render import FORMATS, JOINED, TOGETHER
from rnn_doctor.schema.report import Report
from tests.cli.conftest import Run
from tests.recorded import BUILT, exited, steps, stop, write
from tests.render import readers, reports, test_expected, test_overview

GOLD = Path(__file__).parent.parent / "gold"
FIRST = GOLD / "report-v1.json"
"""The ill language model, as the first version of the schema told it."""


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    (tmp_path / "report.json").write_text(FORMATS["json"](reports.full()), encoding="utf-8")
    return tmp_path / "report.json"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("terminal", "report-v1.txt"),
        ("markdown", "report-v1.md"),
        ("github", "report-v1.github.txt"),
        ("sarif", "report-v1.sarif"),
        ("gitlab", "report-v1.gitlab.json"),
        ("junit", "report-v1.xml"),
    ],
)
def test_a_report_of_the_first_version_gives_the_same_pages(
    run: Run, gold: Callable[[str, str], None], name: str, file: str
) -> None:
    result = run("report", str(FIRST), "-f", name)
    assert (result.code, result.err) == (0, "")
    gold(file, result.out)


def _kept(new: Any, old: Any) -> Any:
    """What of the new value the old one has too: later versions add keys."""
    if isinstance(old, dict):
        return {key: _kept(new[key], value) for key, value in old.items()}
    if isinstance(old, list):
        return [_kept(*pair) for pair in zip(new, old, strict=True)]
    return new


def test_of_the_first_version_no_finding_is_lost(run: Run) -> None:
    data = json.loads(FIRST.read_text(encoding="utf-8"))
    expected = [
        (f["rule"], f["severity"], f["location"]["file"], f["location"]["line"]) for f in data["findings"]
    ]
    assert len(expected) == 2
    again = json.loads(run("report", str(FIRST), "-f", "json").out)
    assert _kept(again, data) == data
    assert all(finding["fingerprint"] for finding in again["findings"])
    results = readers.sarif(run("report", str(FIRST), "-f", "sarif").out)["results"]
    places = [r["locations"][0]["physicalLocation"] for r in results]
    assert expected == [
        (r["ruleId"], r["level"], p["artifactLocation"]["uri"], p["region"]["startLine"])
        for r, p in zip(results, places, strict=True)
    ]
    issues = readers.gitlab(run("report", str(FIRST), "-f", "gitlab").out)
    assert [(i["location"]["path"], i["location"]["lines"]["begin"]) for i in issues] == [
        e[2:] for e in expected
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_the_page_is_that_of_the_report(run: Run, stored: Path, name: str) -> None:
    shown = run("report", "report.json", "-f", name).out
    assert shown.rstrip("\n") == FORMATS[name](reports.full()).rstrip("\n")


@pytest.mark.parametrize(
    ("file", "begins"),
    [
        ("page.md", "### rnn-doctor"),
        ("page.XML", "<?xml"),
        ("page.sarif", '{\n  "$schema"'),
        ("page.sarif.json", '{\n  "$schema"'),
        ("page.json", '{\n  "schema_version"'),
        ("page.txt", "train.py"),
    ],
)
def test_the_name_of_the_file_tells_the_format(run: Run, stored: Path, file: str, begins: str) -> None:
    assert run("report", "report.json", "-o", file).code == 0
    assert stored.with_name(file).read_text(encoding="utf-8").startswith(begins)
    run("report", "report.json", "-o", file, "-f", "github")
    assert stored.with_name(file).read_text(encoding="utf-8").startswith("::notice")


def test_several_reports_of_a_list_are_rendered_whole(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "run.jsonl", [*BUILT, *steps(30), stop("steps"), exited(0)])
    run("diagnose", "run.jsonl", "run.jsonl", "-o", "both.json")
    assert len(json.loads(run("report", "both.json", "-f", "json").out)) == 2
    assert len(readers.junit(run("report", "both.json", "-f", "junit").out)) == 2
    assert len(readers.sarif(run("report", "both.json", "-f", "sarif").out)["invocations"]) == 2
    assert run("report", "both.json", "-f", "markdown").out.count("### rnn-doctor") == 2
    assert run("report", "both.json").out.count("vanishing gradients") == 2


def test_diagnose_writes_every_format_of_several_runs(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "run.jsonl", [*BUILT, *steps(30), stop("steps"), exited(0)])
    for name in FORMATS:
        result = run("diagnose", "-f", name, "run.jsonl", "run.jsonl")
        if name in JOINED or name in TOGETHER:
            assert (result.code, result.err) == (0, "")
            assert result.out
        else:
            assert (result.code, result.out) == (2, "")
            assert f"{name} holds one report, and there are 2" in result.err


@pytest.mark.parametrize(
    ("fail_on", "code", "failing"),
    [(None, 0, 1), ("error", 1, 1), ("warning", 1, 6), ("note", 1, 7), ("never", 0, 0)],
)
def test_findings_fail_as_they_did_unless_they_are_judged_anew(
    run: Run, stored: Path, fail_on: str | None, code: int, failing: int
) -> None:
    options = ["--fail-on", fail_on] if fail_on else []
    result = run("report", "report.json", "-f", "json", *options)
    assert result.code == code
    assert len(json.loads(result.out)["exit"]["failing"]) == failing


def test_a_report_tells_how_its_command_ended(run: Run, tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "sample_logs" / "charlm_exploding.jsonl"
    result = run("diagnose", "-f", "json", str(sample))
    report = json.loads(result.out)
    assert result.code == report["exit"]["code"] == 1
    assert report["exit"]["failing"] == [
        finding["fingerprint"] for finding in report["findings"] if finding["severity"] == "error"
    ]
    lenient = json.loads(run("diagnose", "-f", "json", "--fail-on", "never", str(sample)).out)
    assert lenient["exit"] == {"code": 0, "failing": []}


def _changed(**fields: Any) -> str:
    return json.dumps(json.loads(FORMATS["json"](reports.healthy())) | fields)


def _with_profile(**fields: Any) -> str:
    profile = {"module": "x", "step": 1, "lags": [0, 1], "decades": [0, -1]} | fields
    return _changed(profiles={"by_lag": [profile]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no report"),
        ('{"schema_version": 1, "tool', "no report"),
        (_changed(schema_version=2), "report schema version 2, this rnn-doctor reads up to 1; upgrade"),
        (_changed(findings="x"), "findings"),
        (_changed(extra=1), "extra"),
        ('{"record": "header", "schema_version": 1}\n{"record": "step"}\n', "run log"),
        ("[" * 200_000, "no report"),
        ('{"a":' * 200_000, "no report"),
        ('{"tool": ' + "[" * 900 + "]" * 900 + "}", "no report"),
        ("\x00\x01", "no report"),
        (_with_profile(lags=[]), "lags"),
        (_with_profile(lags=[1, 1]), "lags"),
        (_with_profile(decades=[0]), "one value a lag"),
    ],
)
def test_what_is_no_report_is_said_in_a_sentence(run: Run, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    result = run("report", "report.json")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("rnn-doctor: report.json: ")
    assert message in result.err.replace("\n  ", "; ")
    assert len(result.err) < 1000
    assert len(result.err.splitlines()) <= 2


def test_a_run_log_given_by_mistake_is_told_what_to_type(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "run.jsonl", [*BUILT, *steps(30), stop("steps"), exited(0)])
    result = run("report", "run.jsonl")
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines() == [
        "rnn-doctor: run.jsonl: no report of rnn-doctor but a run log",
        "  `rnn-doctor diagnose run.jsonl` reports on it",
    ]


@pytest.mark.parametrize(
    "line", ["report", "report nowhere.json", "report .", "report report.json -o nowhere/x.md"]
)
def test_bad_input(run: Run, stored: Path, line: str) -> None:
    result = run(*line.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("rnn-doctor: ")
    assert "internal error" not in result.err


def test_a_rule_has_two_forms(run: Run) -> None:
    result = run("rule", "RD103", "-f", "sarif")
    assert result.code == 2
    assert "'sarif' is no form of a rule" in result.err


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (test_expected.UNJUDGED, 3),
        (test_expected.LISTED, 1),
        (test_overview.of(reports.full(), 0, known=tuple(f.rule for f in reports.full().findings)), 0),
        (test_overview.of(reports.full(), 0, known=("RD103",)), 1),
    ],
)
def test_judged_anew_a_report_stands_to_the_manifest_as_before(
    run: Run, tmp_path: Path, report: Report, code: int
) -> None:
    (tmp_path / "report.json").write_text(FORMATS["json"](report), encoding="utf-8")
    assert run("report", "report.json", "--fail-on", "error").code == code
