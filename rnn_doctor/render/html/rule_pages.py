"""What the shipped rules say of themselves: a stored report names its rules, and holds no more of them."""

import tomllib
from collections.abc import Iterable
from importlib.resources import files

from pydantic import ValidationError

from rnn_doctor.schema.rule import Rule


def shipped(named: Iterable[tuple[str, str]]) -> dict[str, Rule]:
    """The rules of these ids and names that ship with rnn-doctor, by id; rules of the user's own are left out."""
    wanted = {f"{rule}-{name}.toml" for rule, name in named}
    found = [
        _read(entry.read_text(encoding="utf-8"))
        for entry in files("rnn_doctor.rules").iterdir()
        if entry.name in wanted
    ]
    return {rule.id: rule for rule in sorted((r for r in found if r is not None), key=lambda r: r.id)}


def _read(text: str) -> Rule | None:
    """A rule; None where the file is damaged: the report is worth more than the text beside it."""
    try:
        return Rule.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError):
        return None
