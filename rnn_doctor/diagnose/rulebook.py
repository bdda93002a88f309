"""The rulebook from its files: what is shipped, then the user's folders, all checked on loading."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from rnn_doctor.diagnose import consistency
from rnn_doctor.errors import RulebookError
from rnn_doctor.schema.calibration import Calibration, Record
from rnn_doctor.schema.remedy import Remedy
from rnn_doctor.schema.rule import Rule
from rnn_doctor.schema.rulebook import Rulebook

CALIBRATION = "calibration.json"

Entry = TypeVar("Entry", Rule, Remedy)


def load(
    folders: Iterable[Path] = (), *, signals: Mapping[str, str] | None = None, shipped: bool = True
) -> Rulebook:
    """The shipped rules and remedies, with those of the user's folders added.

    A user's file that has the id and the name of a shipped one replaces it. `signals` maps the name of every
    signal there is to what its subjects are; with it the rules are also held against the signals they read.

    Raises: RulebookError: a file cannot be read, breaks the schema, or refers to something that is not there.
    """
    rules: dict[str, Rule] = {}
    remedies: dict[str, Remedy] = {}
    origin: dict[str, str] = {}
    sources: list[tuple[Traversable, str]] = [(files("rnn_doctor.rules"), "rules")] if shipped else []
    for own in folders:
        if not own.is_dir():
            raise RulebookError(f"{own}: no such folder", "name a folder of rule files")
        sources.append((own, str(own)))
    original: dict[str, Rule] = {}
    for folder, shown in sources:
        _add(rules, _read(folder, shown, Rule), origin)
        original = original or dict(rules)  # as shipped, where they are
        remedy_folder = folder / "remedies"
        if remedy_folder.is_dir():
            _add(remedies, _read(remedy_folder, f"{shown}/remedies", Remedy), origin)
    records = _records() if shipped else {}
    kept = {
        rule: record for rule, record in records.items() if rule in rules and rules[rule] is original[rule]
    }
    book = Rulebook(rules=rules, remedies=remedies, records=kept)
    consistency.check(book, origin, signals)
    return book


def _records() -> dict[str, Record]:
    """What the fault bench counted of the shipped rules; nothing where the file is missing.

    Raises: RulebookError: the file is not what the bench writes.
    """
    file = files("rnn_doctor.rules") / CALIBRATION
    if not file.is_file():
        return {}
    try:
        return Calibration.model_validate_json(file.read_text(encoding="utf-8")).rules
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        raise RulebookError(f"rules/{CALIBRATION}: {problem}", "it is written by the fault bench") from None


def _add(known: dict[str, Entry], entries: dict[str, Entry], origin: dict[str, str]) -> None:
    for shown, entry in entries.items():
        old = known.get(entry.id)
        if isinstance(old, Rule) and isinstance(entry, Rule) and old.name != entry.name:
            raise RulebookError(
                f"{shown}: {entry.id} is the id of {old.name} ({origin[entry.id]})",
                "an id is never reused: choose one of your own, or keep the name to replace the rule",
            )
        known[entry.id] = entry
        origin[entry.id] = shown


def _read(folder: Traversable, shown: str, kind: type[Entry]) -> dict[str, Entry]:
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {f"{shown}/{name}": _parse(folder / name, f"{shown}/{name}", kind) for name in names}


def _parse(file: Traversable, shown: str, kind: type[Entry]) -> Entry:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RulebookError(f"{shown}: cannot be read: {error}", "a rule file is UTF-8 text") from None
    except RecursionError:
        raise RulebookError(f"{shown}: nested too deeply", "a rule file has tables of one level") from None
    except tomllib.TOMLDecodeError as error:
        raise RulebookError(f"{shown}: not TOML: {error}", "see https://toml.io") from None
    try:
        entry = kind.model_validate(data)
    except ValidationError as error:
        raise RulebookError(
            f"{shown}: {consistency.first_problem(error, kind)}",
            f"`rnn-doctor schema {kind.__name__.lower()}` prints what such a file may hold",
        ) from None
    expected = f"{entry.id}-{entry.name}.toml" if isinstance(entry, Rule) else f"{entry.id}.toml"
    if file.name != expected:
        raise RulebookError(
            f"{shown}: its id and name ask for the file name {expected}", "rename one of them"
        )
    return entry
