"""The list of scripts in pyproject.toml: what an entry may hold, and one clear sentence for what it may not."""

from pathlib import Path

import pytest

from rnn_doctor import manifest
from rnn_doctor.errors import SettingsError
from rnn_doctor.schema.expectation import Expectation
from rnn_doctor.settings import resolve


def write(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, *entries: str) -> manifest.Manifest:
    found = manifest.read(write(folder, "".join(f"[[tool.rnn-doctor.check]]\n{each}\n" for each in entries)))
    assert found is not None
    return found


def test_an_entry_holds_a_script_its_arguments_its_settings_and_what_is_expected(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'script = "train.py"\nargs = ["--epochs", "1"]\nsteps = 20\nfail-on = "warning"\nknown = ["RD303"]',
        'module = "project.train"\nname = "ill twin"\nexpect = ["RD103", "weight-decay"]\nthreads = 1',
    )
    assert found.path == tmp_path / "pyproject.toml"
    first, second = found.entries
    assert (first.script, first.module, first.args, first.name) == (
        "train.py",
        None,
        ("--epochs", "1"),
        "train.py",
    )
    assert first.settings == {"steps": 20, "fail_on": "warning"}
    assert first.expectation == Expectation(expect="healthy", known=("RD303",))
    assert (second.module, second.name, second.threads) == ("project.train", "ill twin", 1)
    assert second.expectation.required == ("RD103", "weight-decay")


def test_a_module_is_called_as_it_is_started(tmp_path: Path) -> None:
    assert read(tmp_path, 'module = "project.train"').entries[0].name == "-m project.train"


def test_the_manifest_is_no_setting_and_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, '[tool.rnn-doctor]\nsteps = 7\n[[tool.rnn-doctor.check]]\nscript = "train.py"\n')
    assert resolve({}, tmp_path).steps == 7


def test_the_nearest_table_decides_and_may_list_nothing(tmp_path: Path) -> None:
    assert manifest.read(tmp_path) is None
    read(tmp_path, 'script = "train.py"')
    inner = tmp_path / "inner"
    inner.mkdir()
    found = manifest.read(inner)
    assert found is not None
    assert found.path.parent == tmp_path
    write(inner, "[tool.rnn-doctor]\nsteps = 3\n")
    assert manifest.read(inner) is None


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (['scirpt = "train.py"'], "check]] 1: no key 'scirpt' (did you mean 'script'?)"),
        (["steps = 3"], "check]] 1: names no script"),
        (['script = "a.py"\nmodule = "b"'], "names a script and a module"),
        (
            ['script = "a.py"', 'script = "b.py"\nargs = "--x"'],
            "check]] 2: args: '--x' is not a list of texts",
        ),
        (['script = "a.py"\nargs = [1]'], "args: (1,) is not a list of texts"),
        (['script = "a.py"\nsteps = 0'], "steps: 0 is not a whole number of at least 1"),
        (['script = "a.py"\nthreads = true'], "threads: True is not a whole number of at least 1"),
        (['script = "a.py"\nexpect = "helthy"'], "(did you mean 'healthy'?)"),
        (['script = "a.py"\nknown = "RD303"'], "known: 'RD303' is not a list of rule ids or names"),
        (['script = "a.py"\nformat = "json"'], "format is no setting of one script"),
        (['script = "a.py"\nfail-on = "note"\nfail_on = "error"'], "sets 'fail_on' twice"),
        (['script = "a.py"', 'script = "a.py"\nargs = ["--deep"]'], "two entries of .* are called 'a.py'"),
    ],
)
def test_what_is_wrong_in_an_entry_is_said_with_its_place(
    tmp_path: Path, entries: list[str], message: str
) -> None:
    import re

    pattern = message if "entries of" in message else re.escape(message)
    with pytest.raises(SettingsError, match=pattern) as caught:
        read(tmp_path, *entries)
    assert str(tmp_path / "pyproject.toml") in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("table", ['check = "train.py"', "check = []", 'check = ["train.py"]'])
def test_a_list_that_is_none_is_said(tmp_path: Path, table: str) -> None:
    with pytest.raises(SettingsError, match="is no list of scripts"):
        manifest.read(write(tmp_path, f"[tool.rnn-doctor]\n{table}\n"))


def test_entries_are_chosen_by_name(tmp_path: Path) -> None:
    entries = read(tmp_path, 'script = "a.py"', 'script = "b.py"', 'script = "c.py"').entries
    assert manifest.chosen(entries, ()) == entries
    assert [entry.name for entry in manifest.chosen(entries, ("c.py", "a.py"))] == ["a.py", "c.py"]
    with pytest.raises(SettingsError, match=r"no script is called 'd\.py'"):
        manifest.chosen(entries, ("d.py",))
