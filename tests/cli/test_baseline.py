"""A baseline fails for what is new or worse alone, also after a refactoring; `compare` tells two reports apart."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import stored
from tests.cli.conftest import Run

SOFTMAX = stored.log("seq2seq_double_softmax")
EXPLODING = stored.log("charlm_exploding")
Edit = Callable[[dict[str, Any]], dict[str, Any]]


def places(value: Any, edit: Edit) -> Any:
    """The record with every source line in it edited."""
    if isinstance(value, dict):
        inner = {key: places(each, edit) for key, each in value.items()}
        return edit(inner) if {"file", "line"} <= inner.keys() else inner
    return [places(each, edit) for each in value] if isinstance(value, list) else value


def rewritten(log: Path, to: Path, edit: Edit) -> Path:
    """The log as the script would have left it with its lines edited."""
    records = [places(json.loads(line), edit) for line in log.read_text(encoding="utf-8").splitlines()]
    to.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return to


def moved(place: dict[str, Any]) -> dict[str, Any]:
    """40 lines of helpers were put above, the function renamed, and the line commented on."""
    return place | {
        "line": place["line"] + 40,
        "function": "train",
        "code": f"{place.get('code', '')}  # moved",
    }


def to_another_file(place: dict[str, Any]) -> dict[str, Any]:
    return moved(place) | {"file": "project/training.py"}


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """Reports on two ill scripts, in one file."""
    return several(tmp_path / "baseline.json", SOFTMAX.stem, EXPLODING.stem)


def several(path: Path, *names: str) -> Path:
    """A file that holds the reports on these sample logs."""
    path.write_text(f"[{','.join(stored.text(name) for name in names)}]", encoding="utf-8")
    return path


@pytest.mark.parametrize("log", [SOFTMAX, EXPLODING], ids=lambda log: log.stem)
@pytest.mark.parametrize("edit", [moved, to_another_file])
def test_a_baseline_outlives_a_refactoring(
    run: Run, baseline: Path, tmp_path: Path, log: Path, edit: Edit
) -> None:
    new = rewritten(log, tmp_path / "new.jsonl", edit)
    held = run("diagnose", "-f", "json", "--fail-on", "warning", "--baseline", str(baseline), str(new))
    assert (held.code, held.err) == (0, "")
    report = json.loads(held.out)
    assert report["findings"]
    assert {finding["change"] for finding in report["findings"]} == {"known"}
    assert report["baseline"] == {"found": True, "gone": [], "unjudged": []}
    lines = [finding["location"]["line"] for finding in report["findings"]]
    before = [f["location"]["line"] for r in json.loads(baseline.read_text()) for f in r["findings"]]
    assert not set(lines) & set(before), "every line has moved"


def test_moved_lines_alone_leave_the_fingerprints(run: Run, tmp_path: Path) -> None:
    new = rewritten(SOFTMAX, tmp_path / "new.jsonl", moved)
    after = json.loads(run("diagnose", "-f", "json", str(new)).out)
    before = stored.data(SOFTMAX.stem)
    assert [f["fingerprint"] for f in before["findings"]] == [f["fingerprint"] for f in after["findings"]]


def edited_baseline(baseline: Path, edit: Callable[[list[dict[str, Any]]], None]) -> None:
    """The stored reports after one change of their findings."""
    data = json.loads(baseline.read_text(encoding="utf-8"))
    for report in data:
        edit(report["findings"])
    baseline.write_text(json.dumps(data), encoding="utf-8")


def test_one_finding_more_fails_and_is_marked(run: Run, baseline: Path) -> None:
    edited_baseline(baseline, lambda findings: findings.clear())
    result = run("diagnose", "--baseline", str(baseline), str(EXPLODING))
    assert result.code == 1
    assert "error[RD103], new: " in result.out
    assert "warning[RD202], new: " in result.out
    assert "; 2 new; " in " ".join(result.out.split())


def test_what_got_worse_fails_and_what_is_gone_is_told(run: Run, baseline: Path) -> None:
    def other(findings: list[dict[str, Any]]) -> None:
        gone = findings[0] | {"rule": "RD104", "name": "non-finite-values", "fingerprint": "0" * 16}
        findings[0]["severity"] = "warning"
        findings.append(gone)

    edited_baseline(baseline, other)
    result = run("diagnose", "--baseline", str(baseline), str(EXPLODING))
    assert result.code == 1
    assert "error[RD103], worse (was a warning): " in result.out
    assert "gone: error RD104 non-finite-values" in result.out
    ignored = run("diagnose", "--ignore", "RD104", "--baseline", str(baseline), str(EXPLODING))
    assert "not judged this time: error RD104 non-finite-values" in ignored.out


def test_a_script_that_the_baseline_does_not_know_is_said(run: Run, baseline: Path) -> None:
    result = run("diagnose", "--baseline", str(baseline), str(stored.log("charlm_tiny_step")))
    assert result.code == 1
    assert "holds no report on examples/charlm_tiny_step.py: every finding is new" in result.err


@pytest.mark.parametrize(
    "command", ["check --baseline b.json train.py", "diagnose --baseline b.json x.jsonl"]
)
@pytest.mark.parametrize(
    ("text", "said"), [(None, "b.json: No such file"), ("{}", "b.json: no report of rnn-doctor")]
)
def test_a_baseline_that_is_none_is_said_at_once(
    run: Run, tmp_path: Path, command: str, text: str | None, said: str
) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit('must not run')\n", encoding="utf-8")
    if text is not None:
        (tmp_path / "b.json").write_text(text, encoding="utf-8")
    result = run(*command.split())
    assert result.code == 2
    assert said in result.err
    assert "must not run" not in result.err


@pytest.fixture
def twins(tmp_path: Path) -> None:
    """charlm.json, a healthy run, and exploding.json, its ill twin."""
    (tmp_path / "charlm.json").write_text(stored.text("charlm"), encoding="utf-8")
    (tmp_path / "exploding.json").write_text(stored.text(EXPLODING.stem), encoding="utf-8")


@pytest.mark.usefixtures("twins")
def test_compare_fails_for_what_is_new_and_not_for_what_is_gone(run: Run) -> None:
    worse = run("compare", "charlm.json", "exploding.json")
    assert (worse.code, worse.err) == (1, "")
    assert "exploding gradients: absent -> present" in worse.out
    assert "grad_norm_spike_max" in worse.out
    assert max(map(len, worse.out.splitlines())) <= 80
    better = run("compare", "exploding.json", "charlm.json")
    assert better.code == 0
    assert "gone" in better.out
    assert run("compare", "exploding.json", "exploding.json").code == 0


@pytest.mark.usefixtures("twins")
def test_options_and_settings_decide_what_fails(run: Run, tmp_path: Path) -> None:
    assert run("compare", "--fail-on", "never", "charlm.json", "exploding.json").code == 0
    assert run("compare", "--min-confidence", "certain", "charlm.json", "exploding.json").code == 0
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.rnn-doctor.per-script]]\nmatch = "charlm_exploding.py"\nfail-on = "never"\n', encoding="utf-8"
    )
    assert run("compare", "charlm.json", "exploding.json").code == 0


@pytest.mark.usefixtures("twins")
def test_forms_of_a_comparison(run: Run, tmp_path: Path) -> None:
    data = json.loads(run("compare", "-f", "json", "charlm.json", "exploding.json").out)
    assert [finding["change"] for finding in data["findings"]] == ["new", "new"]
    assert "| new | error RD103" in run("compare", "-f", "markdown", "charlm.json", "exploding.json").out
    (tmp_path / "pyproject.toml").write_text('[tool.rnn-doctor]\nformat = "json"\n', encoding="utf-8")
    assert json.loads(run("compare", "charlm.json", "exploding.json").out) == data
    (tmp_path / "pyproject.toml").unlink()
    run("compare", "-o", "c.md", "charlm.json", "exploding.json")
    assert "| new | error RD103" in (tmp_path / "c.md").read_text(encoding="utf-8")
    assert run("compare", "-o", "c.json", "charlm.json", "exploding.json").out == ""
    assert run("schema", "comparison", "--check", "c.json").code == 0


def scaled(path: Path, factor: float, signal: str = "loss_end_ratio") -> str:
    """A report on the healthy run in which one number is this many times what it was."""
    data = stored.data("charlm")
    (found,) = [each for each in data["signals"] if each["name"] == signal]
    found["measurements"]["run"]["value"] *= factor
    path.write_text(json.dumps(data), encoding="utf-8")
    return path.name


def test_repeats_tell_what_is_noise(run: Run, tmp_path: Path) -> None:
    """Three times as much is no move where the repeats differ by as much, and 8 % is one where they hardly differ."""
    wide = [scaled(tmp_path / f"wide-{factor}.json", factor) for factor in (0.5, 1, 2)]
    narrow = [scaled(tmp_path / f"narrow-{factor}.json", factor) for factor in (0.99, 1, 1.01, 1.005)]
    triple, more = scaled(tmp_path / "triple.json", 3), scaled(tmp_path / "more.json", 1.08)
    alone = json.loads(run("compare", "-f", "json", wide[1], triple).out)
    assert [each["signal"] for each in alone["unsure"]] == ["loss_end_ratio"]
    assert alone["numbers"] == []
    held = json.loads(run("compare", "-f", "json", *wide, triple).out)
    assert (held["numbers"], held["unsure"], held["repeats"]) == ([], [], 3)
    moved = run("compare", "-f", "json", "-o", "c.json", *narrow, more)
    assert moved.code == 0
    (number,) = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["numbers"]
    assert (number["signal"], number["basis"]) == ("loss_end_ratio", "repeats")
    assert run("schema", "comparison", "--check", "c.json").code == 0


def test_reports_of_several_scripts_are_compared_one_by_one(run: Run, baseline: Path, tmp_path: Path) -> None:
    several(tmp_path / "new.json", SOFTMAX.stem, EXPLODING.stem, "charlm")
    result = run("compare", "-f", "json", str(baseline), "new.json")
    assert [each["new"]["script"] for each in json.loads(result.out)] == [
        "examples/seq2seq_double_softmax.py",
        "examples/charlm_exploding.py",
    ]
    assert result.code == 0
    assert "no older report on examples/charlm.py" in result.err
    (tmp_path / "other.json").write_text(stored.text("brackets"), encoding="utf-8")
    assert run("compare", "other.json", "new.json").code == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("compare", "Missing argument"),
        ("compare nowhere.json charlm.json", "nowhere.json: No such file"),
        ("compare charlm.json run.jsonl", "run.jsonl: no report"),
        ("compare -f xml charlm.json charlm.json", "'xml' is not one of terminal, markdown, json"),
        ("compare -f jsn charlm.json charlm.json", "(did you mean 'json'?)"),
        ("compare -o c.html charlm.json charlm.json", "c.html: a comparison has no form 'html'"),
        ("compare -o nowhere/c.txt charlm.json charlm.json", "there is no folder nowhere"),
    ],
)
@pytest.mark.usefixtures("twins")
def test_bad_input_is_said(run: Run, tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "run.jsonl").write_bytes(stored.log("charlm").read_bytes())
    result = run(*line.split())
    assert (result.code, result.out) == (2, "")
    assert said in result.err
