"""The scripts of a project: `[[tool.rnn-doctor.check]]` in pyproject.toml, one entry a training."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from rnn_doctor.errors import SettingsError, did_you_mean
from rnn_doctor.schema.expectation import Expectation
from rnn_doctor.schema.values import Frozen
from rnn_doctor.settings import FIELDS, MANIFEST, ONCE, TABLE, Settings, Whole, nearest_table

HEADER = f"[[{TABLE}.{MANIFEST}]]"
_OF_ALL = {*ONCE, "baseline", "thresholds"}
"""Settings of the one report and of the whole command, which no single script can have."""


class Entry(Frozen):
    """One training: what to run, what it shall show, and the settings that hold for it alone."""

    script: str | None = Field(None, description="the path of a script")
    module: str | None = Field(None, description="the name of a module")
    args: tuple[str, ...] = Field((), description="a list of texts, one for each argument")
    name: str = Field("", description="a text")
    threads: Whole | None = Field(None, description="a whole number of at least 1")
    expectation: Expectation = Expectation()
    settings: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """What it is called where no name was given."""
        return self.script if self.module is None and self.script else f"-m {self.module}"


class Manifest(Frozen):
    """All entries, and the file that holds them; paths in it are relative to its folder."""

    path: Path
    entries: tuple[Entry, ...]


_EXPECTATION = {
    "expect": '"healthy", or a list of the rules that must be found',
    "known": "a list of rule ids or names",
}
_KEYS = {name for name in Entry.model_fields if name not in ("expectation", "settings")} | _EXPECTATION.keys()


def read(folder: Path) -> Manifest | None:
    """The manifest that holds in a folder; None where the nearest table of ours lists no scripts.

    Raises: SettingsError: an entry has an unknown key, a value that is none, no script, or another one's name.
    """
    path, table = nearest_table(folder) or (None, None)
    if path is None or not isinstance(table, dict) or MANIFEST not in table:
        return None
    listed = table[MANIFEST]
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise SettingsError(
            f"{path}: {TABLE}.{MANIFEST} is no list of scripts",
            f'write {HEADER} and script = "train.py" below it',
        )
    entries = tuple(_entry(f"{path}: {HEADER} {number}", each) for number, each in enumerate(listed, 1))
    return Manifest(path=path, entries=_named(path, entries))


def chosen(entries: Sequence[Entry], names: Sequence[str]) -> tuple[Entry, ...]:
    """The entries of these names, or all where none is given; in the order of the file.

    Raises: SettingsError: there is no entry of that name.
    """
    known = [entry.name for entry in entries]
    for name in names:
        if name not in known:
            raise SettingsError(
                f"--only: no script is called {name!r}{did_you_mean(name, known)}",
                f"there are {', '.join(known)}",
            )
    return tuple(entry for entry in entries if not names or entry.name in names)


def _entry(where: str, table: dict[str, Any]) -> Entry:
    """One entry, with everything that is wrong about it told by its place in the file."""
    given: dict[str, Any] = {}
    allowed = _KEYS | {field for field in FIELDS if field not in _OF_ALL}
    for key, value in table.items():
        field = key.replace("-", "_")
        if field in FIELDS and field not in allowed:
            raise SettingsError(f"{where}: {key} is no setting of one script", f"set it in [{TABLE}]")
        if field not in allowed:
            options = sorted(name.replace("_", "-") for name in allowed)
            raise SettingsError(
                f"{where}: no key {key!r}{did_you_mean(key.replace('_', '-'), options)}",
                f"the keys are {', '.join(options)}",
            )
        if field in given:
            raise SettingsError(f"{where}: sets {key!r} twice", "keep one of them")
        given[field] = value
    if isinstance(given.get("rules"), str):
        given["rules"] = [given["rules"]]
    for name in ("expect", "known", "args"):
        if isinstance(given.get(name), list):
            given[name] = tuple(given[name])
    return _validated(where, given)


def _validated(where: str, given: dict[str, Any]) -> Entry:
    settings = {key: value for key, value in given.items() if key in FIELDS}
    expected = {key: value for key, value in given.items() if key in _EXPECTATION}
    own = {key: value for key, value in given.items() if key in _KEYS - _EXPECTATION.keys()}
    descriptions = {key: field.description or "" for key, field in FIELDS.items()} | _EXPECTATION
    descriptions |= {key: Entry.model_fields[key].description or "" for key in own}
    try:
        Settings.model_validate(settings)
        expectation = Expectation.model_validate(expected)
        entry = Entry.model_validate(own | {"expectation": expectation, "settings": settings})
    except ValidationError as error:
        field = str(error.errors(include_url=False)[0]["loc"][0])
        hint = did_you_mean(str(given[field]), ["healthy"]) if field == "expect" else ""
        raise SettingsError(
            f"{where}: {field.replace('_', '-')}: {given[field]!r} is not {descriptions[field]}{hint}",
            "correct the value",
        ) from None
    if (entry.script is None) == (entry.module is None):
        what = "names a script and a module" if entry.script else "names no script"
        raise SettingsError(f"{where}: {what}", 'write script = "train.py", or module = "pkg.mod"')
    return entry


def _named(path: Path, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    named = tuple(entry.model_copy(update={"name": entry.name or entry.label}) for entry in entries)
    twice = [name for name, count in Counter(entry.name for entry in named).items() if count > 1]
    if twice:
        raise SettingsError(
            f"{path}: two entries of {HEADER} are called {twice[0]!r}", 'tell them apart by name = "..."'
        )
    return named
