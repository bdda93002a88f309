"""What fails the gate: settings by script, thresholds, confidence and suppressions, from the command line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import stored
from tests.cli.conftest import Run
from tests.generated import ROOT

LOG = stored.log("charlm_exploding")
SCRIPT = "examples/charlm_exploding.py"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The script that was recorded, where the log says that it is."""
    script = tmp_path / SCRIPT
    script.parent.mkdir()
    shutil.copy(ROOT / SCRIPT, script)
    return script


def settings(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.rnn-doctor]\n{text}\n", encoding="utf-8")


def remarked(source: Path, finding: dict[str, Any], comment: str) -> None:
    """Adds a comment to the line of a finding."""
    lines = source.read_text(encoding="utf-8").split("\n")
    lines[finding["location"]["line"] - 1] += f"  # {comment}"
    source.write_text("\n".join(lines), encoding="utf-8")


def report(run: Run) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(run("diagnose", "-f", "json", str(LOG)).out)
    return data


def test_a_suppressed_finding_fails_nothing_and_is_told(run: Run, source: Path) -> None:
    for finding in stored.data(LOG.stem)["findings"]:
        remarked(source, finding, f"rnn-doctor: ignore[{finding['rule']}] it is the lesson of this example")
    result = run("diagnose", "--fail-on", "note", str(LOG))
    assert (result.code, result.err) == (0, "")
    first = stored.data(LOG.stem)["findings"][0]
    said = " ".join(result.out.split())
    assert f"suppressed: {first['rule']} {first['name']}" in said
    assert "it is the lesson of this example" in said
    assert "is suppressed at examples/charlm_exploding.py" in said
    assert "No findings; 2 findings suppressed; " in said
    after = report(run)
    assert [each["finding"]["rule"] for each in after["suppressed"]] == [
        f["rule"] for f in stored.data(LOG.stem)["findings"]
    ]
    assert (after["findings"], after["remedies"]) == ([], [])
    assert [c["verdict"] for c in after["conditions"].values()] == [
        c["verdict"] for c in stored.data(LOG.stem)["conditions"].values()
    ]


def test_an_unused_suppression_is_told_on_stderr_and_in_the_report(run: Run, source: Path) -> None:
    remarked(source, stored.data(LOG.stem)["findings"][0], "rnn-doctor: ignore[RD401] once it was")
    line = stored.data(LOG.stem)["findings"][0]["location"]["line"]
    result = run("diagnose", "-f", "json", str(LOG))
    assert f"{SCRIPT}:{line}: `ignore[RD401]` is unused" in result.err
    assert json.loads(result.out)["remarks"][0]["location"] == {
        "file": SCRIPT,
        "line": line,
        "function": None,
        "code": None,
    }
    assert "is unused" not in run("diagnose", "-q", str(LOG)).err


def test_confidence_decides_what_fails_and_not_what_is_told(run: Run, tmp_path: Path) -> None:
    words = {finding["rule"]: finding["confidence"]["word"] for finding in stored.data(LOG.stem)["findings"]}
    assert "certain" not in words.values()
    certain = run("diagnose", "--min-confidence", "certain", str(LOG))
    assert certain.code == 0
    assert all(rule in certain.out for rule in words)
    settings(tmp_path, 'min-confidence = "certain"')
    assert run("diagnose", str(LOG)).code == 0


def test_a_threshold_of_the_settings_decides_and_is_told(run: Run, tmp_path: Path) -> None:
    assert "RD103" in [finding["rule"] for finding in stored.data(LOG.stem)["findings"]]
    settings(tmp_path, "thresholds.RD103.grad_norm_spike_count = 1e30")
    after = report(run)
    assert "RD103" not in [finding["rule"] for finding in after["findings"]]
    assert after["thresholds"] == [
        {"rule": "RD103", "signal": "grad_norm_spike_count", "shipped": "> 0", "used": "> 1e+30"}
    ]
    out = " ".join(run("diagnose", str(LOG)).out.split())
    assert "threshold: RD103 asks for grad_norm_spike_count > 1e+30, as shipped > 0" in out
    page = " ".join(run("rule", "RD103").out.split())
    assert (
        "grad_norm_spike_count is above 1e+30: set in [tool.rnn-doctor.thresholds]; as shipped it is > 0"
        in page
    )
    settings(tmp_path, "thresholds.RD103.nonsense = 1")
    assert "has no such threshold" in run("diagnose", str(LOG)).err


def test_a_script_has_settings_of_its_own(run: Run, tmp_path: Path) -> None:
    settings(tmp_path, '[[tool.rnn-doctor.per-script]]\nmatch = "charlm_exploding.py"\nfail-on = "never"')
    other = stored.log("charlm_tiny_step")
    assert run("diagnose", str(LOG)).code == 0
    assert run("diagnose", str(LOG), str(other)).code == 1
    assert run("diagnose", "--fail-on", "error", str(LOG)).code == 1, "a flag goes first"


def test_check_asks_for_the_settings_of_its_script(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    settings(tmp_path, '[[tool.rnn-doctor.per-script]]\nmatch = "train.py"\nselect = ["RD998"]')
    assert "no rule matches 'RD998'" in run("check", "train.py").err
    assert "no rule matches 'RD998'" not in run("check", "-m", "no_such_module").err
