"""The page that shows how to write a rule: its example is a rule, keeps its cases, and finds what it says."""

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.generated import ROOT
from tests.sample_logs import FOLDER

PAGE = (ROOT / "docs" / "own-rules.md").read_text(encoding="utf-8")
NAME = "ACME001-clips-most-updates.toml"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    folder = tmp_path / "our_rules"
    (folder / "sample_logs").mkdir(parents=True)
    shutil.copy(FOLDER / "brackets.jsonl", folder / "sample_logs" / "healthy.jsonl")
    path = folder / NAME
    path.write_text(blocks("toml")[0], encoding="utf-8")
    return path


def test_its_file_has_the_name_that_the_page_gives(rule: Path) -> None:
    assert f"`our_rules/{NAME}`" in PAGE


def test_its_cases_are_kept_as_the_page_shows(run: Run, rule: Path) -> None:
    result = run("rule", "--test", "our_rules")
    assert (result.code, result.out) == (0, blocks("text")[0])


def test_a_broken_case_is_told_as_the_page_shows(run: Run, rule: Path) -> None:
    text = rule.read_text(encoding="utf-8")
    head, case = text.split('name = "just half"')
    rule.write_text(head + 'name = "just half"' + case.replace('"clear"', '"found"', 1), encoding="utf-8")
    result = run("rule", "--test", "our_rules")
    assert (result.code, result.out) == (1, blocks("text")[1])


def test_a_misspelt_signal_is_told_with_what_was_meant(run: Run, rule: Path) -> None:
    text = rule.read_text(encoding="utf-8")
    rule.write_text(
        text.replace('signal = "clip_share"\nabove', 'signal = "clip_shar"\nabove'), encoding="utf-8"
    )
    result = run("rule", "--test", "our_rules")
    assert result.code == 2
    assert NAME in result.err
    assert "clip_shar" in result.err
    assert "did you mean" in result.err


def test_it_is_used_in_a_diagnosis(run: Run, rule: Path) -> None:
    """The language model of the examples clips most of its updates."""
    found = " ".join(run("diagnose", "-v", "--rules", "our_rules", str(FOLDER / "charlm.jsonl")).out.split())
    assert "[ACME001]: Clipping shortens" in found
    assert "Raise the clipping limit to the usual gradient norm" in found
    assert "No remedy here" in found
    assert "the limit bounds the first updates already" in found


def test_the_settings_of_the_page_are_valid(run: Run, rule: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(blocks("toml")[1], encoding="utf-8")
    assert "ACME001" in run("rule").out
