"""Examinations from Python."""

from pathlib import Path

import pytest

from rnn_doctor import api
from rnn_doctor.errors import DoctorError, ScriptError, SettingsError
from tests.players import write_player
from tests.sample_logs import FOLDER


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_player(tmp_path)
    (tmp_path / "ill.py").write_text("# plays charlm_exploding\n", encoding="utf-8")
    (tmp_path / "broken.py").write_text("# plays failure\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.rnn-doctor]\npython = "./player"\n', encoding="utf-8")
    return tmp_path


def test_a_check_is_a_report(project: Path) -> None:
    report = api.check(Path("ill.py"), ["--deep"], steps=50, log="run.jsonl")
    assert (report.subject.script, report.subject.arguments) == ("ill.py", ("--deep",))
    assert "RD103" in {finding.rule for finding in report.findings}
    again = api.diagnose("run.jsonl", ignore="RD103")
    assert "RD103" not in {finding.rule for finding in again.findings}


def test_a_recorded_run_is_judged_by_the_settings_that_are_given() -> None:
    assert api.diagnose(FOLDER / "brackets_vanishing.jsonl", lag=50).findings[0].rule == "RD101"


def test_what_is_ill_is_an_assertion_that_carries_the_report() -> None:
    with pytest.raises(api.Unhealthy, match=r"error\[RD103\]") as caught:
        api.assert_healthy("ill.py")
    assert caught.value.report.conditions.exploding_gradients.verdict == "present"
    assert isinstance(caught.value, AssertionError)
    assert api.assert_healthy("ill.py", known=["RD103"]).findings, "the report tells what is known, too"


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (ScriptError, {"script": "broken.py"}, "failed with exit code 4"),
        (SettingsError, {"script": "ill.py", "stpes": 3}, "no setting 'stpes' .did you mean 'steps'"),
        (SettingsError, {"script": "ill.py", "steps": 0}, "steps: 0 is not a whole number"),
        (SettingsError, {"script": "ill.py", "known": ["RD99"]}, "known: no rule 'RD99'"),
        (SettingsError, {}, "no script was named"),
        (DoctorError, {"script": "nowhere.py"}, "no such script"),
    ],
)
def test_what_goes_wrong_is_said(kind: type[Exception], options: dict[str, object], message: str) -> None:
    with pytest.raises(kind, match=message):
        api.assert_healthy(**options)  # type: ignore[arg-type]


def test_a_training_that_is_too_short_is_no_healthy_one(project: Path) -> None:
    short = project / "short.jsonl"
    lines = (FOLDER / "charlm.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    steps = [line for line in lines if line.startswith('{"record": "step"')]
    short.write_text("".join(line for line in lines if line not in steps[1:]), encoding="utf-8")
    with pytest.raises(ScriptError, match="too little to judge was seen, 1 update"):
        api.diagnose(short)
