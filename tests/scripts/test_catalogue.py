"""The catalogue names every script of this folder once, and its README says so."""

from pathlib import Path

from tests.scripts import catalogue

HERE = Path(__file__).parent
OURS = {"__init__.py", "catalogue.py", "runner.py", "warm.py", "task.py", "test_catalogue.py"} | {
    "planted.py",
    "check.py",
    "test_guards.py",
    "test_faults.py",
}


def test_readme_is_fresh() -> None:
    assert (HERE / "README.md").read_text(encoding="utf-8") == catalogue.readme()


def test_every_script_is_in_the_catalogue() -> None:
    commands = [entry.command for entry in catalogue.CATALOGUE if entry.folder == "."]
    named = {word for command in commands for word in command if word.endswith(".py") and "/" not in word}
    assert {path.name for path in HERE.glob("*.py")} - OURS == named


def test_every_script_can_be_found() -> None:
    for entry in catalogue.CATALOGUE:
        for word in entry.command:
            assert not word.endswith(".py") or (HERE / entry.folder / word).is_file(), word


def test_names_are_unique() -> None:
    names = [entry.name for entry in catalogue.CATALOGUE]
    assert len(names) == len(set(names))
