"""The recordings of sample_logs/ are valid, belong to the examples as they stand, and say what their page says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rnn_doctor import cli
from rnn_doctor.schema.runlog import SCHEMA_VERSION
from tests.sample_logs import FOLDER, ROOT, SAMPLES, Sample

LARGEST = 100_000
EXAMPLES = {path.stem for path in (ROOT / "examples").glob("*.py")}
SCHEMA = json.loads((ROOT / "rnn_doctor" / "schema" / "published" / "runlog-1.schema.json").read_text())
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def records(sample: Sample) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sample.log.read_text(encoding="utf-8").splitlines()]


def locations(value: Any) -> Iterator[dict[str, Any]]:
    """Every source line that a record names."""
    if isinstance(value, dict):
        if {"file", "line"} <= value.keys():
            yield value
        for inner in value.values():
            yield from locations(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from locations(inner)


def test_every_example_is_recorded_and_nothing_else_lies_there() -> None:
    assert {Path(sample.script).stem for sample in SAMPLES} == EXAMPLES
    assert {path.name for path in FOLDER.iterdir()} == {"README.md", *(s.log.name for s in SAMPLES)}


@every_sample
def test_each_line_is_valid_against_the_published_schema(sample: Sample) -> None:
    assert sample.log.stat().st_size < LARGEST
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for number, record in enumerate(records(sample), 1):
        error = next(iter(validator.iter_errors(record)), None)
        assert error is None, f"{sample.log.name}:{number}: {error.message if error else ''}"


@every_sample
def test_recorded_by_this_version_with_the_command_of_the_page(sample: Sample) -> None:
    header, *rest = records(sample)
    assert header["schema_version"] == SCHEMA_VERSION
    assert header["script"] == sample.script
    assert header.get("arguments", []) == []
    steps = sum(record["record"] == "step" for record in rest)
    assert steps == (sample.steps or 50)
    assert not [record for record in rest if record["record"] in ("sensor_off", "crash")]


@every_sample
def test_source_lines_are_those_of_the_examples_today(sample: Sample) -> None:
    named = [place for record in records(sample) for place in locations(record)]
    assert named
    for place in named:
        assert not Path(place["file"]).is_absolute()
        if place["file"].startswith("examples/"):
            source = (ROOT / place["file"]).read_text(encoding="utf-8").splitlines()
            assert source[place["line"] - 1].strip() == place["code"], "run `make sample-logs`"


@every_sample
def test_no_path_and_no_data_of_the_recording_machine(sample: Sample) -> None:
    text = sample.log.read_text(encoding="utf-8")
    home = re.escape(str(Path.home()))
    assert not re.search(rf'"(/|~|[A-Z]:\\|{home})|{re.escape(str(ROOT))}', text)


@every_sample
def test_diagnose_reports_the_same(
    sample: Sample,
    gold: Callable[[str, str], None],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    code = cli.run(sample.diagnosing)
    gold(f"sample-{sample.name}.txt", capfd.readouterr().out)
    row = next(
        line for line in (FOLDER / "README.md").read_text().splitlines() if f"| [{sample.log.name}]" in line
    )
    assert f"| exit {code}: " in row


def test_diagnosing_them_all_imports_no_torch() -> None:
    logs = [f"sample_logs/{sample.log.name}" for sample in SAMPLES]
    program = (
        "import sys; from rnn_doctor import cli; "
        f"code = cli.run(['diagnose', '-f', 'json', '-q', *{logs}]); "
        "sys.exit(f'torch was imported' if 'torch' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env=os.environ | {"COLUMNS": "80"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert len(json.loads(done.stdout)) == len(SAMPLES)
