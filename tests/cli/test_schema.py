"""The published schemas, and files held against them."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rnn_doctor.cli.schema import NAMES
from tests.cli.conftest import Run
from tests.cli.test_rule import RULE
from tests.generated import ROOT
from tests.recorded import BUILT, CRASH, exited, steps, stop, write


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one(run: Run, name: str) -> None:
    schema = json.loads(run("schema", name).out)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_run_log_is_checked_line_by_line(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", [*BUILT, *steps(3), CRASH, stop("crash"), exited(1)])
    result = run("schema", "runlog", "--check", "run.jsonl")
    assert (result.code, result.out) == (0, "run.jsonl: a valid runlog (schema version 1)\n")
    with path.open("a", encoding="utf-8") as file:
        file.write('{"record": "step", "step": "four", "elapsed": 1}\n{"record": "step", "st')
    result = run("schema", "runlog", "--check", "run.jsonl")
    assert result.code == 2
    assert result.err.count("\n") == 1, "the line that was cut off is no problem"
    assert "run.jsonl:12: $.step: 'four' is not of type 'integer'" in result.err


def test_a_report_is_checked(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "run.jsonl", [*BUILT, *steps(30), stop("steps")])
    run("diagnose", "-f", "json", "-o", "report.json", "run.jsonl")
    assert run("schema", "report", "--check", "report.json").code == 0
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    del report["conditions"]["overfitting"]
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    result = run("schema", "report", "--check", "report.json")
    assert result.code == 2
    assert "report.json: $.conditions: 'overfitting' is a required property" in result.err


def test_a_rule_is_checked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rule.toml").write_text(RULE, encoding="utf-8")
    assert run("schema", "rule", "--check", "rule.toml").code == 0
    (tmp_path / "rule.toml").write_text(RULE.replace('"warning"', '"grave"'), encoding="utf-8")
    result = run("schema", "rule", "--check", "rule.toml")
    assert result.code == 2
    assert "'grave' is not one of ['error', 'warning', 'note']" in result.err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("report", "{", "not JSON"), ("rule", "id = ", "not TOML"), ("runlog", "no\n", "not JSON")],
)
def test_what_is_not_even_the_notation(
    run: Run, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / "file").write_text(content, encoding="utf-8")
    result = run("schema", name, "--check", "file")
    assert result.code == 2
    assert f"file: {message}" in result.err


@pytest.mark.parametrize("path", sorted((ROOT / "rules").rglob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_rule_and_remedy_keeps_its_schema(run: Run, path: Path) -> None:
    name = "remedy" if path.parent.name == "remedies" else "rule"
    assert run("schema", name, "--check", str(path)).err == ""


@pytest.mark.parametrize(
    ("line", "message"), [('{"record": "stpe"}', "'stpe' is no kind"), ("[]", "None is no kind")]
)
def test_a_line_that_is_no_record(run: Run, tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "run.jsonl").write_text(line + "\n", encoding="utf-8")
    result = run("schema", "runlog", "--check", "run.jsonl")
    assert result.code == 2
    assert f"run.jsonl:1: {message}" in result.err
