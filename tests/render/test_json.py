"""The JSON report, against the schema that the models publish."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rnn_doctor.render.json import render
from rnn_doctor.schema.report import Report
from tests.render import reports

SCHEMA: dict[str, Any] = Report.model_json_schema(mode="serialization")


@pytest.mark.parametrize("name", ["ill", "healthy", "hostile"])
def test_the_report_satisfies_its_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(json.loads(render(getattr(reports, name)())))


def test_the_schema_refuses_what_is_no_report() -> None:
    data = json.loads(render(reports.ill()))
    for change in ({"schema_version": 2}, {"extra": 1}, {"findings": [{"rule": "RD403"}]}):
        assert not Draft202012Validator(SCHEMA).is_valid(data | change)
    assert not Draft202012Validator(SCHEMA).is_valid({key: data[key] for key in data if key != "conditions"})


def test_reading_it_back_gives_the_same_report() -> None:
    assert Report.model_validate_json(render(reports.ill())) == reports.ill()


def test_the_keys_of_the_report() -> None:
    data = json.loads(render(reports.ill()))
    assert list(data) == [
        "schema_version",
        "tool",
        "subject",
        "observation",
        "conditions",
        "findings",
        "remedies",
        "contraindications",
        "not_assessed",
        "signals",
        "profiles",
        "rules",
        "thresholds",
        "suppressed",
        "remarks",
        "baseline",
        "rulebook",
        "exit",
        "expected",
    ]
    assert set(data["conditions"]) == {
        "vanishing_gradients",
        "exploding_gradients",
        "overfitting",
        "slow_convergence",
    }
    assert data["signals"][1]["measurements"]["run"]["value"] == "Infinity"


def test_it_is_strict_json_for_any_reader() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(render(reports.ill()), parse_constant=refuse)
