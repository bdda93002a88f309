"""The composite action: valid, safe, documented, and its shell lines do what they say. Runs are played."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.published import holds_against
from tests.generated import ROOT
from tests.players import write_player

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


def test_it_is_valid_as_github_publishes() -> None:
    holds_against("github-actions", ROOT / "action.yml")


def test_no_expression_is_pasted_into_a_command() -> None:
    commands = [step["run"] for step in STEPS.values() if "run" in step]
    assert len(commands) == 2
    assert not [command for command in commands if "${{" in command]


def test_every_input_is_used_and_every_use_is_an_input() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", json.dumps(ACTION["runs"])))
    assert used == set(ACTION["inputs"])


def test_every_input_and_output_is_documented_with_its_default() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    section = page[page.index("\n## GitHub\n") : page.index("\n## GitLab\n")]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    for name, entry in ACTION["inputs"].items():
        row = next((row for row in rows if f"`{name}`" in row.split("|")[1]), None)
        assert row, f"docs/ci.md has no row for {name}"
        assert row.split("|")[2].strip() == (f"`{entry['default']}`" if entry["default"] else "empty")
    assert all(f"`{name}`" in section for name in ACTION["outputs"])


def test_the_upload_runs_after_a_failure_too_but_not_without_a_file() -> None:
    condition = STEPS["Upload to code scanning"]["if"]
    assert "always()" in condition
    assert "steps.check.outputs.sarif != ''" in condition


@dataclass(frozen=True)
class Job:
    """What a runner would see of the step."""

    code: int
    out: str
    summary: str
    outputs: dict[str, str]


Step = Callable[..., Job]


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """Runs the step "Check" as a runner does, with inputs over their defaults."""
    player = write_player(tmp_path)
    for name, plays in (("healthy", "charlm"), ("ill", "charlm_exploding"), ("broken", "failure")):
        (tmp_path / f"{name}.py").write_text(f"# plays {plays}\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.rnn-doctor]\npython = "{player}"\n'
        '[[tool.rnn-doctor.check]]\nscript = "healthy.py"\n'
        '[[tool.rnn-doctor.check]]\nscript = "ill.py"\nknown = ["RD103"]\n',
        encoding="utf-8",
    )

    def run(**inputs: str) -> Job:
        given = {name: str(entry["default"]) for name, entry in ACTION["inputs"].items()}
        given |= {"python": sys.executable} | {
            name.replace("_", "-"): value for name, value in inputs.items()
        }
        contexts = {f"inputs.{name}": value for name, value in given.items()} | {
            "github.action_path": str(ROOT)
        }
        check = STEPS["Check"]
        files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        environment = {k: EXPRESSION.sub(lambda m: contexts[m[1]], v) for k, v in check["env"].items()}
        done = subprocess.run(
            [check["shell"], "--noprofile", "--norc", "-eo", "pipefail", "-c", check["run"]],
            cwd=tmp_path,
            env=os.environ
            | environment
            | {k: str(v) for k, v in files.items()}
            | {"RUNNER_TEMP": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
        return Job(
            done.returncode,
            done.stdout,
            files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"),
            dict(line.split("=", 1) for line in lines),
        )

    return run


@pytest.mark.e2e
def test_an_ill_script_fails_the_step_and_is_told_in_every_form(step: Step) -> None:
    job = step(script="ill.py", args="--epochs\n1 and more\n\n")
    assert (job.code, job.outputs["exit-code"]) == (1, "1")
    assert "ARGUMENTS --epochs 1 and more THREADS" in job.out
    report = json.loads(Path(job.outputs["report"]).read_text(encoding="utf-8"))
    assert report["subject"]["arguments"] == ["--epochs", "1 and more"]
    sarif = json.loads(Path(job.outputs["sarif"]).read_text(encoding="utf-8"))
    assert "RD103" in {result["ruleId"] for result in sarif["runs"][0]["results"]}
    assert re.search(r"^::error .*file=examples/charlm_exploding\.py", job.out, re.MULTILINE)
    assert "RD103" in job.summary


@pytest.mark.e2e
def test_the_output_of_a_script_is_no_command_to_the_runner(step: Step) -> None:
    job = step(script="healthy.py", args="\n::error::forged")
    token = re.search(r"^::stop-commands::(\S+)$", job.out, re.MULTILINE)
    assert token
    forged, end = job.out.index("::error::forged"), job.out.index(f"::{token[1]}::\n")
    assert token.start() < forged < end


@pytest.mark.e2e
def test_the_manifest_is_one_report(step: Step) -> None:
    job = step(annotations="false", summary="false")
    assert (job.code, job.summary) == (0, "")
    assert "::error" not in job.out
    reports = json.loads(Path(job.outputs["report"]).read_text(encoding="utf-8"))
    assert [report["subject"]["script"] for report in reports] == ["healthy.py", "ill.py"]
    sarif = json.loads(Path(job.outputs["sarif"]).read_text(encoding="utf-8"))
    assert sarif["version"] == "2.1.0"


@pytest.mark.parametrize("options", ["--ignore\nRD103\n--start-limit\n", "--start-limit\r\n\r\nsoon"])
def test_options_are_words_of_their_own(step: Step, options: str) -> None:
    job = step(script="broken.py", options=options)
    assert job.code == 2
    assert "--start-limit: '--'" in job.out or "--start-limit: 'soon' is not a number" in job.out


def test_a_script_that_fails_leaves_no_report_and_its_exit_code(step: Step) -> None:
    job = step(script="broken.py")
    assert (job.code, job.outputs) == (3, {"exit-code": "3"})
    assert "failed with exit code 4" in job.out


HOSTILE = "$(touch run) `touch run`; touch run # ' \" $x & touch run | touch run"


@pytest.mark.parametrize(
    "names",
    [("script", "fail_on", "steps", "baseline"), ("module", "steps"), ("args",), ("options",)],
    ids="-".join,
)
def test_nothing_in_an_input_is_run(step: Step, tmp_path: Path, names: tuple[str, ...]) -> None:
    job = step(**{"script": "broken.py"} | dict.fromkeys(names, HOSTILE))
    assert job.code in (2, 3)
    assert not (tmp_path / "run").exists()
    if names == ("args",):
        assert f"ARGUMENTS {HOSTILE} THREADS" in job.out, "handed on as one word"
