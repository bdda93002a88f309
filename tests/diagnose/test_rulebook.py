"""Loading rules: what is wrong is told with its file, its place and what to do."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.errors import RulebookError
from tests.diagnose.books import clause, remedy_data, rule_data

SIGNALS = {"size": "run", "loud": "module", "pitch": "module", "mean_loss": "loss"}


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
    return str(value)


def write(folder: Path, data: dict[str, Any], name: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    stem = name or (f"{data['id']}-{data['name']}" if "name" in data else data["id"])
    (folder / f"{stem}.toml").write_text("".join(f"{key} = {toml(value)}\n" for key, value in data.items()))


def load_one(folder: Path, **fields: Any) -> None:
    write(folder, rule_data(**fields))
    load([folder], signals=SIGNALS, shipped=False)


def complaint(folder: Path, **fields: Any) -> str:
    with pytest.raises(RulebookError) as caught:
        load_one(folder, **fields)
    assert caught.value.hint
    assert str(folder) in caught.value.message
    return caught.value.message.replace(str(folder), "rules")


FILE = "rules/RD101-name-of-rd101.toml"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"when": [clause(), clause("siez")]},
            f"{FILE}: [[when]] 2: no signal named 'siez' (did you mean 'size'?)",
        ),
        (
            {"grade": [{"severity": "note", "when": [clause("siez")]}]},
            f"{FILE}: [[grade]] 1: [[when]] 1: no signal named 'siez' (did you mean 'size'?)",
        ),
        ({"mentions": ["siez"]}, f"{FILE}: mentions: no signal named 'siez' (did you mean 'size'?)"),
        (
            {"case": [{"name": "a", "signals": {"siez": 1}, "expect": "found"}]},
            f"{FILE}: [[case]] 1: no signal named 'siez' (did you mean 'size'?)",
        ),
        (
            {"when": [clause("loud"), clause("mean_loss")]},
            f"{FILE}: [[when]]: one rule cannot speak of each loss and each module",
        ),
        (
            {"mentions": ["loud"]},
            f"{FILE}: a signal of each module is used, but no clause of [[when]] speaks of a module",
        ),
        ({"explains": ["RD110"]}, f"{FILE}: explains: no rule 'RD110'"),
        ({"spreads": ["RD110"]}, f"{FILE}: spreads: 'RD110' is not in explains"),
        ({"invalidates": ["XX999"]}, f"{FILE}: invalidates: no rule 'XX999'"),
        ({"explains": ["RD101"]}, f"{FILE}: explains: runs in a circle: RD101 -> RD101"),
        (
            {"remedy": [{"use": "no-such", "effect": 0.5, "because": "b"}]},
            f"{FILE}: [[remedy]] 1: no remedy 'no-such'",
        ),
        (
            {"message": "It is {siez}."},
            f"{FILE}: message: '{{siez}}' is neither a signal of its clauses nor in mentions "
            "(did you mean 'size'?)",
        ),
        ({"message": "It is {size"}, f"{FILE}: message: expected '}}' before end of string"),
        (
            {"when": [{"signal": "size", "aboev": 1, "because": "b"}]},
            f"{FILE}: [[when]] 1: aboev: unknown key (did you mean 'above'?)",
        ),
        (
            {"when": [{"signal": "size", "because": "b"}]},
            f"{FILE}: [[when]] 1: give exactly one of above, below, between, is",
        ),
        ({"when": [{"signal": "size", "above": 1}]}, f"{FILE}: [[when]] 1: because: field required"),
        ({"when": [clause(above="three")]}, f"{FILE}: [[when]] 1: above: input should be a valid number, "),
        ({"severty": "error"}, f"{FILE}: severty: unknown key (did you mean 'severity'?)"),
        ({"severity": "fatal"}, f"{FILE}: severity: input should be 'error', 'warning' or 'note'"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    assert complaint(tmp_path, **fields).startswith(message)


def test_run_level_and_one_other_kind_may_mix(tmp_path: Path) -> None:
    load_one(tmp_path, when=[clause("size"), clause("loud"), clause("pitch")], mentions=["size", "pitch"])


def test_without_signal_names_they_are_not_checked(tmp_path: Path) -> None:
    write(tmp_path, rule_data(when=[clause("anything")]))
    assert list(load([tmp_path], shipped=False).rules) == ["RD101"]


def test_a_circle_of_rules_is_told(tmp_path: Path) -> None:
    write(tmp_path, rule_data("RD101", invalidates=["RD102"]))
    write(tmp_path, rule_data("RD102", invalidates=["RD101"]))
    with pytest.raises(RulebookError, match="runs in a circle: RD101 -> RD102 -> RD101"):
        load([tmp_path], shipped=False)


def test_the_file_is_named_after_the_rule(tmp_path: Path) -> None:
    write(tmp_path, rule_data(), name="RD101-other")
    with pytest.raises(RulebookError, match=r"ask for the file name RD101-name-of-rd101\.toml"):
        load([tmp_path], shipped=False)


@pytest.mark.parametrize(
    ("content", "message"), [(b"id = ", "not TOML: "), (b"\xff\xfe", "cannot be read: ")]
)
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "RD101-x.toml").write_bytes(content)
    with pytest.raises(RulebookError, match=message):
        load([tmp_path], shipped=False)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="no such folder"):
        load([tmp_path / "none"], shipped=False)


def test_a_remedy_must_exclude_what_exists(tmp_path: Path) -> None:
    write(tmp_path / "remedies", remedy_data("rest", excludes=["sleep"]))
    with pytest.raises(RulebookError, match=r"remedies/rest\.toml: excludes: no remedy 'sleep'"):
        load([tmp_path], shipped=False)


def test_a_users_rule_replaces_one_of_its_id_and_name(tmp_path: Path) -> None:
    write(tmp_path / "a", rule_data())
    write(tmp_path / "b", rule_data(severity="note"))
    book = load([tmp_path / "a", tmp_path / "b"], shipped=False)
    assert book.rules["RD101"].severity == "note"
    write(tmp_path / "c", rule_data(name="other"))
    with pytest.raises(RulebookError, match="RD101 is the id of name-of-rd101"):
        load([tmp_path / "a", tmp_path / "c"], shipped=False)


def test_a_users_rule_may_use_shipped_remedies(tmp_path: Path) -> None:
    write(tmp_path, rule_data("MY001", remedy=[{"use": "dropout", "effect": 0.5, "because": "b"}]))
    assert "MY001" in load([tmp_path]).rules


def test_loading_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; from rnn_doctor.diagnose.rulebook import load; load(); "
        "print([m for m in ('torch', 'numpy', 'scipy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
