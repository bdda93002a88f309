"""The GitLab job: valid, and its lines leave the reports that it announces. Runs are played."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from tests.ci.published import holds_against
from tests.generated import ROOT
from tests.players import write_player

TEMPLATE = ROOT / "ci" / "gitlab.yml"
JOB: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))["rnn-doctor"]


def test_it_is_valid_as_gitlab_publishes() -> None:
    holds_against("gitlab-ci", TEMPLATE)


def test_a_wrong_key_would_be_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        TEMPLATE.read_text(encoding="utf-8").replace("when: always", "when: sometimes"), encoding="utf-8"
    )
    with pytest.raises(jsonschema.ValidationError):
        holds_against("gitlab-ci", wrong)


def run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The job's lines, as a runner's shell takes them, with the rnn-doctor of this environment on PATH."""
    folder.joinpath("rnn-doctor").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m rnn_doctor "$@"\n', encoding="utf-8"
    )
    folder.joinpath("rnn-doctor").chmod(0o755)
    player = write_player(folder)
    folder.joinpath("pyproject.toml").write_text(
        f'[tool.rnn-doctor]\npython = "{player}"\n', encoding="utf-8"
    )
    folder.joinpath("ill.py").write_text("# plays charlm_exploding\n", encoding="utf-8")
    folder.joinpath("broken.py").write_text("# plays failure\n", encoding="utf-8")
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(JOB["script"])],
        cwd=folder,
        env=os.environ | JOB["variables"] | variables | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.e2e
def test_the_reports_that_it_announces_are_there(tmp_path: Path) -> None:
    done = run(tmp_path, RNN_DOCTOR_SCRIPT="ill.py --epochs 1", RNN_DOCTOR_OPTIONS="--steps 20")
    assert done.returncode == 1, done.stderr
    assert "error[RD103]" in done.stdout
    announced = [*JOB["artifacts"]["paths"], *JOB["artifacts"]["reports"].values()]
    assert all((tmp_path / name).stat().st_size for name in announced)
    quality = json.loads((tmp_path / JOB["artifacts"]["reports"]["codequality"]).read_text(encoding="utf-8"))
    assert "RD103" in {entry["check_name"].partition(" ")[0] for entry in quality}
    assert ElementTree.parse(tmp_path / JOB["artifacts"]["reports"]["junit"]).getroot() is not None


def test_nothing_in_a_variable_is_run(tmp_path: Path) -> None:
    done = run(tmp_path, RNN_DOCTOR_SCRIPT=f"broken.py $(touch {tmp_path}/run) * ; `touch run`")
    assert f"ARGUMENTS $(touch {tmp_path}/run) * ; `touch run` THREADS" in done.stderr
    assert done.returncode == 3
    assert not (tmp_path / "run").exists()


def test_an_old_report_is_no_report_of_this_run(tmp_path: Path) -> None:
    (tmp_path / "rnn-doctor.json").write_text("{}", encoding="utf-8")
    done = run(tmp_path, RNN_DOCTOR_SCRIPT="nowhere.py")
    assert done.returncode == 2
    assert not (tmp_path / "rnn-doctor.json").exists()
