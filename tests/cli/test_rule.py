"""Listing, explaining and testing rules."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

RULE = """\
id = "OWN001"
name = "loss-stands-still"
status = "stable"
severity = "warning"
confidence = "moderate"
confidence_because = "seen in our own runs"
summary = "The loss stands still."
message = "The loss rose by a factor of {loss_rise_max:.1f}."
why = "It should fall."
limits = "None known."
sources = ["our own runs"]

[[when]]
signal = "loss_rise_max"
above = 3
because = "our runs stay below 2"

[[case]]
name = "rises to four times"
signals = { loss_rise_max = 4.0 }
expect = "found"

[[case]]
name = "not measured"
signals = {}
expect = "unknown"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.mkdir()
    (path / "OWN001-loss-stands-still.toml").write_text(RULE, encoding="utf-8")
    return path


def test_the_list_holds_rules_of_ours_and_of_the_user(run: Run, folder: Path) -> None:
    result = run("rule", "--rules", "own")
    assert result.code == 0
    assert "OWN001" in result.out
    assert "RD103" in result.out
    rows = json.loads(run("rule", "--rules", "own", "-f", "json").out)
    assert {"OWN001", "RD103"} <= {row["id"] for row in rows}


def test_a_word_of_its_name_finds_a_rule(run: Run, folder: Path) -> None:
    result = run("rule", "Vanishing")
    assert result.code == 2
    assert "there are RD101 vanishing-gradient-through-time, RD106" in result.err
    assert "`rnn-doctor rule` lists them" in run("rule", "nonsense").err


@pytest.mark.parametrize("name", ["OWN001", "own001", "loss-stands-still"])
def test_a_rule_is_explained_by_id_and_by_name(run: Run, folder: Path, name: str) -> None:
    text = run("rule", name, "--rules", "own").out
    for part in ("OWN001 loss-stands-still", "It should fall.", "our runs stay below 2", "None known."):
        assert part in text


def test_a_rule_as_json(run: Run, folder: Path) -> None:
    rule = json.loads(run("rule", "OWN001", "--rules", "own", "-f", "json").out)["rule"]
    assert (rule["id"], rule["when"][0]["above"]) == ("OWN001", 3)


def test_kept_cases_end_in_0(run: Run, folder: Path) -> None:
    result = run("rule", "--test", "own")
    assert result.code == 0
    assert result.out.splitlines() == [
        "OWN001 loss-stands-still: 2 cases kept",
        "  no case expects clear",
        "1 rule, 2 cases, none broken",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("= 4.0", "= 2.0", "case 'rises to four times' is clear, expected found"),
        ('expect = "unknown"', 'expect = "clear"', "case 'not measured' is unknown, expected clear"),
        ('"found"', '"found"\nseverity = "error"', "has severity warning, expected error"),
        ("signals = {}", 'log = "gone.jsonl"', "has no run log gone.jsonl in own"),
    ],
)
def test_a_broken_case_ends_in_1(run: Run, folder: Path, old: str, new: str, message: str) -> None:
    path = folder / "OWN001-loss-stands-still.toml"
    assert old in RULE
    path.write_text(RULE.replace(old, new), encoding="utf-8")
    result = run("rule", "--test", "own")
    assert result.code == 1
    assert message in result.out
    assert "OWN001 loss-stands-still: BROKEN, 1 of 2 cases" in result.out
    assert "1 rule, 2 cases, 1 broken" in result.out


def test_a_rule_without_a_case_is_broken(run: Run, folder: Path) -> None:
    path = folder / "OWN001-loss-stands-still.toml"
    path.write_text(RULE.partition("[[case]]")[0], encoding="utf-8")
    result = run("rule", "--test", "own")
    assert result.code == 1
    assert "OWN001 loss-stands-still: BROKEN, it has no case" in result.out


@pytest.mark.parametrize("missing", ["gone", "empty"])
def test_a_folder_without_rules_is_an_error_of_usage(run: Run, tmp_path: Path, missing: str) -> None:
    (tmp_path / "empty").mkdir()
    result = run("rule", "--test", missing)
    assert (result.code, result.out) == (2, "")
    assert missing in result.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("above = 3", "aboev = 3", "(did you mean 'above'?)"),
        ("loss_rise_max", "loss_rise_mx", "(did you mean 'loss_rise_max'?)"),
        ('because = "our runs stay below 2"', "", "because"),
        ('id = "OWN001"', "id = OWN001", "not TOML"),
        ('id = "OWN001"', 'id = "RD103"', "OWN001-loss-stands-still.toml"),
    ],
)
def test_a_wrong_rule_file_is_told_before_anything_runs(
    run: Run, folder: Path, old: str, new: str, message: str
) -> None:
    (folder / "OWN001-loss-stands-still.toml").write_text(RULE.replace(old, new), encoding="utf-8")
    (folder.parent / "train.py").write_text("raise SystemExit('must not run')\n", encoding="utf-8")
    for line in ("rule --test own", "check --rules own train.py"):
        result = run(*line.split())
        assert result.code == 2
        assert "OWN001-loss-stands-still.toml" in result.err
        assert message in result.err
        assert "must not run" not in result.err


def test_the_cases_of_the_shipped_rules_are_kept(run: Run) -> None:
    from tests.generated import ROOT

    result = run("rule", "--test", str(ROOT / "rules"))
    assert result.code == 0, result.out
    assert "none broken" in result.out
