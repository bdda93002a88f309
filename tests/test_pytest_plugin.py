"""The fixture `rnn_doctor`: what a test of a training looks like, and what it says when it fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.players import write_player

TESTS = """\
def test_healthy(rnn_doctor):
    report = rnn_doctor.assert_healthy("healthy.py", ["--epochs", "1"], steps=50)
    assert report.subject.arguments == ("--epochs", "1")

def test_ill(rnn_doctor):
    rnn_doctor.assert_healthy("ill.py")

def test_known(rnn_doctor):
    rnn_doctor.assert_healthy("ill.py", known=["gradient-spikes"])

def test_lenient(rnn_doctor):
    rnn_doctor.assert_healthy("ill.py", fail_on="never")

def test_a_report_is_an_object(rnn_doctor):
    report = rnn_doctor.check("ill.py", log="run.jsonl")
    assert report.conditions.exploding_gradients.verdict == "present"

def test_a_script_that_fails(rnn_doctor):
    rnn_doctor.check("broken.py")

def test_a_setting_that_is_none(rnn_doctor):
    rnn_doctor.check("healthy.py", stpes=3)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_player(tmp_path)
    for name, plays in (("healthy", "charlm"), ("ill", "charlm_exploding"), ("broken", "failure")):
        (tmp_path / f"{name}.py").write_text(f"# plays {plays}\n", encoding="utf-8")
    (tmp_path / "test_training.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.rnn-doctor]\npython = "./player"\n', encoding="utf-8")
    return tmp_path


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.e2e
def test_trainings_are_tested(project: Path) -> None:
    done = run_pytest(project, "-q", "-rf", "-W", "error")
    text = done.stdout
    assert done.returncode == 1
    assert "3 failed, 4 passed" in text, text
    assert (project / "run.jsonl").exists()
    assert "rnn-doctor found this training ill" in text
    assert "exploding gradients  PRESENT" in text
    assert "error[RD103]: The gradient norm jumped" in text
    assert "--> examples/charlm_exploding.py:" in text, "the source line of the finding"
    assert "Remedies, the one to try first in front" in text
    assert "Traceback: no data" in text, "what the script wrote is captured"
    assert "broken.py failed with exit code 4" in text
    assert "no setting 'stpes' (did you mean 'steps'?)" in text
    assert "api.py" not in text, "no frame of ours"


def test_nothing_is_imported_before_a_test_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('IMPORTED', *sorted(n for n in sys.modules if n.partition('.')[0] in\n"
        "          ('rnn_doctor', 'torch', 'numpy', 'scipy', 'pydantic', 'rich', 'click')))\n",
        encoding="utf-8",
    )
    done = run_pytest(tmp_path, "-q", "--co", "-p", "no:hypothesispytest")
    tag = next(line for line in done.stdout.splitlines() if line.startswith("IMPORTED"))
    assert set(tag.split()) == {"IMPORTED", "rnn_doctor", "rnn_doctor.pytest_plugin"}


def test_the_fixture_tells_how_it_is_used(tmp_path: Path) -> None:
    assert "rnn_doctor.assert_healthy(" in run_pytest(tmp_path, "--fixtures", "-q").stdout


@pytest.mark.e2e
def test_workers_of_xdist_have_it_too(project: Path) -> None:
    done = run_pytest(project, "-q", "-n", "2", "-W", "error", "-k", "healthy or ill or known")
    assert "1 failed, 2 passed" in done.stdout, done.stdout
    assert "error[RD103]: The gradient norm jumped" in done.stdout


def test_it_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(rnn_doctor): pass\n", encoding="utf-8")
    assert "fixture 'rnn_doctor' not found" in run_pytest(tmp_path, "-p", "no:rnn_doctor").stdout
